"""Arrow forms of the tables in ``core.schema``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

import pyarrow as pa

from shopkeeper.core.errors import BadInput
from shopkeeper.core.schema import Table

_TYPES: dict[str, pa.DataType] = {
    "string": pa.string(),
    "int64": pa.int64(),
    "float64": pa.float64(),
    "bool": pa.bool_(),
    "timestamp": pa.timestamp("us", tz="UTC"),
    "date": pa.date32(),
    "map": pa.map_(pa.string(), pa.string()),
}


@cache
def arrow_schema(table: Table) -> pa.Schema:
    """The table's Arrow schema, columns in declared order."""
    return pa.schema(
        [pa.field(c.name, _TYPES[c.type], nullable=not c.required) for c in table.columns]
    )


def conform(data: pa.Table | pa.RecordBatch, table: Table) -> pa.Table:
    """``data`` with exactly the table's columns, in order; absent optional ones become null.

    Raises:
        BadInput: a column is unknown, has another type, or is required and missing or null.
    """
    given = pa.Table.from_batches([data]) if isinstance(data, pa.RecordBatch) else data
    schema = arrow_schema(table)
    unknown = [name for name in given.column_names if name not in schema.names]
    if unknown:
        raise BadInput(f"{table.name} has no column {unknown[0]!r}.", field=unknown[0])
    columns = [_column(given, field, table.name) for field in schema]
    return pa.Table.from_arrays(columns, schema=schema)


def _column(given: pa.Table, field: pa.Field, table: str) -> pa.ChunkedArray | pa.Array:
    if field.name not in given.column_names:
        if not field.nullable:
            raise BadInput(f"{table} needs the column {field.name!r}.", field=field.name)
        return pa.nulls(given.num_rows, field.type)
    column = given.column(field.name)
    if not field.nullable and column.null_count:
        raise BadInput(
            f"{table}.{field.name} is empty in {column.null_count} rows.", field=field.name
        )
    if column.type == field.type:
        return column
    try:
        return column.cast(field.type)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise BadInput(f"{table}.{field.name}: {error}", field=field.name) from error


def from_rows(rows: Iterable[Mapping[str, Any]], table: Table) -> pa.Table:
    """The rows (one mapping each, absent keys null) as a table of this schema.

    Timestamps may be integers: microseconds since 1970, UTC. Dates may be ISO text.
    """
    listed = list(rows)
    columns = [_array([row.get(c.name) for row in listed], c.type) for c in table.columns]
    return pa.Table.from_arrays(columns, schema=arrow_schema(table))


def _array(values: list[Any], kind: str) -> pa.Array:
    target = _TYPES[kind]
    first = next((v for v in values if v is not None), None)
    if kind == "timestamp" and isinstance(first, int):
        return pa.array(values, pa.int64()).cast(pa.timestamp("us")).cast(target)
    if kind == "date" and isinstance(first, str):
        return pa.array(values, pa.string()).cast(target)
    if kind == "map":
        return pa.array([v if v is None else list(v.items()) for v in values], target)
    return pa.array(values, target)
