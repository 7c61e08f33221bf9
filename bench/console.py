"""The console over ten million simulated events: a browser at the overview, and fifty people at once.

``first_paint_ms``: from asking for the address to the browser's first contentful paint, each time in a fresh
profile with nothing cached. ``interaction_ms``: from a click to the real figures on the screen, for choosing
another of the offered periods and for opening a figure. Events keep coming in all the while, and the
worker writes them, so that figures change. ``uncached_ms`` is the same for dates that nobody asked for yet.
The night's jobs have run, as on any day but a server's first: they would begin ten minutes after its start.

``CONSOLE_EVENTS`` and ``CONSOLE_SECONDS`` make it smaller, for trying; the record then says so.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpx2
import psutil
from playwright.sync_api import Browser, Page, sync_playwright

from bench import simulate
from bench._console_users import PASSWORD, PATIENCE_S
from bench.harness import Row, child, write

EVENTS = int(os.environ.get("CONSOLE_EVENTS", str(simulate.EVENTS)))
SECONDS = float(os.environ.get("CONSOLE_SECONDS", "600"))
SEED = simulate.SEEDS[-1]
USERS = 50
LOADS = 7
ROUNDS = 3
STREAM_PER_S = 20
_CHROMIUM = "/usr/bin/chromium"
_SETTLED_S = 90.0
_PERIODS = ("7 days", "90 days", "180 days", "12 months", "30 days")
_PEOPLE = tuple(f"bench{n}@example.com" for n in range(5))

_OBSERVE = """(selector) => { window.seen = new Promise(done => {
  const began = performance.now(), before = new Set(document.querySelectorAll(selector));
  const look = () => {
    for (const one of document.querySelectorAll(selector))
      if (!before.has(one) && one.textContent.trim() && one.getClientRects().length)
        return requestAnimationFrame(() => done(performance.now() - began));
    requestAnimationFrame(look);
  };
  look();
})}"""
"""Milliseconds until something new of that selector stands on the screen."""


@dataclass
class Served:
    """A served shop."""

    url: str
    api: str
    console: psutil.Process


def main() -> None:
    """Measure and record."""
    with tempfile.TemporaryDirectory(prefix="bench-console-", dir=_place()) as place:
        folder = Path(shutil.copytree(_shop(), Path(place) / "shop"))
        secret, day = _people(folder)
        with _serve(folder) as served, _streaming(served.api, secret, day):
            rows = [*_browser(served, day), *_users(served)]
    note = f"simulated, {EVENTS:,} events; {STREAM_PER_S} events/s come in meanwhile"
    write("console", rows, data=note, seeds=[SEED])


def _place() -> Path:
    simulate.SHOPS.mkdir(parents=True, exist_ok=True)
    return simulate.SHOPS


def _shop() -> Path:
    """The shop of ten million events, or a smaller one of that number."""
    if EVENTS == simulate.EVENTS:
        folder = simulate.SHOPS / f"10m-{SEED}"
        return folder if (folder / "truth").exists() else simulate.built(SEED)[0]
    folder = simulate.SHOPS / f"console-{EVENTS}"
    if not (folder / "truth").exists():
        cli = ["-m", "shopkeeper.cli.main", "--shop", str(folder)]
        zone = ["--time-zone", "Asia/Shanghai", "--currency", "CNY"]
        child([*cli, "init", "--name", "bench", *zone])
        child([*cli, "simulate", "build", "--events", str(EVENTS), "--seed", str(SEED)])
    return folder


def _people(folder: Path) -> tuple[str, date]:
    """People who may sign in, a key that may send events, and the last day of the data."""
    from shopkeeper.server import nightly
    from shopkeeper.shop.shop import Shop
    from shopkeeper.store.jobs import JobStatus

    with Shop.open(folder) as shop:
        for name in _PEOPLE:
            shop.persons.add(name, PASSWORD, "viewer")
        nightly.queue(shop)
        for job in shop.jobs.list(status=JobStatus.QUEUED):
            shop.jobs.start(job.job_id)
            shop.jobs.finish(job.job_id)
        _, secret = shop.keys.create("bench", ("intake:write",), "server")
        span = shop.span()
        assert span is not None
        return secret, span.end


@contextmanager
def _serve(folder: Path) -> Iterator[Served]:
    """``shopkeeper serve`` with all its parts on free ports, as a user would run it."""
    command = [sys.executable, "-m", "shopkeeper.cli.main", "--shop", str(folder), "serve"]
    with subprocess.Popen(
        [*command, "--port", "0", "--console-port", "0"], stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        api = url = ""
        while not url:
            line = server.stdout.readline()
            assert line, "the server ended"
            if "serves" in line:
                api = "http://127.0.0.1:" + line.split("http://127.0.0.1:")[1].split()[0]
            elif "Console:" in line:
                url = line.split("Console:")[1].strip()
        threading.Thread(target=server.stdout.read, daemon=True).start()
        try:
            _wait(url)
            parts = psutil.Process(server.pid).children(recursive=True)
            [console] = [p for p in parts if "console" in p.cmdline()]
            yield Served(url, api, console)
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(60)


def _wait(url: str) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            httpx2.get(url + "/health", timeout=5)
        except httpx2.TransportError:
            assert time.monotonic() < deadline, "the console does not answer"
            time.sleep(0.1)
        else:
            return


@contextmanager
def _streaming(api: str, secret: str, day: date) -> Iterator[None]:
    """Events of the last day keep coming in."""
    stop = threading.Event()
    failed: list[str] = []

    def send() -> None:
        with httpx2.Client(base_url=api, timeout=30) as client:
            while not stop.wait(1.0):
                events = [_event(day) for _ in range(STREAM_PER_S)]
                head = {"Authorization": f"Bearer {secret}"}
                answer = client.post("/v1/batch", json={"batch": events}, headers=head)
                if answer.status_code != 200:
                    failed.append(answer.text)

    thread = threading.Thread(target=send)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
    assert not failed, failed[:1]


def _event(day: date) -> dict[str, Any]:
    who = secrets.randbelow(5000)
    return {
        "type": "track",
        "messageId": secrets.token_hex(12),
        "userId": f"live-{who}",
        "timestamp": f"{day}T04:{secrets.randbelow(60):02d}:{secrets.randbelow(60):02d}Z",
        "event": "Product Viewed",
        "properties": {"product_id": f"sku-{who % 400}"},
    }


def _browser(served: Served, day: date) -> list[Row]:
    paints: list[float] = []
    ready: list[float] = []
    periods: list[float] = []
    sheets: list[float] = []
    behind: list[float] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=_CHROMIUM,
            args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
        )
        _page(browser, served)  # as in the morning: somebody has looked before
        time.sleep(min(_SETTLED_S, EVENTS / 1e5))
        for _ in range(LOADS):
            page = _page(browser, served)
            paints.append(
                page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
            )
            ready.append(page.evaluate("window.ready"))
            page.context.close()
        page = _page(browser, served)
        for _ in range(ROUNDS):
            periods += [_period(page, f"Last {name}") for name in _PERIODS]
            opened = [_sheet(page, number) for number in range(4)]
            sheets += [value for value, _ in opened]
            behind += [rows for _, rows in opened]
        spans = [(timedelta(90 + 7 * n), timedelta(30 + 3 * n)) for n in range(ROUNDS)]
        uncached = [_dates(page, f"{day - first}..{day - last}") for first, last in spans]
        browser.close()
    both = [*periods, *sheets]
    slow = f"95th percentile {_p95(both):.0f} ms"
    return [
        Row.of("console.overview.first_paint_ms", paints, "ms", "nothing cached by the browser"),
        Row.of("console.overview.ready_ms", ready, "ms", "headline figures on the screen"),
        Row.of("console.overview.interaction_ms", both, "ms", slow),
        Row.of("console.overview.period_ms", periods, "ms", "another offered period"),
        Row.of("console.overview.figure_ms", sheets, "ms", "a figure and its meaning"),
        Row.of("console.overview.rows_ms", behind, "ms", "the first rows behind the figure"),
        Row.of("console.overview.uncached_ms", uncached, "ms", "dates nobody asked for yet"),
    ]


def _page(browser: Browser, served: Served) -> Page:
    """The overview in a fresh profile, with its figures; ``window.ready`` is when they were there."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, locale="en-GB")
    form: dict[str, str | float | bool] = {"name": _PEOPLE[0], "password": PASSWORD}
    answer = context.request.post(
        served.url + "/sign-in", form=form, headers={"Origin": served.url}, max_redirects=0
    )
    assert answer.status == 303, answer.text()
    page = context.new_page()
    page.add_init_script(
        "const look = () => document.querySelector('.card-value')"
        " ? window.ready = performance.now() : requestAnimationFrame(look); look()"
    )
    page.goto(served.url + "/")
    page.wait_for_function("window.ready")
    page.wait_for_function("!document.querySelector('.waiting, [aria-busy=true]')", timeout=120_000)
    page.wait_for_timeout(1_000)
    return page


def _period(page: Page, name: str) -> float:
    page.get_by_label("Period").click()
    option = page.get_by_role("option", name=name)
    option.wait_for()
    page.wait_for_timeout(400)  # the menu has opened
    return _clicked(page, option, ".card-value")


def _sheet(page: Page, number: int) -> tuple[float, float]:
    """Milliseconds until the figure stands there, and until its rows do."""
    page.evaluate(_OBSERVE.replace("window.seen", "window.rows"), ".sheet td")
    took = _clicked(page, page.locator(".card").nth(number), ".sheet-value")
    rows = float(page.evaluate("window.rows"))
    page.keyboard.press("Escape")
    page.locator(".sheet").wait_for(state="detached")
    page.wait_for_timeout(500)
    return took, rows


def _dates(page: Page, dates: str) -> float:
    page.get_by_label("Period").click()
    page.get_by_role("option", name="Other dates").click()
    page.get_by_role("textbox", name="Dates").fill(dates)
    page.wait_for_timeout(400)
    page.evaluate(_OBSERVE, ".card-value")
    page.keyboard.press("Enter")
    took = float(page.evaluate("window.seen"))
    page.wait_for_function("!document.querySelector('.waiting, [aria-busy=true]')", timeout=120_000)
    return took


def _clicked(page: Page, what: Any, selector: str) -> float:
    """Milliseconds from the click, in the browser's own clock."""
    page.evaluate(_OBSERVE, selector)
    what.evaluate("one => one.click()")
    took = float(page.evaluate("window.seen"))
    page.wait_for_function("!document.querySelector('.waiting, [aria-busy=true]')", timeout=120_000)
    page.wait_for_timeout(600)
    return took


def _users(served: Served) -> list[Row]:
    """Fifty people in a process of their own; the console's memory meanwhile."""
    command = [
        "-m",
        "bench._console_users",
        served.url,
        ",".join(_PEOPLE),
        str(USERS),
        str(SECONDS),
    ]
    samples: list[tuple[float, float]] = []
    with subprocess.Popen([sys.executable, *command], stdout=subprocess.PIPE, text=True) as process:
        began = time.monotonic()
        while process.poll() is None:
            samples.append((time.monotonic() - began, served.console.memory_info().rss / 1e6))
            time.sleep(2.0)
        assert process.stdout is not None
        assert process.returncode == 0, "the load generator failed"
        told = json.loads(process.stdout.read())
    took = told["took_ms"]
    # Everybody has come in and looked around by then: what grows from there on is a leak.
    whole = samples[-1][0]
    early = [mb for at, mb in samples if 0.3 * whole <= at < 0.4 * whole]
    late = [mb for at, mb in samples if at >= 0.9 * whole]
    note = (
        f"{USERS} users, {len(took)} interactions in {SECONDS:.0f} s, {told['updates']} updates sent,"
        f" {told['lost']} connections lost"
    )
    unanswered = sum(one >= PATIENCE_S * 1000 for one in took)
    note += f", {unanswered} interactions unanswered after {PATIENCE_S:.0f} s"
    middle = statistics.median
    return [
        Row("console.50users.p95_ms", round(_p95(took), 1), min(took), max(took), "ms", note),
        Row.of("console.50users.median_ms", took, "ms", note),
        Row(
            "console.50users.growth_mb",
            round(middle(late) - middle(early), 1),
            round(min(late) - max(early), 1),
            round(max(late) - min(early), 1),
            "MB",
            "last tenth of the time against its fourth tenth",
        ),
        Row.of("console.50users.resident_mb", late, "MB", "console's process at the end"),
    ]


def _p95(values: list[float]) -> float:
    return statistics.quantiles(values, n=20)[-1]
