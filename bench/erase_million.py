"""Erasing one customer out of a million, from fifty million events: from the confirmation to the proof.

The shop is that of ``bench.know_segments``, with everybody's memberships, so that they are searched and
rewritten as well. The customer is one of the busiest with fewer than 400 events.
"""

from __future__ import annotations

import sys

from bench._segment_data import build
from bench.erase import measured
from bench.harness import child, write
from bench.know_segments import CUSTOMERS, EVENTS, SEEDS
from bench.simulate import SHOPS


def main(customers: int = CUSTOMERS, events: int = EVENTS) -> None:
    """Measure and record."""
    folder = SHOPS / f"segments-{customers}-{events}"
    if not folder.exists():
        build(folder, customers, events, SEEDS[0])
    if not (folder / "tables" / "memberships").exists():
        child(["-m", "bench.know_segments", "refresh", str(folder)])
    write(
        "erase_million",
        measured(folder, 1, "1m"),
        data=f"{customers:,} customers, {events:,} generated events",
        seeds=SEEDS[:1],
    )


if __name__ == "__main__":
    main(*(int(one) for one in sys.argv[1:]))
