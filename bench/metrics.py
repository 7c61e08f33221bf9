"""Metrics over ten million simulated events: from raw events and from the daily rollup.

One run asks, in a fresh process and over the whole year: the headline figures of the last 180 days
beside those of the 180 days before (23 metrics with intervals), revenue by day, active customers by
week, revenue by country and retention cohorts; the raw run also the ordered funnel, which has no
rollup. ``seconds`` is all of that from raw events; ``rollup_seconds`` is the headline figures from
the rollup, which is what a dashboard waits for, and ``rollup_all_seconds`` all questions from it.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from bench.harness import Row, child, write
from bench.simulate import SEEDS, SHOPS, built

RUNS = 5


def ask(folder: str, raw: bool) -> None:
    """Answer once; prints the seconds by question as JSON."""
    from shopkeeper.core.operation import Context
    from shopkeeper.core.period import Period
    from shopkeeper.metrics.breakdown import breakdown
    from shopkeeper.metrics.funnel import funnel
    from shopkeeper.metrics.overview import overview
    from shopkeeper.metrics.retention import retention
    from shopkeeper.metrics.series import series
    from shopkeeper.shop import Shop

    everything, half = Period("all"), Period("180d")
    with Shop.open(folder) as shop:
        ctx = Context(shop)
        questions: dict[str, Callable[[], object]] = {
            "overview": lambda: overview(ctx, half, raw=raw),
            "revenue by day": lambda: series(
                ctx, ("revenue", "margin"), everything, "day", raw=raw
            ),
            "active by week": lambda: series(
                ctx, ("active_customers",), everything, "week", raw=raw
            ),
            "revenue by country": lambda: breakdown(ctx, "revenue", "country", everything, raw=raw),
            "retention": lambda: retention(ctx, everything, "month", "purchase", raw=raw),
        }
        if raw:
            from shopkeeper.core.events import FUNNEL

            questions["funnel"] = lambda: funnel(ctx, everything, FUNNEL)
        seconds = {}
        for name, question in questions.items():
            started = time.perf_counter()
            question()
            seconds[name] = round(time.perf_counter() - started, 3)
    print(json.dumps(seconds))


def main() -> None:
    """Measure and record."""
    folder = SHOPS / f"10m-{SEEDS[-1]}"
    if not (folder / "truth").exists():
        folder, _, _ = built(SEEDS[-1])
    rows = [*_measured(folder, "raw"), *_measured(folder, "rollup")]
    write("metrics", rows, data="simulated, 10 million events", seeds=[SEEDS[-1]])


def _measured(folder: Path, mode: str) -> list[Row]:
    runs: list[dict[str, float]] = []
    peaks = []
    for _ in range(RUNS):
        done = child(["-m", "bench.metrics", str(folder), mode])
        runs.append(json.loads(done.output))
        peaks.append(done.peak_mb)
    totals = [sum(run.values()) for run in runs]
    parts = ", ".join(f"{name} {median(r[name] for r in runs):.2f} s" for name in runs[0])
    if mode == "raw":
        return [
            Row.of("metrics.10m.seconds", totals, "s", f"six questions: {parts}"),
            Row.of("metrics.10m.peak_mb", peaks, "MB", "whole process"),
        ]
    headline = [run["overview"] for run in runs]
    return [
        Row.of(
            "metrics.10m.rollup_seconds", headline, "s", "23 headline figures, 180 days beside 180"
        ),
        Row.of("metrics.10m.rollup_all_seconds", totals, "s", f"five questions: {parts}"),
        Row.of("metrics.10m.rollup_peak_mb", peaks, "MB", "whole process"),
    ]


if __name__ == "__main__":
    ask(sys.argv[1], sys.argv[2] == "raw")
