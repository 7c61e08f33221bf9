"""Files that come in while the shop is served: uploads, and imports that the worker does for a terminal."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import narwhals as nw
import pytest

from shopkeeper.core.errors import BadInput, Cancelled, NotAllowed, Unavailable
from shopkeeper.core.operation import Actor, find
from shopkeeper.server import handover
from shopkeeper.server.inbox import safe
from shopkeeper.server.observe import state
from shopkeeper.server.observe.names import SERVES
from shopkeeper.shop.shop import Shop

URL = "/v1/collect/upload"
PLUGS = Path(__file__).parent / "plugs"


def _calls(count: int, prefix: str = "m") -> str:
    lines = (
        {
            "type": "track",
            "messageId": f"{prefix}{n}",
            "userId": f"u{n}",
            "event": "Product Viewed",
            "timestamp": "2026-01-05T10:00:00Z",
            "properties": {"product_id": "mug"},
        }
        for n in range(count)
    )
    return "".join(json.dumps(line) + "\n" for line in lines)


def _left(shop: Shop) -> set[str]:
    return {path.name for path in (shop.folder / "inbox").glob("*")}


def test_an_upload_lies_in_the_inbox_whole_under_a_free_name(serve: Any) -> None:
    served = serve()
    body = os.urandom(3_000_000)
    with served.client() as client:
        names = [
            client.post(URL, params={"name": "../../订单 2026.csv"}, content=body).json()
            for _ in range(3)
        ]
    assert [one["path"] for one in names] == [
        "订单 2026.csv",
        "订单 2026-2.csv",
        "订单 2026-3.csv",
    ]
    for one in names:
        path = served.shop.folder / "inbox" / one["path"]
        assert path.read_bytes() == body
        assert path.stat().st_mode & 0o077 == 0
        assert one["bytes"] == len(body)
        assert one["sha256"] == hashlib.sha256(body).hexdigest()
    assert _left(served.shop) == {one["path"] for one in names}


def test_a_refused_upload_leaves_nothing(serve: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    served = serve(upload_bytes=10_000)
    good = {"name": "a.csv"}
    with served.client() as client:
        refused: list[tuple[int, Any]] = [
            (413, client.post(URL, params=good, content=b"x" * 10_001)),
            (413, client.post(URL, params=good, content=iter([b"x" * 6_000, b"y" * 6_000]))),
            (422, client.post(URL, params=good, content=b"")),
            (422, client.post(URL, content=b"x")),
            (422, client.post(URL, params={"name": "../.."}, content=b"x")),
            (
                422,
                client.post(
                    URL,
                    params=good,
                    content=gzip.compress(b"x"),
                    headers={"Content-Encoding": "gzip"},
                ),
            ),
        ]
        monkeypatch.setattr(state, "LEAST_FREE", 10**18)
        refused.append((503, client.post(URL, params=good, content=b"x")))
    for key, status in ((None, 401), ("browser", 403), ("sender", 403), ("reader", 403)):
        with served.client(key) as client:
            refused.append((status, client.post(URL, params=good, content=b"x")))
    for status, response in refused:
        assert response.status_code == status, response.text
        assert response.json()["error"]["message"]
    assert _left(served.shop) == set()


def test_an_upload_that_is_broken_off_or_goes_silent_leaves_nothing(
    serve: Any, until: Callable[..., Any]
) -> None:
    served = serve(body_seconds=0.5)
    host, port = served.url.removeprefix("http://").split(":")
    head = (
        f"POST {URL}?name=a.csv HTTP/1.1\r\nHost: {host}\r\nContent-Length: 1000\r\n"
        f"Authorization: Bearer {served.keys['owner']}\r\n\r\n"
    ).encode()
    with socket.create_connection((host, int(port))) as silent:
        silent.sendall(head + b"x" * 10)
        until(lambda: _left(served.shop))
        assert b"408" in silent.recv(1000)
    until(lambda: not _left(served.shop))
    with socket.create_connection((host, int(port))) as gone:
        gone.sendall(head + b"x" * 10)
        until(lambda: _left(served.shop))
    until(lambda: not _left(served.shop))


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("orders.csv", "orders.csv"),
        ("C:\\shop\\orders.csv", "orders.csv"),
        ("a/b/../c\x00\n<x>.csv", "c_x_.csv"),
        (".bashrc", "bashrc"),
        ("x" * 300 + ".csv.gz", "x" * 117 + ".gz"),
    ],
)
def test_names_are_made_safe(given: str, kept: str) -> None:
    assert safe(given) == kept


@pytest.mark.parametrize("given", ["", "..", "/", "...", "\x00", "a." + "b" * 100])
def test_a_name_of_nothing_is_refused(given: str) -> None:
    with pytest.raises(BadInput):
        safe(given)


def test_an_uploaded_file_is_imported_by_its_name(
    processes: Any, until: Callable[..., Any]
) -> None:
    with Shop.open(processes.folder) as shop:
        _, secret = shop.keys.create("uploader", ("collect:write", "collect:read"), "server")
        for part in ("api", "worker"):
            processes.start(part)
        headers = {"Authorization": f"Bearer {secret}"}
        with httpx2.Client(
            base_url=f"http://127.0.0.1:{processes.port}", headers=headers, timeout=20
        ) as client:
            sent = client.post(URL, params={"name": "calls.jsonl"}, content=_calls(30)).json()
            arguments = {"path": sent["path"], "importer": "segment"}
            job = client.post("/v1/collect/import_file", json=arguments).json()
            until(lambda: shop.jobs.get(job["job_id"]).status.value == "done")
        assert shop.jobs.get(job["job_id"]).result["new"] == 30


@pytest.fixture
def typed(processes: Any) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start the command line on the served shop."""
    started: list[subprocess.Popen[str]] = []
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join([str(PLUGS), *filter(None, sys.path)]),
        "SHOPKEEPER_SHOP": str(processes.folder),
    }
    code = "import with_slow_jobs as w; w.install(); from shopkeeper.cli.main import main; main()"

    def start(*words: str) -> subprocess.Popen[str]:
        started.append(
            subprocess.Popen(
                [sys.executable, "-c", code, *words],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                env=environment,
            )
        )
        return started[-1]

    yield start
    for one in started:
        one.kill()
        one.communicate()


def test_an_import_from_a_terminal_is_handed_to_the_worker_of_a_running_server(
    processes: Any, typed: Any, tmp_path: Path, until: Callable[..., Any]
) -> None:
    file = tmp_path / "calls of my own.jsonl"
    file.write_text(_calls(40), "utf-8")
    processes.start("worker")
    with Shop.open(processes.folder) as shop:
        until(lambda: state.has_worker(shop))
        done = typed("import", str(file), "--importer", "segment", "--json")
        out, error = done.communicate(timeout=60)
        assert done.returncode == 0, error
        assert json.loads(out)["new"] == 40
        assert file.name in shop.imports.list(1)[0].source
        job = shop.jobs.list(limit=1)[0]
        assert (job.operation, job.actor) == ("collect.import_file", "owner")
        rows = shop.query(lambda s: s.events().select(nw.len().alias("n")))
        assert rows.column("n")[0].as_py() == 40
        assert _left(shop) == set()  # the copy went, the owner's file stayed
        assert file.exists()
        # Mistakes come back as they would without a server.
        wrong = typed("import", str(tmp_path / "none.csv"), "--importer", "segment", "--json")
        _, error = wrong.communicate(timeout=60)
        assert wrong.returncode == 1
        assert json.loads(error)["error"]["code"] == "NotFound"
        assert "where you are" in json.loads(error)["error"]["hint"]


def test_ctrl_c_stops_a_job_that_was_handed_over(
    processes: Any, tmp_path: Path, until: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    processes.start("worker")
    monkeypatch.syspath_prepend(PLUGS)
    slow = __import__("slowjobs.operations", fromlist=["count"]).count
    owner = Actor("local", "owner", frozenset({"*:*"}))
    stop = threading.Event()
    with Shop.open(processes.folder) as shop:
        until(lambda: state.has_worker(shop))

        def told(done: float, total: float | None, message: str) -> None:
            if done > 2:
                stop.set()
            if stop.is_set():
                raise Cancelled("Stopped by Ctrl-C.")

        diary = str(tmp_path / "diary")
        arguments = {"to": 10_000, "pause": 0.05, "diary": diary}
        with pytest.raises(Cancelled):
            handover.by_worker(shop, slow, arguments, owner, told)
        assert shop.jobs.list(limit=1)[0].status.value == "cancelled"
        assert "end" not in Path(diary).read_text()


def test_a_killed_worker_takes_the_handed_over_import_up_again(
    processes: Any, typed: Any, tmp_path: Path, until: Callable[..., Any]
) -> None:
    file = tmp_path / "calls.jsonl"
    file.write_text(_calls(20_000), "utf-8")
    worker = processes.start("worker")
    with Shop.open(processes.folder) as shop:
        until(lambda: state.has_worker(shop))
        running = typed("import", str(file), "--importer", "segment", "--json")
        until(lambda: [j for j in shop.jobs.list() if j.status.value == "running"], 40)
        worker.signal(signal.SIGKILL)
        worker.wait()
        processes.start("worker")
        out, error = running.communicate(timeout=90)
        assert running.returncode == 0, error
        receipt = json.loads(out)
        assert receipt["new"] + receipt["duplicate"] == 20_000
        rows = shop.query(lambda s: s.events().select(nw.len().alias("n")))
        assert rows.column("n")[0].as_py() == 20_000


def test_without_a_server_the_terminal_imports_itself_and_agents_jobs_are_refused(
    shop: Shop, tmp_path: Path
) -> None:
    file = tmp_path / "calls.jsonl"
    file.write_text(_calls(3), "utf-8")
    owner = Actor("local", "owner", frozenset({"*:*"}))
    arguments = {"path": str(file), "importer": "segment"}
    reply: Any = handover.run(shop, find("collect.import_file"), arguments, owner, _quiet)
    assert reply.new == 3
    assert not shop.jobs.list()
    with pytest.raises(Unavailable, match="shopkeeper serve"):
        handover.by_worker(shop, find("collect.import_file"), arguments, owner, _quiet)
    with shop.writer("another import"), pytest.raises(Unavailable):
        handover.by_worker(shop, find("collect.import_file"), arguments, owner, _quiet)
    with shop.writer(SERVES):
        assert state.has_worker(shop)


def test_a_key_cannot_confirm_by_way_of_the_worker(shop: Shop) -> None:
    agent = Actor("server", "agent", frozenset({"*:*"}))
    arguments = {"who": ["ann"], "confirm": "0" * 16}
    with shop.writer(SERVES), pytest.raises(NotAllowed, match="only a person"):
        handover.by_worker(shop, find("governance.erase"), arguments, agent, _quiet)
    assert not shop.jobs.list()


def _quiet(done: float, total: float | None, message: str) -> None:
    """Nobody watches."""
