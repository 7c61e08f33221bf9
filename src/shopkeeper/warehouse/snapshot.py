"""Copies of the store's current rows in the tables, with the time from and to which each held."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from shopkeeper.core.schema import TABLES
from shopkeeper.warehouse.arrow import arrow_schema, from_rows
from shopkeeper.warehouse.delta import FileWriter
from shopkeeper.warehouse.warehouse import Warehouse

_VALIDITY = ("valid_from", "valid_to")


def store_snapshot(
    warehouse: Warehouse,
    name: str,
    rows: Iterable[Mapping[str, Any]],
    now: datetime,
    *,
    cursor: tuple[str, int] | None = None,
) -> int:
    """Close rows that changed or went, open new ones as of ``now``; returns how many of either.

    ``cursor`` is a source and its position that these rows show; it is kept with them.
    """
    table = TABLES[name]
    schema = arrow_schema(table)
    dated = "valid_from" in schema.names
    stamp = int(now.timestamp() * 1_000_000)
    current = from_rows(({"valid_from": stamp, **row} for row in rows), table)
    stored = _stored(warehouse, name)
    is_open = (
        pc.is_null(stored["valid_to"]) if dated else pa.array([True] * stored.num_rows, pa.bool_())
    )
    closed, opened = stored.filter(pc.invert(is_open)), stored.filter(is_open)
    compared = [c for c in schema.names if c not in _VALIDITY]
    before, after = _fingerprints(opened, compared), _fingerprints(current, compared)
    known, wanted = set(before), set(after)
    gone = pa.array([f not in wanted for f in before], pa.bool_())
    fresh = pa.array([f not in known for f in after], pa.bool_())
    changes = pc.sum(gone).as_py() or 0
    changes += pc.sum(fresh).as_py() or 0
    delta = warehouse.tables[name]
    if cursor and cursor[1] <= delta.position(cursor[0]):
        cursor = None
    if not changes:
        if cursor:
            delta.commit([], cursor=cursor)
        return 0
    ended = opened.filter(gone)
    if dated:
        moment = pa.array([now] * ended.num_rows, schema.field("valid_to").type)
        ended = ended.set_column(schema.get_field_index("valid_to"), "valid_to", moment)
    else:
        ended = ended.slice(0, 0)
    files = FileWriter(delta)
    files.add(
        pa.concat_tables([closed, ended, opened.filter(pc.invert(gone)), current.filter(fresh)])
    )
    delta.commit(files.finish(), cursor=cursor, replace="all")
    return int(changes)


def _stored(warehouse: Warehouse, name: str) -> pa.Table:
    snapshot = warehouse.tables[name].snapshot()
    schema = arrow_schema(TABLES[name])
    if snapshot is None or not snapshot.files:
        return schema.empty_table()
    with warehouse.connection() as connection:
        relation = connection.read_parquet(snapshot.uris()).select(*schema.names)
        return relation.to_arrow_table().cast(schema)


def _fingerprints(rows: pa.Table, columns: list[str]) -> list[int]:
    """A hash of each row's content, in order."""
    listed = (rows.column(c).to_pylist() for c in columns)
    return [hash(tuple(_plain(v) for v in row)) for row in zip(*listed, strict=True)]


def _plain(value: Any) -> Any:
    return tuple(sorted(value)) if isinstance(value, list) else value
