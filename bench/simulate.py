"""How long ten million simulated events take: generated, written to the tables, rolled up."""

from __future__ import annotations

import shutil
from pathlib import Path

from bench.harness import HERE, Row, child, write

EVENTS = 10_000_000
SEEDS = (1, 2, 3)
SHOPS = HERE.parent / "build" / "bench"


def built(seed: int) -> tuple[Path, float, float]:
    """A shop of ten million events, made anew: its folder, the seconds, the peak in megabytes."""
    folder = SHOPS / f"10m-{seed}"
    shutil.rmtree(folder, ignore_errors=True)
    cli = ["-m", "shopkeeper.cli.main", "--shop", str(folder)]
    child([*cli, "init", "--name", "bench", "--time-zone", "Asia/Shanghai", "--currency", "CNY"])
    made = child([*cli, "simulate", "build", "--events", str(EVENTS), "--seed", str(seed)])
    return folder, made.seconds, made.peak_mb


def main() -> None:
    """Measure and record; the last shop stays for the benchmark of metrics."""
    runs = []
    for seed in SEEDS:
        folder, seconds, peak = built(seed)
        runs.append((seconds, peak))
        if seed != SEEDS[-1]:
            shutil.rmtree(folder)
    rows = [
        Row.of(
            "simulate.10m.seconds",
            [s for s, _ in runs],
            "s",
            "whole command, tables and rollup written",
        ),
        Row.of("simulate.10m.peak_mb", [p for _, p in runs], "MB"),
    ]
    write("simulate", rows, data="simulated, 10 million events", seeds=SEEDS)
