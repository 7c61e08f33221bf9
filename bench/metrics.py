"""Metrics over ten million simulated events: from raw events and from the daily rollup.

One run asks, in a fresh process, for what the console's overview needs: the headline figures with
the period before, revenue by day, active customers by week, revenue by country and retention
cohorts, over the whole year; the raw run also the ordered funnel, which has no rollup.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

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
    rows = [*_measured(folder, "raw", "seconds"), *_measured(folder, "rollup", "rollup_seconds")]
    write("metrics", rows, data="simulated, 10 million events", seeds=[SEEDS[-1]])


def _measured(folder: Path, mode: str, suffix: str) -> list[Row]:
    totals, peaks = [], []
    parts: dict[str, float] = {}
    for _ in range(RUNS):
        done = child(["-m", "bench.metrics", str(folder), mode])
        parts = json.loads(done.output)
        totals.append(sum(parts.values()))
        peaks.append(done.peak_mb)
    note = ", ".join(f"{name} {value} s" for name, value in parts.items())
    rows = [Row.of(f"metrics.10m.{suffix}", totals, "s", f"all questions; last run: {note}")]
    peak = "peak_mb" if mode == "raw" else "rollup_peak_mb"
    return [*rows, Row.of(f"metrics.10m.{peak}", peaks, "MB", f"whole process, {mode}")]


if __name__ == "__main__":
    ask(sys.argv[1], sys.argv[2] == "raw")
