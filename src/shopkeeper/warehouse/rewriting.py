"""Rewrites days of a table, and deletes what the tables do not need any more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import duckdb
import pyarrow as pa
from deltalake.transaction import AddAction

from shopkeeper.core.schema import DAILY, EVENTS, READINGS, TEXTS
from shopkeeper.warehouse.arrow import conform
from shopkeeper.warehouse.delta import Delta, FileWriter
from shopkeeper.warehouse.warehouse import Warehouse

DAYS_AT_ONCE = 30


def counted(warehouse: Warehouse, name: str, condition: str) -> int:
    """How many rows of a table are such."""
    delta = warehouse.tables[name]
    snapshot = delta.snapshot()
    if snapshot is None or not snapshot.files:
        return 0
    flag = "true" if delta.table.partition else "false"
    source = f"read_parquet($files, hive_partitioning = {flag})"
    query = f"SELECT count(*) FROM {source} WHERE {condition}"  # noqa: S608
    with warehouse.connection() as connection:
        row = connection.execute(query, {"files": snapshot.uris()}).fetchone()
        return int(row[0]) if row else 0


def rewritten(warehouse: Warehouse, name: str, condition: str, columns: Mapping[str, str]) -> int:
    """Rewrite the days that have such rows: with these columns in place or, if none, without the rows."""
    delta = warehouse.tables[name]
    snapshot = delta.snapshot()
    if snapshot is None or not snapshot.files:
        return 0
    day, flag, order = ("day", "true", "day, time") if delta.table.partition else (
        "NULL::DATE", "false", "time")  # fmt: skip
    source = f"read_parquet($files, hive_partitioning = {flag})"
    told = ", ".join(f"{columns.get(c.name, c.name)} AS {c.name}" for c in delta.table)
    kept = "" if columns else f"WHERE NOT coalesce({condition}, false)"
    with warehouse.connection() as connection:
        counted = f"SELECT {day}, count(*) FROM {source} WHERE {condition} GROUP BY 1 ORDER BY 1"  # noqa: S608
        found = connection.execute(counted, {"files": snapshot.uris()}).fetchall()
        days = [day for day, _ in found]
        for start in range(0, len(days), DAYS_AT_ONCE):
            page = days[start : start + DAYS_AT_ONCE] if delta.table.partition else None
            query = f"SELECT {told} FROM {source} {kept} ORDER BY {order}"  # noqa: S608
            left = connection.sql(query, params={"files": snapshot.uris(page)})
            commit(warehouse, delta, left, page)
        return sum(count for _, count in found)


def without_text(warehouse: Warehouse) -> int:
    """Remove the readings of texts that are no longer there; how many."""
    texts, readings = (warehouse.tables[name].snapshot() for name in (TEXTS.name, READINGS.name))
    if readings is None or not readings.files:
        return 0
    kept = "SELECT NULL::VARCHAR AS text_id WHERE false"
    if texts is not None and texts.files:
        listed = ", ".join("'" + uri.replace("'", "''") + "'" for uri in texts.uris())
        kept = f"SELECT text_id FROM read_parquet([{listed}])"  # noqa: S608
    return rewritten(warehouse, READINGS.name, f"text_id NOT IN ({kept})", {})


def commit(
    warehouse: Warehouse,
    delta: Delta,
    rows_left: duckdb.DuckDBPyRelation,
    days: Sequence[date] | None,
) -> None:
    """Put these rows in the place of those days, or without days in the place of all."""
    files = FileWriter(delta)
    for batch in rows_left.to_arrow_reader(100_000):
        files.add(conform(pa.Table.from_batches([batch]), delta.table))
    written = files.finish()
    if days is None:
        delta.commit(written, replace="all")
    else:
        replace_days(warehouse, delta, written, days)


def replace_days(
    warehouse: Warehouse, delta: Delta, written: Sequence[AddAction], days: Sequence[date]
) -> None:
    """Make these files all that there is of those days.

    The rollup of such days goes before: until the writer's next maintenance they are computed from their
    events, so an answer is never old, only slower.
    """
    if delta.table is EVENTS:
        warehouse.tables[DAILY.name].drop_days(days)
    left = {date.fromisoformat(str(file.partition_values["day"])) for file in written}
    if written:
        delta.commit(written, replace="days")
    delta.drop_days([day for day in days if day not in left])


def clear(warehouse: Warehouse) -> None:
    """Delete every file and log entry that the current versions do not need: time travel ends here."""
    for delta in warehouse.tables.values():
        delta.clear()
