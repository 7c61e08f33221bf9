"""Parquet: typed cells written out as text, so that one set of rules cleans every format."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from shopkeeper.collect import sheet
from shopkeeper.collect.mapping import Mapping
from shopkeeper.collect.sheet import Batch, Sheet
from shopkeeper.collect.source import File, Limits
from shopkeeper.core.errors import BadInput

SUFFIXES = (".parquet", ".pq")


def read(file: File, mapping: Mapping) -> Sheet:
    """The file as a sheet. Nested columns are refused where the mapping needs one.

    Raises:
        BadInput: it is no whole Parquet file, has no rows, or a needed column is nested.
    """
    if file.packed:
        raise BadInput("A Parquet file is packed already.", hint="Unpack the .gz.", field="path")
    try:
        with pq.ParquetFile(file.path) as parquet:
            schema, rows = parquet.schema_arrow, parquet.metadata.num_rows
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as error:
        raise BadInput(
            f"{file.path.name!r} is not a whole Parquet file: {error}.",
            hint="Export it again.",
            field="path",
        ) from error
    if not rows:
        raise BadInput(f"{file.path.name!r} has no rows.", hint="Export it again.", field="path")
    needed = {name for _, names in mapping.theirs() for name in names}
    for name in needed & set(schema.names):
        if pa.types.is_nested(schema.field(name).type):
            raise BadInput(
                f"The column {name!r} is nested.",
                hint="Flatten it into columns of its own.",
                field=name,
            )
    flat = tuple(f.name for f in schema if not pa.types.is_nested(f.type))
    return Sheet(flat, lambda: _batches(file, flat))


def _batches(file: File, columns: tuple[str, ...]) -> Iterator[Batch]:
    start = 1
    try:
        with pq.ParquetFile(file.path) as parquet:
            parts = parquet.iter_batches(_batch_rows(parquet, file.limits), columns=list(columns))
            while pair := list(islice(parts, 2)):  # two chunks, cleaned by two threads at once
                tables = []
                for part in pair:
                    rows = pa.array(np.arange(start, start + part.num_rows))
                    start += part.num_rows
                    tables.append(sheet.table([_text(part.column(name)) for name in columns], rows))
                yield Batch(pa.concat_tables(tables))
    except (pa.ArrowInvalid, OSError) as error:
        raise BadInput(
            f"{file.path.name!r} is damaged at row {start} or after: {error}.",
            hint="Export it again.",
            field="path",
        ) from error


def _batch_rows(parquet: pq.ParquetFile, limits: Limits) -> int:
    """Fewer rows at a time where rows are large, so that memory stays bounded."""
    metadata = parquet.metadata
    size: int = sum(metadata.row_group(i).total_byte_size for i in range(metadata.num_row_groups))
    per_row: int = max(1, size // max(1, metadata.num_rows))
    return int(max(16, min(limits.batch_rows, limits.batch_chars // per_row)))


def _text(column: pa.Array) -> pa.Array:
    kind = column.type
    if pa.types.is_dictionary(kind):
        column = column.dictionary_decode()
        kind = column.type
    if pa.types.is_string(kind):
        return column
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return _decoded(column)
    if pa.types.is_floating(kind):
        return _whole(column.cast(pa.float64()))
    if pa.types.is_timestamp(kind):
        column = column.cast(pa.timestamp("us", kind.tz), safe=False)
    return column.cast(pa.string(), safe=False)


def _whole(column: pa.Array) -> pa.Array:
    """Numbers as text; ids that were stored as floats, because some are missing, lose their ``.0``."""
    finite = pc.and_(pc.is_finite(column), pc.less(pc.abs(column), 9e15))
    whole = pc.and_kleene(finite, pc.equal(pc.floor(column), column))
    integers = pc.if_else(whole, column, None).cast(pa.int64()).cast(pa.string())
    return pc.coalesce(integers, column.cast(pa.string()))


def _decoded(column: pa.Array) -> pa.Array:
    try:
        return column.cast(pa.string())
    except pa.ArrowInvalid:
        return pa.array(
            [None if v is None else v.decode("utf-8", "replace") for v in column.to_pylist()],
            pa.string(),
        )
