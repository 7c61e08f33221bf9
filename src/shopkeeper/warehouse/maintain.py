"""Keeps what is derived from events up to date, and files few."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date

import pyarrow as pa

from shopkeeper.core.schema import DAILY
from shopkeeper.warehouse.arrow import conform
from shopkeeper.warehouse.delta import FileWriter
from shopkeeper.warehouse.rollup import AGGREGATES, KEYS, mark
from shopkeeper.warehouse.warehouse import Warehouse

_ROWS_AT_ONCE = 2_000_000  # about a month of a busy shop: bounds memory


def roll_up(warehouse: Warehouse) -> int:
    """Roll up again each day whose events changed; returns how many days that were."""
    events, rolled = warehouse.tables["events"].snapshot(), warehouse.tables["daily"].snapshot()
    if events is None:
        return 0
    marks = rolled.marks() if rolled else {}
    current = events.stamps()
    stale = sorted(day for day, stamp in current.items() if marks.get(day) != mark(stamp))
    roll(warehouse, stale)
    return len(stale)


def roll(warehouse: Warehouse, stale: Sequence[date]) -> None:
    """Roll up these days, which have events, whatever their rollup is."""
    events = warehouse.tables["events"].snapshot()
    if events is None:
        return
    current = events.stamps()
    for days in _portions(stale, events.rows()):
        with warehouse.connection() as connection:
            raw = connection.read_parquet(events.uris(days), hive_partitioning=True)
            sums = raw.aggregate(", ".join((*KEYS, *AGGREGATES)), ", ".join(KEYS))
            rows = sums.order("day, user_id, anonymous_id").to_arrow_table()
        stamps = pa.array([mark(current[day]) for day in rows["day"].to_pylist()], pa.string())
        files = FileWriter(warehouse.tables["daily"])
        files.add(conform(rows.append_column("stamp", stamps), DAILY))
        warehouse.tables["daily"].commit(files.finish(), replace="days")


def _portions(days: Iterable[date], rows: Mapping[date, int]) -> Iterator[list[date]]:
    """The days in lists of about as many rows as fit in memory at once, in order."""
    portion: list[date] = []
    total = 0
    for day in days:
        if portion and total + rows[day] > _ROWS_AT_ONCE:
            yield portion
            portion, total = [], 0
        portion.append(day)
        total += rows[day]
    if portion:
        yield portion


def compact(warehouse: Warehouse) -> int:
    """Join the small files of every table; returns how many days were joined."""
    return sum(delta.compact() for delta in warehouse.tables.values())
