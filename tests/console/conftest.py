"""A simulated shop behind a real console process, and a real browser that notes every complaint."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from shopkeeper.collect.operations import import_file
from shopkeeper.core.errors import ShopkeeperError
from shopkeeper.core.operation import OWNER, Actor, Context, find
from shopkeeper.core.settings import Settings
from shopkeeper.recommend.operations import popular
from shopkeeper.shop import Shop
from shopkeeper.simulate.operations import build
from shopkeeper.store.jobs import JobStatus
from shopkeeper.store.people.types import Role

CHROMIUM = Path("/usr/bin/chromium")
PATIENCE_MS = 60_000  # of a machine that others use too; nothing waits longer than it must
PASSWORD = "correct horse battery staple"
SCRIPT = "<script>window.hacked=1</script><img src=x onerror=window.hacked=1>"
ROLES: tuple[Role, ...] = ("viewer", "editor", "owner")

_LINES = """InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country
900001,85123A,LANTERN,6,2025-06-03T08:26:00,2.55,17850,United Kingdom
900002,71053,<b>BOLD</b>,6,2025-06-03T08:28:00,-3.39,17850,United Kingdom
900003,71053,LAMP,many,2025-06-03T08:28:00,3.39,17850,United Kingdom
"""


_MAPPING = """
about = "till"
target = "events"
[columns]
user_id = "CustomerID"
time = "InvoiceDate"
item_id = "StockCode"
quantity = "Quantity"
price = "UnitPrice"
order_id = "InvoiceNo"
[event]
name = "purchase"
id = "content"
[items]
kind = "product"
columns = { title = "Description" }
[customers]
columns = { country = "Country" }
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What a browser did not see in time is looked for once more, from the start, and said so (``R``)."""
    again = pytest.mark.flaky(reruns=1, only_rerun=["Locator expected", "Timeout .*ms exceeded"])
    for item in items:
        if "chromium" in getattr(item, "fixturenames", ()):
            item.add_marker(again)


@dataclass
class Console:
    """A console process and what it printed."""

    url: str
    folder: Path
    process: subprocess.Popen[str]
    code: str = ""

    def client(self, **headers: str) -> httpx2.Client:
        return httpx2.Client(base_url=self.url, headers={"Origin": self.url, **headers}, timeout=20)


def work(folder: Path) -> None:
    """Run the jobs that wait, as the worker would."""
    with Shop.open(folder) as shop:
        for job in reversed(shop.jobs.list(status=JobStatus.QUEUED)):
            shop.jobs.start(job.job_id)
            context = Context(shop, Actor("job", job.actor, job.scopes))
            try:
                reply = find(job.operation).run(context, job.arguments)
            except ShopkeeperError as error:
                shop.jobs.finish(job.job_id, error=error.to_json())
            else:
                shop.jobs.finish(job.job_id, result=reply.model_dump(mode="json"))


@contextmanager
def console(folder: Path, *options: str, **environment: str) -> Iterator[Console]:
    """The console of a shop as its own process."""
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "shopkeeper.console",
            "--shop",
            str(folder),
            "--port",
            "0",
            *options,
        ],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONWARNINGS": "default"} | environment,
    )
    try:
        assert process.stdout is not None
        said = process.stdout.readline()
        url = re.search(r"http://\S+", said)
        assert url, said
        with Shop.open(folder) as shop:
            nobody = not shop.persons.list()
        code = (
            re.search(r"code=(\S+)", "".join(process.stdout.readline() for _ in range(2)))
            if nobody
            else None
        )
        made = Console(url[0], folder, process, code[1] if code else "")
        _wait(made)
        yield made
    finally:
        process.terminate()
        process.communicate(timeout=20)
        assert process.returncode in (0, -15)


def furnished(folder: Path) -> Path:
    """A small shop with a script in an item's title, an import with refused rows, and three people."""
    settings = Settings(name="山水小铺 <i>Hills</i>", time_zone="Asia/Shanghai", currency="CNY")
    with Shop.create(folder, settings) as shop:
        context = Context(shop, OWNER)
        build.run(context, {"scenario": "quiet", "seed": 7, "events": 20_000})
        best = popular(shop, k=1).slots[0].item_id
        known = shop.catalogue.item(best)
        shop.catalogue.upsert_items([{**known, "title": SCRIPT}])
        with shop.writer("test") as writer:
            writer.snapshot()
        lines = folder.parent / "lines <b>.csv"
        lines.write_text(_LINES, "utf-8")
        mapping = folder.parent / "till.toml"
        mapping.write_text(_MAPPING, "utf-8")
        receipt = import_file.run(context, {"path": str(lines), "mapping": str(mapping)})
        assert receipt.refused == 2, receipt
        for role in ROLES:
            shop.persons.add(f"{role}@example.com", PASSWORD, role)
    return folder


@pytest.fixture(scope="session")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The furnished shop that the tests share: nothing in it may happen after the simulated year."""
    return furnished(tmp_path_factory.mktemp("console") / "shop")


@pytest.fixture(scope="session")
def served(simulated: Path) -> Iterator[Console]:
    """The simulated shop's console."""
    with console(simulated) as running:
        yield running


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Debian's chromium."""
    if not CHROMIUM.exists():
        if os.environ.get("CI") == "true":
            pytest.fail(f"{CHROMIUM} is missing")
        pytest.skip(f"{CHROMIUM} is missing: install chromium to walk the console")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=str(CHROMIUM),
            args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
        )
        yield browser
        browser.close()


@dataclass
class Visitor:
    """Somebody at a browser; every complaint of it is noted."""

    page: Page
    url: str
    complaints: list[str] = field(default_factory=list)

    def go(self, path: str) -> None:
        """Open a page and wait until nothing is worked out any more."""
        self.page.goto(self.url + path)
        self.settle()

    def settle(self) -> None:
        self.page.wait_for_selector("h1", timeout=PATIENCE_MS)
        busy = "!document.querySelector('.waiting, [aria-busy=true]')"
        self.page.wait_for_function(busy, timeout=PATIENCE_MS)

    def check(self) -> None:
        """Nothing went wrong: no error shown, no message in the console, no request to outside."""
        assert not self.complaints, self.complaints
        assert self.page.locator(".failure").count() == 0, self.page.locator(
            ".failure"
        ).all_inner_texts()
        assert self.page.evaluate("window.hacked") is None

    def fits(self) -> None:
        """Nothing hangs out of the window sideways, once the menu has moved."""
        self.page.wait_for_function(
            "document.documentElement.scrollWidth <= window.innerWidth", timeout=PATIENCE_MS
        )


SignIn = Callable[..., Visitor]


@pytest.fixture
def sign_in(chromium: Browser, served: Console) -> Iterator[SignIn]:
    """Sign somebody in with a fresh browser of that language and width, and open a page."""
    contexts: list[BrowserContext] = []

    def made(
        role: str = "owner",
        *,
        lang: str = "en",
        width: int = 1280,
        to: str = "/",
        at: Console | None = None,
    ) -> Visitor:
        where = at or served
        expect.set_options(timeout=PATIENCE_MS)
        context = chromium.new_context(
            viewport={"width": width, "height": 900}, locale="zh-CN" if lang == "zh" else "en-GB"
        )
        contexts.append(context)
        context.set_default_timeout(PATIENCE_MS)
        visitor = Visitor(context.new_page(), where.url)
        _listen(visitor)
        given: dict[str, str | float | bool] = {
            "name": f"{role}@example.com",
            "password": PASSWORD,
        }
        answer = context.request.post(
            where.url + "/sign-in", form=given, headers={"Origin": where.url}, max_redirects=0
        )
        assert answer.status == 303, answer.text()
        visitor.go(to)
        return visitor

    yield made
    for context in contexts:
        context.close()


def _listen(visitor: Visitor) -> None:
    page, noted = visitor.page, visitor.complaints
    inside = (visitor.url, visitor.url.replace("http", "ws", 1), "data:", "blob:")
    page.on("console", lambda message: noted.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: noted.append(f"page error: {error}"))

    def requested(request: Any) -> None:
        if not request.url.startswith(inside):
            noted.append(f"outside: {request.url}")

    page.on("request", requested)


def _wait(running: Console) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            with running.client() as client:
                assert client.get("/health").status_code == 200
                return
        except httpx2.TransportError:
            assert running.process.poll() is None, "the console ended"
            assert time.monotonic() < deadline, "the console does not answer"
            time.sleep(0.1)


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Console]:
    """The console of a shop in which nothing has happened."""
    with Shop.create(tmp_path / "empty") as shop:
        shop.persons.add("owner@example.com", PASSWORD, "owner")
    with console(tmp_path / "empty") as running:
        yield running
