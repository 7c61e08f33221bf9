"""What people see when something breaks: a store gone, a full disk, a dead worker, an old session."""

from __future__ import annotations

import resource
import select
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from playwright.sync_api import expect
from sqlalchemy.engine import make_url
from tests.console.conftest import PASSWORD, Console, SignIn, console

from shopkeeper.shop import Shop
from shopkeeper.store.jobs import JobStatus


class Wire:
    """Between the console and PostgreSQL's Unix socket, so that it can be cut and mended."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._open: list[socket.socket] = []
        self.port = 0
        self.mend()

    def mend(self) -> None:
        """Pass on what comes from now on."""
        self._listening = socket.create_server(("127.0.0.1", self.port))
        self.port = self._listening.getsockname()[1]
        threading.Thread(target=self._accept, args=(self._listening,), daemon=True).start()

    def cut(self) -> None:
        """End every connection and take no new one."""
        with_no_fuss(self._listening)
        for one in self._open:
            with_no_fuss(one)
        self._open.clear()

    def _accept(self, listening: socket.socket) -> None:
        while True:
            try:
                near, _ = listening.accept()
            except OSError:
                return
            far = socket.socket(socket.AF_UNIX)
            far.connect(self._path)
            self._open += [near, far]
            threading.Thread(target=_carry, args=(near, far), daemon=True).start()


def with_no_fuss(one: socket.socket) -> None:
    """End a connection, or stop listening; it may have ended already."""
    with suppress(OSError):  # the other side was faster
        one.shutdown(socket.SHUT_RDWR)
    one.close()


def _carry(near: socket.socket, far: socket.socket) -> None:
    pair = {near: far, far: near}
    try:
        while True:
            for one in select.select(list(pair), [], [])[0]:
                data = one.recv(65_536)
                if not data:
                    return
                pair[one].sendall(data)
    except (OSError, ValueError):
        return
    finally:
        for one in pair:
            with_no_fuss(one)


@pytest.fixture
def wire(postgres_url: str) -> Iterator[Wire]:
    url = make_url(postgres_url)
    host = str(url.query.get("host") or url.host)
    made = Wire(f"{host}/.s.PGSQL.{url.port or 5432}")
    yield made
    made.cut()


def test_a_store_that_goes_away_is_said_and_comes_back_by_itself(
    sign_in: SignIn, wire: Wire, postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = make_url(postgres_url).set(host="127.0.0.1", port=wire.port, query={})
    address = url.render_as_string(hide_password=False)
    monkeypatch.setenv("SHOPKEEPER_DATABASE", address)
    with Shop.create(tmp_path / "shop") as shop:
        shop.persons.add("owner@example.com", PASSWORD, "owner")
        shop.jobs.create("report.run", {}, "owner@example.com", {"*:*"})
    with console(tmp_path / "shop") as running:
        visitor = sign_in(to="/jobs", at=running)
        page = visitor.page
        expect(page.locator(".job")).to_have_count(1)
        wire.cut()
        expect(page.get_by_text("The store does not answer.")).to_be_visible()
        expect(page.locator(".job")).to_have_count(1)  # what was known stays
        page.get_by_role("link", name="Audit log").click()
        expect(page.locator(".failure")).to_contain_text("does not answer")
        fresh = page.context.new_page()
        answer = fresh.goto(running.url + "/jobs")
        assert answer is not None
        assert answer.status == 503
        expect(fresh.locator("h1")).to_have_text("Not available for the moment")
        assert "127.0.0.1" not in fresh.content() or PASSWORD not in fresh.content()
        wire.mend()
        expect(page.get_by_text("The store does not answer.")).to_be_hidden()
        expect(page.locator(".failure")).to_have_count(0)
        expect(page.locator(".rows")).to_contain_text("Sign in")
        expect(fresh.locator("h1")).to_have_text("Jobs")  # it tried again by itself


@contextmanager
def full_disk(running: Console) -> Iterator[None]:
    """No file of the console can grow beyond one block."""
    pid = running.process.pid
    before = resource.prlimit(pid, resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, before)


@pytest.mark.skipif(sys.platform != "linux", reason="needs prlimit")
def test_a_full_disk_is_said_and_loses_nothing(sign_in: SignIn, empty: Console) -> None:
    visitor = sign_in(to="/data/new", at=empty)
    page = visitor.page
    upload = page.locator("input[type=file]")
    small = {"name": "orders.csv", "mimeType": "text/csv", "buffer": b"InvoiceNo\n" * 5_000}
    large = {"name": "more.csv", "mimeType": "text/csv", "buffer": b"InvoiceNo\n" * 200_000}
    with full_disk(empty):
        upload.set_input_files(small)  # type: ignore[arg-type]
        expect(page.locator(".toast.wrong")).to_contain_text("Make room on the shop's disk")
        upload.set_input_files(large)  # type: ignore[arg-type]
        expect(page.get_by_text("The upload did not arrive")).to_be_visible()
        visitor.go("/settings")
        page.get_by_label("Name", exact=True).fill("web-shop")
        page.get_by_role("button", name="Create key").click()
        expect(page.locator(".toast.wrong")).to_contain_text("Make room on its disk")
        with empty.client() as client:
            entered = client.post(
                "/sign-in", data={"name": "owner@example.com", "password": PASSWORD}
            )
            assert entered.status_code == 503
            assert "set-cookie" not in entered.headers
    inbox = empty.folder / "inbox"
    assert not inbox.is_dir() or not list(inbox.iterdir())
    page.get_by_role("button", name="Create key").click()
    expect(page.locator(".secret")).to_be_visible()
    page.get_by_role("button", name="I have kept it").click()
    visitor.go("/data/new")
    page.locator("input[type=file]").set_input_files(small)  # type: ignore[arg-type]
    expect(page.get_by_text("is in the inbox")).to_be_visible()
    assert (inbox / "orders.csv").read_bytes() == small["buffer"]
    with Shop.open(empty.folder) as shop:
        assert [key.name for key in shop.keys.list()] == ["web-shop"]
        assert shop.audit.verify().ok


def test_a_job_whose_worker_died_says_so_and_can_be_started_again(
    sign_in: SignIn, empty: Console
) -> None:
    with Shop.open(empty.folder) as shop:
        job = shop.jobs.create("report.run", {"since": "30d"}, "owner@example.com", {"*:*"})
        code = (
            "import sys; from shopkeeper.shop import Shop\n"
            "with Shop.open(sys.argv[1]) as shop: shop.jobs.start(sys.argv[2])"
        )
        command = [sys.executable, "-c", code, str(empty.folder), job.job_id]
        subprocess.run(command, check=True)  # a worker that ends in the midst of it
        visitor = sign_in(to=f"/jobs/{job.job_id}", at=empty)
        page = visitor.page
        expect(page.get_by_text("worker gone")).to_be_visible()
        page.get_by_role("button", name="Start again").click()
        expect(page.locator("h1")).to_have_text("Make a report")
        page.wait_for_url(lambda url: not url.endswith(job.job_id), wait_until="commit")
        [again] = shop.jobs.list(status=JobStatus.QUEUED)
        assert again.arguments == job.arguments
        assert shop.jobs.get(job.job_id).cancel_requested
        shop.jobs.start(again.job_id)
        shop.jobs.finish(again.job_id, error={"error": {"code": "Corrupt", "message": "<b>no</b>"}})
        expect(page.locator(".failure")).to_contain_text("<b>no</b>")
        expect(page.get_by_role("button", name="Start again")).to_be_visible()
    visitor.page.context.close()


def test_an_open_page_leaves_when_its_session_has_ended(sign_in: SignIn, tmp_path: Path) -> None:
    with Shop.create(tmp_path / "shop") as shop:
        shop.persons.add("viewer@example.com", PASSWORD, "viewer")
    with console(tmp_path / "shop", "--idle-minutes", "0.1") as running:
        page = sign_in("viewer", to="/jobs", at=running).page
        expect(page.get_by_text("Your session has ended. Please sign in again.")).to_be_visible()


def test_who_is_shut_out_leaves_with_the_next_click(sign_in: SignIn, empty: Console) -> None:
    with Shop.open(empty.folder) as shop:
        shop.persons.add("viewer@example.com", PASSWORD, "viewer")
        page = sign_in("viewer", to="/jobs", at=empty).page
        shop.persons.disable("viewer@example.com")
    time.sleep(2.5)  # a role is looked up every two seconds
    page.get_by_role("link", name="Audit log").click()
    expect(page.get_by_text("Your session has ended")).to_be_visible()


def test_a_forged_session_is_told_from_an_old_one(sign_in: SignIn, served: Console) -> None:
    page = sign_in("viewer", to="/jobs").page
    [cookie] = [c for c in page.context.cookies() if c["name"] == "shopkeeper_session"]
    forged = str(cookie.get("value"))[:-4] + "0000"
    page.context.add_cookies([{"name": "shopkeeper_session", "value": forged, "url": served.url}])
    page.goto(served.url + "/data")
    expect(page.get_by_text("could not be verified")).to_be_visible()


def test_a_page_of_another_site_reaches_neither_forms_nor_the_socket(
    sign_in: SignIn, served: Console
) -> None:
    visitor = sign_in("viewer", to="/jobs")
    cookie = "; ".join(f"{c.get('name')}={c.get('value')}" for c in visitor.page.context.cookies())
    host, port = served.url.removeprefix("http://").split(":")
    for origin, expected in ((served.url, b"101"), ("http://evil.example", b"403")):
        with socket.create_connection((host, int(port)), timeout=10) as wire:
            wire.sendall(
                f"GET /_nicegui_ws/socket.io/?EIO=4&transport=websocket HTTP/1.1\r\n"
                f"Host: {host}:{port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                f"Origin: {origin}\r\nCookie: {cookie}\r\nSec-WebSocket-Version: 13\r\n"
                f"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
            )
            assert wire.recv(4096).split()[1] == expected, origin
