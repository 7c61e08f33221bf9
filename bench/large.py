"""Metrics and report over a hundred million simulated events, beside the same over ten million.

One run asks for the headline figures, revenue by day, active customers by week, revenue by country,
retention (from the rollup) and the ordered funnel, and then makes the report, each in a fresh process
that begins with nothing in memory. ``report.100m.seconds`` is all of that; ``per_event_ratio`` is its time
per event over that at ten million, measured here as well. Building the large shop is told beside it. It
needs about 8 GB of disk and, with its build, some twenty minutes.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from bench.harness import Row, child, write
from bench.simulate import SEEDS, SHOPS

EVENTS = (10_000_000, int(os.environ.get("SHOPKEEPER_BENCH_LARGE", "100_000_000")))
RUNS = 3


def ask(folder: str) -> None:
    """Answer every question once and make the report; prints the seconds by part as JSON."""
    from shopkeeper.core.events import FUNNEL
    from shopkeeper.core.operation import Context
    from shopkeeper.core.period import Period
    from shopkeeper.metrics.operations import breakdown, funnel, overview, retention, series
    from shopkeeper.report.operations import run
    from shopkeeper.shop import Shop

    everything = Period("all")
    with Shop.open(folder) as shop:
        ctx = Context(shop)
        parts: dict[str, Callable[[], object]] = {
            "overview": lambda: overview(ctx, since=Period("180d")),
            "revenue by day": lambda: series(
                ctx, metrics=("revenue", "margin"), since=everything, cycle="day"
            ),
            "active by week": lambda: series(
                ctx, metrics=("active_customers",), since=everything, cycle="week"
            ),
            "revenue by country": lambda: breakdown(
                ctx, metric="revenue", by="country", since=everything
            ),
            "retention": lambda: retention(ctx),
            "funnel": lambda: funnel(ctx, since=everything, steps=FUNNEL),
            "report": lambda: run(ctx, lang="en"),
        }
        seconds = {}
        for name, part in parts.items():
            started = time.perf_counter()
            part()
            seconds[name] = round(time.perf_counter() - started, 3)
        counted = shop.warehouse.tables["events"].snapshot()
        events = sum(counted.rows().values()) if counted else 0
    print(json.dumps({"seconds": seconds, "events": events}))


def main() -> None:
    """Measure and record; the large shop is removed afterwards."""
    small, large = (_measured(events) for events in EVENTS)
    name = f"report.{_short(EVENTS[1])}"
    least, most = (
        min(large.each) / max(small.each),
        max(large.each) / min(small.each),
    )
    rows = [
        Row.of(f"{name}.seconds", large.seconds, "s", large.told),
        Row.of(f"{name}.peak_mb", large.peaks, "MB", "whole process"),
        Row(
            f"{name}.per_event_ratio",
            round(median(large.each) / median(small.each), 4),
            round(least, 4),
            round(most, 4),
            "",
            f"time per event beside that at {small.events:,} events; "
            "least and greatest of all pairs of runs",
        ),
        Row.of(f"report.{_short(EVENTS[0])}.seconds", small.seconds, "s", small.told),
        Row.of(f"report.{_short(EVENTS[0])}.peak_mb", small.peaks, "MB", "whole process"),
        Row.of(f"simulate.{_short(EVENTS[1])}.seconds", [large.build[0]], "s", large.size),
        Row.of(f"simulate.{_short(EVENTS[1])}.peak_mb", [large.build[1]], "MB", "whole process"),
    ]
    data = f"simulated, {large.events:,} and {small.events:,} events"
    write("large", rows, data=data, seeds=[SEEDS[-1]])


class _Measured:
    """The runs over one shop."""

    def __init__(self, events: int, build: tuple[float, float], size: str) -> None:
        self.asked_for = events
        self.build = build
        self.size = size
        self.events = 0
        self.seconds: list[float] = []
        self.peaks: list[float] = []
        self.parts: list[dict[str, float]] = []

    @property
    def each(self) -> list[float]:
        """Seconds per event of each run."""
        return [seconds / self.events for seconds in self.seconds]

    @property
    def told(self) -> str:
        """What each part took."""
        names = self.parts[0]
        return ", ".join(f"{n} {median(part[n] for part in self.parts):.1f} s" for n in names)

    def run(self, folder: Path) -> None:
        """One run in a fresh process."""
        done = child(["-m", "bench.large", str(folder)])
        told = json.loads(done.output)
        self.events = told["events"]
        self.parts.append(told["seconds"])
        self.seconds.append(sum(told["seconds"].values()))
        self.peaks.append(done.peak_mb)


def _measured(events: int) -> _Measured:
    folder = SHOPS / f"large-{_short(events)}"
    shutil.rmtree(folder, ignore_errors=True)
    cli = ["-m", "shopkeeper.cli.main", "--shop", str(folder)]
    child([*cli, "init", "--name", "bench", "--time-zone", "Asia/Shanghai", "--currency", "CNY"])
    seed = str(SEEDS[-1])
    made = child([*cli, "simulate", "build", "--events", str(events), "--seed", seed])
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    found = _Measured(events, (made.seconds, made.peak_mb), f"{size / 1e9:.1f} GB on disk")
    try:
        for _ in range(RUNS):
            found.run(folder)
    finally:
        shutil.rmtree(folder)
    return found


def _short(events: int) -> str:
    return f"{events // 1_000_000}m"


if __name__ == "__main__":
    ask(sys.argv[1])
