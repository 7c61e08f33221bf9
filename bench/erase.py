"""Erasing customers from ten million simulated events, from the confirmation to the proof.

``seconds`` is one customer with about 400 events (the busiest have more), from the confirmed call to the
certificate: the plan compared once more, a search of everything, the removal, the search again. The
simulated truth beside the tables, which a real shop has not, is searched and cleaned as well.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
import time
from pathlib import Path

import narwhals as nw

from bench.harness import Row, child, write
from bench.simulate import SEEDS, SHOPS, built

RUNS = 3
BATCH = 20


def erase(folder: str, customers: int) -> None:
    """Erase that many customers in one pass; prints the seconds and whether it was clean."""
    from shopkeeper.governance.operations import erase as operation
    from shopkeeper.shop import Shop

    with Shop.open(folder) as shop:
        counts = shop.query(
            lambda source: (
                source.events()
                .group_by("customer_id")
                .agg(events=nw.len())
                .filter(~nw.col("customer_id").is_null(), nw.col("events") < 400)
            )
        )
        busiest = counts.sort_by([("events", "descending"), ("customer_id", "ascending")])
        who = busiest["customer_id"].slice(0, customers).to_pylist()
        asked = operation(shop, who).plan
        assert asked is not None
        started = time.perf_counter()
        done = operation(shop, who, confirm=asked.hash).certificate
        seconds = time.perf_counter() - started
        assert done is not None
        assert done.clean
        removed = sum(one.places for one in done.removed if one.where == "tables/events")
    print(json.dumps({"seconds": round(seconds, 2), "removed": removed}))


def main() -> None:
    """Measure and record."""
    folder = SHOPS / f"10m-{SEEDS[-1]}"
    if not (folder / "truth").exists():
        folder, _, _ = built(SEEDS[-1])
    rows = [*measured(folder, 1, "10m"), *measured(folder, BATCH, f"10m_{BATCH}")]
    write("erase", rows, data="simulated, 10 million events", seeds=[SEEDS[-1]])


def measured(folder: Path, customers: int, name: str) -> list[Row]:
    """The rows of erasing so many customers of a shop, each time of a fresh copy of it."""
    seconds, peaks, removed = [], [], 0
    for _ in range(RUNS):
        with tempfile.TemporaryDirectory(dir=SHOPS) as place:
            copy = shutil.copytree(folder, Path(place) / "shop")
            done = child(["-m", "bench.erase", str(copy), str(customers)])
        told = json.loads(done.output)
        seconds.append(told["seconds"])
        removed = told["removed"]
        peaks.append(done.peak_mb)
    note = f"{customers} of the busiest customers, {removed} events"
    return [
        Row.of(f"erase.{name}.seconds", seconds, "s", note),
        Row.of(f"erase.{name}.peak_mb", peaks, "MB", "whole process"),
    ]


if __name__ == "__main__":
    erase(sys.argv[1], int(sys.argv[2]))
