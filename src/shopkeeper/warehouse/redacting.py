"""Rewrites the files of events that name customers: a few rows of each change, all others are copied.

Rows are never sorted or joined for it: a file is read, its few rows are replaced where they stood, and
it is written again with texts encoded as they were. Files of one day are all written anew, for a day is
replaced as a whole.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from shopkeeper.core.schema import EVENTS
from shopkeeper.warehouse.arrow import arrow_schema, conform
from shopkeeper.warehouse.cleaning import columns
from shopkeeper.warehouse.delta import DataFile, Delta, FileWriter, filesystem
from shopkeeper.warehouse.find import Rows
from shopkeeper.warehouse.mentions import Words
from shopkeeper.warehouse.rewriting import replace_days
from shopkeeper.warehouse.warehouse import Warehouse
from shopkeeper.warehouse.whose import joined

_ROWS_AT_ONCE = 300_000  # of a few files: memory that was just given back is quicker to take
_THREADS = min(8, os.cpu_count() or 1)
_PIECES = 1_000
_SHORT = 4  # bytes a row: a column of such texts is a dictionary
_BECAME = """CASE WHEN mine AND kept AND (keeps OR time >= $keep) THEN 'kept'
    WHEN mine AND kept THEN 'anonymised' WHEN mine THEN 'removed' WHEN named THEN 'cleaned' END"""
_REPLACED = pa.array(["kept", "anonymised", "cleaned"])


def redact(
    warehouse: Warehouse,
    connection: duckdb.DuckDBPyConnection,
    hits: Mapping[str, Rows],
    words: Words,
    keep_from: datetime,
) -> Counter[str]:
    """Rewrite the files with these rows, all in one commit; how many were removed, kept and so on.

    ``hits`` are, by the file's address, the numbers of rows that may be the customers' or name them;
    ``connection`` is one of :func:`~shopkeeper.warehouse.whose.prepared`.
    """
    delta = warehouse.tables[EVENTS.name]
    snapshot = delta.snapshot()
    every = snapshot.files if snapshot else ()
    days = sorted({file.day for file in every if file.day and len(hits.get(file.uri, ()))})
    counts: Counter[str] = Counter()
    if not days:
        return counts
    wanted = frozenset(days)
    query = (
        f"SELECT file_place, file_row, {_BECAME} AS became, {columns(delta, words)} "  # noqa: S608
        f"FROM ({joined(delta, words, 'given_rows')}) ORDER BY file_place, file_row"
    )
    values: dict[str, Any] = {"keep": keep_from}
    if "$pattern" in query:
        values["pattern"] = words.pattern
    writer = FileWriter(delta)
    with ThreadPoolExecutor(_THREADS) as pool:
        for files in _portions([file for file in every if file.day in wanted]):
            tables = list(pool.map(lambda file: _read(delta, file), files))
            rows = [hits.get(file.uri, np.empty(0, np.int64)) for file in files]
            connection.register("given_rows", _given(tables, rows, files))
            told = connection.sql(query, params=values).to_arrow_table()
            connection.unregister("given_rows")
            told = told.filter(pc.is_valid(told["became"]))
            counts.update(told["became"].to_pylist())
            left = [_replaced(table, told, place) for place, table in enumerate(tables)]
            some = [(file.day, rest) for file, rest in zip(files, left, strict=True) if len(rest)]
            list(pool.map(lambda put: writer.put(*put), some))
    replace_days(warehouse, delta, writer.finish(), days)
    return counts


def _portions(files: Sequence[DataFile]) -> Iterator[list[DataFile]]:
    portion: list[DataFile] = []
    for file in files:
        if portion and sum(one.rows for one in portion) + file.rows > _ROWS_AT_ONCE:
            yield portion
            portion = []
        portion.append(file)
    if portion:
        yield portion


def _read(delta: Delta, file: DataFile) -> pa.Table:
    """A file without the column of its day, which its folder says; repeated texts as dictionaries."""
    files, base = filesystem(delta.uri)
    with files.open_input_file(base + file.uri.removeprefix(delta.uri)) as stream:
        known = pq.ParquetFile(stream).metadata
        opened = pq.ParquetFile(stream, metadata=known, read_dictionary=_repeating(known))
        data = opened.read(use_threads=False)
    wanted = [field for field in arrow_schema(delta.table) if field.name != delta.table.partition]
    return pa.Table.from_arrays(
        [_column(data, field) for field in wanted], names=[field.name for field in wanted]
    )


def _repeating(known: pq.FileMetaData) -> list[str]:
    groups = [known.row_group(number) for number in range(known.num_row_groups)]
    sizes: Counter[str] = Counter()
    for group in groups:
        for number in range(group.num_columns):
            chunk = group.column(number)
            if chunk.physical_type == "BYTE_ARRAY" and "." not in chunk.path_in_schema:
                sizes[chunk.path_in_schema] += chunk.total_uncompressed_size
    return [name for name, size in sizes.items() if size < _SHORT * known.num_rows]


def _column(data: pa.Table, field: pa.Field) -> pa.ChunkedArray | pa.Array:
    if field.name not in data.column_names:
        return pa.nulls(data.num_rows, field.type)
    column = data.column(field.name)
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    return column if kind == field.type else column.cast(field.type)


def _given(tables: Sequence[pa.Table], rows: Sequence[Rows], files: Sequence[DataFile]) -> pa.Table:
    """The rows in question of all these files, each with its place."""
    found = []
    for place, (table, numbers, file) in enumerate(zip(tables, rows, files, strict=True)):
        asked = table.take(pa.array(numbers)).append_column(
            "day", pa.array([file.day] * len(numbers), pa.date32())
        )
        asked = conform(asked, EVENTS)
        asked = asked.append_column("file_place", pa.array([place] * len(numbers), pa.int64()))
        found.append(asked.append_column("file_row", pa.array(numbers, pa.int64())))
    return pa.concat_tables(found)


def _replaced(table: pa.Table, told: pa.Table, place: int) -> pa.Table:
    """The file's rows, those in question as they have become or gone."""
    mine = told.filter(pc.equal(told["file_place"], place))
    if not mine.num_rows:
        return table
    stays = mine.filter(pc.is_in(mine["became"], _REPLACED))
    fresh = conform(stays.select(EVENTS.names), EVENTS).select(table.column_names)
    whole = pa.concat_tables([table, fresh.cast(table.schema)]).unify_dictionaries()
    order = np.arange(table.num_rows)
    order[stays["file_row"].to_numpy()] = np.arange(stays.num_rows) + table.num_rows
    gone = mine.filter(pc.equal(mine["became"], "removed"))
    order = np.delete(order, gone["file_row"].to_numpy())
    if not len(order):
        return table.slice(0, 0)
    starts = np.flatnonzero(np.diff(order) != 1) + 1
    if len(starts) > _PIECES:
        left = whole.take(pa.array(order))
    else:
        pieces = np.split(order, starts)
        left = pa.concat_tables([whole.slice(int(one[0]), len(one)) for one in pieces])
    return pa.Table.from_arrays([_used(column) for column in left.columns], left.column_names)


def _used(column: pa.ChunkedArray) -> pa.ChunkedArray | pa.Array:
    """The column; a dictionary without the texts that no row has any more: they would be written too."""
    if not pa.types.is_dictionary(column.type):
        return column
    whole = column.combine_chunks()
    codes = whole.indices
    used = np.isin(np.arange(len(whole.dictionary)), codes.drop_null().to_numpy())
    if used.all():
        return whole
    fresh = pc.take(pa.array(np.cumsum(used) - 1, pa.int32()), codes)
    return pa.DictionaryArray.from_arrays(fresh, whole.dictionary.filter(pa.array(used)))
