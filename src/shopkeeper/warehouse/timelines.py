"""Events by sender: a copy of the closed days, so that one customer's whole past is read at once.

The tables hold events by day: one customer's are spread over all of them. Here they lie in 256 buckets
of senders, as Parquet files on the local disk. It is a copy that may be old or missing: each day is kept
with the stamp of the events it was made of, and whoever reads takes the days whose stamp has changed,
and those that are not there, from the tables themselves.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Collection, Sequence
from datetime import date
from pathlib import Path

import pyarrow as pa

from shopkeeper.core.schema import EVENTS
from shopkeeper.warehouse.arrow import arrow_schema
from shopkeeper.warehouse.warehouse import Warehouse

FOLDER = "timelines"
COLUMNS = (
    *("user_id", "anonymous_id", "name", "time", "day", "item_id", "quantity", "price", "value"),
    *("order_id", "session_id", "channel"),
)
_BUCKETS = 256
_SENT = "coalesce(user_id, anonymous_id)"
_BUCKET = f"CAST(hash({_SENT}) % {_BUCKETS} AS INTEGER)"
_MARKS = "days.json"


class Timelines:
    """The copy in ``folder``; made and read by DuckDB, whatever engine runs the queries."""

    def __init__(self, warehouse: Warehouse, folder: Path) -> None:
        self._warehouse = warehouse
        self.folder = folder

    def build(self) -> int:
        """Make the copy anew where a day has changed, of all days but the last; the number of days."""
        snapshot = self._warehouse.tables[EVENTS.name].snapshot()
        stamps = snapshot.stamps() if snapshot else {}
        closed = {day: stamps[day] for day in sorted(stamps)[:-1]}
        if snapshot is None or not closed or closed == self.days():
            return 0
        fresh = self.folder.with_name(f"{FOLDER}.fresh")
        shutil.rmtree(fresh, ignore_errors=True)
        columns = ", ".join(COLUMNS)
        query = (
            f"COPY (SELECT {columns}, epoch_us(time) // 1000 AS time_ms, {_BUCKET} AS bucket "  # noqa: S608
            f"FROM read_parquet($files, hive_partitioning = true) WHERE {_SENT} IS NOT NULL) "
            "TO '{}' (FORMAT parquet, COMPRESSION zstd, PARTITION_BY (bucket))"
        )
        fresh.mkdir(parents=True, mode=0o700)
        with self._warehouse.connection() as connection:
            target = str(fresh / "rows").replace("'", "''")
            connection.execute(query.format(target), {"files": snapshot.uris(closed)})
        marks = {day.isoformat(): stamp for day, stamp in closed.items()}
        (fresh / _MARKS).write_text(json.dumps(marks), "utf-8")
        self.drop()
        fresh.rename(self.folder)
        return len(closed)

    def days(self) -> dict[date, str]:
        """The days in the copy, each with the stamp of what it was made of."""
        path = self.folder / _MARKS
        if not path.exists():
            return {}
        return {date.fromisoformat(d): s for d, s in json.loads(path.read_text("utf-8")).items()}

    def fresh_days(self) -> tuple[set[date], set[date]]:
        """Days that the copy still tells rightly, and days that must be read from the tables."""
        snapshot = self._warehouse.tables[EVENTS.name].snapshot()
        stamps = snapshot.stamps() if snapshot else {}
        known = self.days()
        same = {day for day, stamp in stamps.items() if known.get(day) == stamp}
        return same, set(stamps) - same

    def read(self, sent_ids: Sequence[str], stale: Collection[date]) -> pa.Table:
        """The copy's events of these senders, without those of ``stale`` days."""
        with self._warehouse.connection() as connection:
            ids = pa.table({"id": pa.array(sent_ids, pa.string())})
            connection.register("wanted", ids)
            place_of = f"CAST(hash(id) % {_BUCKETS} AS INTEGER)"
            places = connection.sql(f"SELECT DISTINCT {place_of} FROM wanted")  # noqa: S608
            files = [
                str(file)
                for (place,) in places.fetchall()
                for file in sorted((self.folder / "rows" / f"bucket={place}").glob("*.parquet"))
            ]
            if not files:
                return empty()
            columns = ", ".join((*COLUMNS, "time_ms"))
            query = (
                f"SELECT {columns} FROM read_parquet($files, hive_partitioning = false) "  # noqa: S608
                f"WHERE {_SENT} IN (SELECT unnest($ids)) AND day NOT IN (SELECT unnest($stale))"
            )
            values = {"files": files, "ids": list(sent_ids), "stale": list(stale)}
            return connection.sql(query, params=values).to_arrow_table().cast(empty().schema)

    def drop(self) -> bool:
        """Remove the copy; whether there was one."""
        there = self.folder.exists()
        shutil.rmtree(self.folder, ignore_errors=True)
        return there


def empty() -> pa.Table:
    """No event, with the copy's columns."""
    schema = arrow_schema(EVENTS)
    fields = [schema.field(name).with_nullable(True) for name in COLUMNS]
    return pa.schema([*fields, pa.field("time_ms", pa.int64())]).empty_table()
