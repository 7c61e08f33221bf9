"""What every file format becomes: named columns of text in batches, and the rows that broke."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import orjson
import pyarrow as pa

ROW = "row"
"""The column that holds each row's number in the file."""

TORN = "(cells)"
"""The key under which a refused row that could not be told apart keeps what there was."""

CUT = 2_000
"""Characters that are kept of a cell too long to store."""


@dataclass(frozen=True)
class Broken:
    """A row that could not be told apart into cells."""

    row: int
    field: str
    reason: str
    hint: str
    raw: str


@dataclass(frozen=True)
class Batch:
    """Rows that could be read, as text columns ``c0`` … and ``row``, and those that could not."""

    rows: pa.Table
    broken: tuple[Broken, ...] = ()
    blank: int = 0
    trimmed: int = 0


@dataclass(frozen=True)
class Sheet:
    """A file's columns and a way to read its batches, from the first row each time."""

    columns: tuple[str, ...]
    batches: Callable[[], Iterator[Batch]]
    unit: str = "row"
    notes: tuple[str, ...] = ()


def table(cells: list[pa.Array], rows: pa.Array) -> pa.Table:
    """A batch's table: the row numbers and one column per column of the sheet."""
    return pa.table([rows, *cells], names=[ROW, *(f"c{i}" for i in range(len(cells)))])


def torn(cells: list[str]) -> str:
    """A row that is not whole, as JSON: kept to be looked at, never imported as it is."""
    return orjson.dumps({TORN: [cell[:CUT] for cell in cells[:1000]]}).decode()
