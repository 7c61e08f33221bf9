"""Import UCI Online Retail (541,909 lines, Parquet) into clean tables, by the command people run."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from bench.harness import DATA, Row, child, write

LINES = 541_909
RUNS = 5


def main() -> None:
    """Measure and record; the time is that of the whole command, with its start."""
    file = DATA / "online-retail" / "online_retail.parquet"
    if not file.exists():
        raise SystemExit(f"The data set online-retail is absent: {file}")
    seconds, peaks = [], []
    for _ in range(RUNS):
        folder = Path(tempfile.mkdtemp(prefix="bench-import-"))
        cli = ["-m", "shopkeeper.cli.main", "--shop", str(folder / "shop")]
        child(
            [*cli, "init", "--name", "retail", "--time-zone", "Europe/London", "--currency", "GBP"]
        )
        done = child([*cli, "import", str(file), "--mapping", "online-retail"])
        seconds.append(done.seconds)
        peaks.append(done.peak_mb)
        shutil.rmtree(folder)
    rates = [LINES / s for s in seconds]
    rows = [
        Row.of(
            "import.online_retail.rows_per_s",
            rates,
            "rows/s",
            "whole command: events, items, customers, rollup",
        ),
        Row.of("import.online_retail.peak_mb", peaks, "MB"),
    ]
    write("online_retail", rows, data="UCI Online Retail, 541,909 lines")
