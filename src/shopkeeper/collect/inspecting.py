"""What a file looks like: its columns, and of what kind the values of its first rows are."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal

from shopkeeper.collect import paths
from shopkeeper.collect.importers.table import open_sheet
from shopkeeper.collect.mapping import EventOptions, FileOptions, Mapping
from shopkeeper.collect.source import File
from shopkeeper.collect.types import ColumnLine, Inspected
from shopkeeper.core.operation import Context

_ROWS = 2_000
_SAMPLES = 5
_SHOWN = 80
_NAMED = frozenset({".jsonl", ".ndjson", ".json", ".parquet", ".xlsx", ".xlsm", ".xltx", ".xltm"})
_SENTENCE = re.compile(r"[，。！？；!?.]|\S+ \S+ \S+ \S+")
_MOSTLY = 0.9  # of the values, for a kind to be theirs: files have slips
_NUMBER = re.compile(r"[+-]?(\d{1,3}(,\d{3})+|\d+)?(\.\d+)?([eE][+-]?\d+)?")
_WHOLE = re.compile(r"[+-]?\d{1,18}")
_TIME = re.compile(
    r"\d{4}[-/.年]\d{1,2}([-/.月]\d{1,2}日?)([T ]?\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?)?"
    r"( ?(Z|UTC|GMT|[+-]\d{2}:?\d{2}))?"
    r"|\d{1,2}[ -][A-Za-z]{3}[ -]\d{4}( \d{2}:\d{2}:\d{2})?"
)
UNCLEAR = re.compile(
    r"(\d{1,2})([/.-])(\d{1,2})\2(\d{4}|\d{2})( \d{1,2}:\d{2}(:\d{2})?( ?[AaPp][Mm])?)?"
)

Kind = Literal["empty", "whole", "number", "time", "unclear time", "text"]


@dataclass(frozen=True)
class Looked:
    """The first rows of a file: each column's values that are not empty."""

    file: File
    rows: int
    refused: int
    values: dict[str, list[str]]
    notes: tuple[str, ...]
    width: int = 0
    headless: bool = False


def inspect(ctx: Context, path: str) -> Inspected:
    """The file's columns.

    Raises:
        NotAllowed, NotFound, BadInput: see :func:`shopkeeper.collect.paths.permitted`; or the file is wrong.
    """
    seen = look(ctx, path)
    return Inspected(
        file=seen.file.path.name,
        rows=seen.rows,
        refused=seen.refused,
        columns=tuple(
            ColumnLine(
                name=name,
                kind=kind(values),
                filled=round(len(values) / seen.rows, 4) if seen.rows else 0.0,
                samples=tuple(v[:_SHOWN] for v in dict.fromkeys(values))[:_SAMPLES],
            )
            for name, values in seen.values.items()
        ),
        notes=seen.notes,
    )


def look(ctx: Context, path: str) -> Looked:
    """The first rows of the file that this actor may have read.

    Where the first line looks like the others it is one of them, and the columns are numbered.
    """
    file = File(paths.permitted(path, ctx.shop.folder, ctx.actor))
    seen = _looked(file, ())
    if not _headless(seen):
        return seen
    again = _looked(file, tuple(f"column {place}" for place in range(1, seen.width + 1)))
    note = (
        "The first line looks like a row: name the columns in the mapping, [file] header = [...]."
    )
    return replace(again, notes=(*again.notes, note), headless=True)


def _headless(seen: Looked) -> bool:
    """Whether the first line is of the kind of the lines below it, in a file that could have no header."""
    if seen.file.suffix in _NAMED:
        return False
    for name, values in seen.values.items():
        if (shape := kind(values)) not in ("text", "empty") and kind([name]) == shape:
            return True
    return len(seen.values) == 1 and any(_SENTENCE.search(name) for name in seen.values)


def _looked(file: File, header: tuple[str, ...]) -> Looked:
    options = FileOptions(header=header)
    nothing = Mapping(file=options, columns={"time": "time"}, event=EventOptions(name="view_item"))
    sheet = open_sheet(file, nothing)
    batch = next(iter(sheet.batches()), None)
    values: dict[str, list[str]] = {name: [] for name in sheet.columns}
    if batch is None:
        return Looked(file, 0, 0, values, sheet.notes, len(sheet.columns))
    rows = batch.rows.slice(0, _ROWS)
    for place, name in enumerate(sheet.columns):
        cells = rows.column(f"c{place}").to_pylist()
        values[name] = [text for cell in cells if cell is not None and (text := cell.strip())]
    refused = len(batch.broken[:_ROWS])
    return Looked(file, rows.num_rows + refused, refused, values, sheet.notes, len(sheet.columns))


def kind(values: list[str]) -> Kind:
    """Of what kind nearly all of these values are."""
    if not values:
        return "empty"
    tests: tuple[tuple[Kind, re.Pattern[str]], ...] = (
        ("whole", _WHOLE), ("number", _NUMBER), ("time", _TIME), ("unclear time", UNCLEAR),
    )  # fmt: skip
    for name, pattern in tests:
        if sum(pattern.fullmatch(value) is not None for value in values) >= _MOSTLY * len(values):
            return name
    return "text"
