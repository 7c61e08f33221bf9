"""CSV and TSV: every cell as text; a broken row is told apart from the rows around it.

Signs of several characters (``::``) and runs of white space part cells too; such files have no quotes.

Python's parser is used rather than an analytical engine's because it can be restarted at any line:
an unclosed quote costs one row and not the rest of the file.
"""

from __future__ import annotations

import csv
import re
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import reduce
from itertools import islice
from typing import IO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from shopkeeper.collect import sheet
from shopkeeper.collect.mapping import Mapping
from shopkeeper.collect.sheet import Batch, Broken, Sheet
from shopkeeper.collect.source import File, Limits, damaged, legible
from shopkeeper.core.errors import BadInput

SUFFIXES = (".csv", ".tsv", ".tab", ".txt")
_DELIMITERS = ",;\t|"
_SPACES = "whitespace"
_APART = "\x1f"
"""Stands between the cells of a line whose delimiter is longer than the one sign that the parser takes."""

_HEAD = 20
_QUOTED = re.compile(r'"(?:[^"]|"")*"')


def read(file: File, mapping: Mapping) -> Sheet:
    """The file as a sheet; its first line with text names the columns.

    Raises:
        BadInput: no header, no rows, or two columns that the mapping needs share a name.
    """
    encoding = mapping.file.encoding or file.encoding
    named = mapping.file.header
    with file.text(encoding) as stream:
        lines = _Lines(stream, file.limits)
        head = list(islice((line for line in lines if line.strip("\r\n\ufeff ")), _HEAD))
    if head and "\0" in head[0]:
        raise BadInput(
            f"{file.path.name!r} is no text file.",
            hint="Export it as CSV, or give the file the name that its format has.",
            field="path",
        )
    delimiter = mapping.file.delimiter or _delimiter(head, file.suffix)
    first = _header(_one(head[0], delimiter) if head else "", delimiter)
    if len(head) < 2 and not named:
        raise BadInput(
            f"{file.path.name!r} has a header and no rows.",
            hint="Export it again, or check that the right file was chosen.",
            field="path",
        )
    if named and len(first) > len(named):
        raise BadInput(
            f"[file] header names {len(named)} columns, and the first line has {len(first)}.",
            hint="Name every column, in the order of the file.",
            field="file.header",
        )
    columns = named or first
    _check_unique(columns, mapping)
    notes = () if encoding in ("utf-8", "utf-8-sig") else (f"The file was read as {encoding}.",)
    written = _Written(encoding, delimiter, header=not named)
    return Sheet(columns, lambda: _batches(file, written, columns), "line", notes)


@dataclass(frozen=True)
class _Written:
    """How the file is written: ``header`` tells whether its first line with text names the columns."""

    encoding: str
    delimiter: str
    header: bool


def _batches(file: File, written: _Written, columns: tuple[str, ...]) -> Iterator[Batch]:
    with file.text(written.encoding) as stream:
        lines = _Lines(stream, file.limits, written.delimiter)
        if written.header:
            next(line for line in lines if line.strip("\r\n\ufeff "))
        parser = _Parser(lines, written.delimiter, columns, file.limits)
        while (batch := parser.batch()) is not None:
            yield batch


class _Lines:
    """The file's lines, counted; those of the current batch can be given again."""

    def __init__(self, stream: IO[str], limits: Limits, delimiter: str = ",") -> None:
        self._stream = stream
        self._delimiter = delimiter
        self._limits = limits
        self._again: deque[str] = deque()
        self.given: list[str] = []
        self.number = 0
        self._chars = 0

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else self._read()
        self.number += 1
        self.given.append(line)
        self._chars += len(line)
        return line

    @property
    def full(self) -> bool:
        return self._chars >= self._limits.batch_chars

    def start_batch(self) -> None:
        self.given = []
        self._chars = 0

    def give_again(self, count: int) -> None:
        """Take the last ``count`` lines back, to be read anew."""
        if count:
            self._again.extendleft(reversed(self.given[-count:]))
            del self.given[-count:]
            self.number -= count

    def _read(self) -> str:
        line = self._stream.readline(self._limits.line_chars)
        if not line:
            raise StopIteration
        if len(line) >= self._limits.line_chars and not line.endswith(("\n", "\r")):
            raise BadInput(
                f"Line {self.number + 1} is longer than {self._limits.line_chars:,} characters.",
                hint="Is this a text file with one row a line?",
                field="path",
            )
        return _one(line, self._delimiter)


class _Parser:
    def __init__(
        self, lines: _Lines, delimiter: str, columns: tuple[str, ...], limits: Limits
    ) -> None:
        self._lines = lines
        self._columns = columns
        self._limits = limits
        self._delimiter = delimiter
        self._step = 256

    def batch(self) -> Batch | None:
        """The next rows; None at the end of the file."""
        lines, first = self._lines, self._lines.number + 1
        lines.start_batch()
        rows: list[list[str]] = []
        broken: list[Broken] = []
        skipped: list[int] = []  # index in `rows` before which a broken line stood
        heights: list[int] = []
        reader = self._reader()
        while len(rows) < self._limits.batch_rows and not lines.full:
            before = len(rows)
            try:
                rows.extend(islice(reader, self._step))
            except csv.Error as error:
                heights += [1 + _breaks(row) for row in rows[len(heights) :]]
                broken.append(self._restart(sum(heights) + len(skipped), first, str(error)))
                skipped.append(len(rows))
                reader = self._reader()
                continue
            if len(rows) < before + self._step:
                break
        if not rows and not broken:
            return None
        if lines.number - first + 1 == len(rows) + len(skipped):
            heights = [1] * len(rows)
        else:
            heights += [1 + _breaks(row) for row in rows[len(heights) :]]
        return self._sorted(rows, broken, _numbers(heights, skipped, first))

    def _reader(self) -> Iterator[list[str]]:
        return _reader(self._lines, self._delimiter)

    def _restart(self, good: int, first: int, error: str) -> Broken:
        """Refuse the line at which parsing failed, after ``good`` ones, and read on with the next."""
        lines = self._lines
        text = lines.given[good]
        lines.give_again(len(lines.given) - good - 1)
        if "field larger" in error:
            reason = f"a cell is longer than {self._limits.cell_bytes:,} bytes"
            hint = "Shorten it, or keep long texts in a file of their own."
        else:
            reason = "its quotes do not close"
            hint = 'Double a quote inside quotes (""), or remove it.'
        raw = sheet.torn([legible(text[: sheet.CUT])])
        return Broken(first + good, "(row)", reason, hint, raw)

    def _sorted(self, rows: list[list[str]], broken: list[Broken], numbers: pa.Array) -> Batch:
        width = len(self._columns)
        blank = trimmed = 0
        if {*map(len, rows)} != {width}:
            rows, numbers, blank, trimmed = self._ragged(rows, numbers, broken)
        try:
            cells = _columns(rows, width)
        except UnicodeEncodeError:
            rows, numbers = self._undecodable(rows, numbers, broken)
            cells = _columns(rows, width)
        table = sheet.table(cells, numbers)
        empty = reduce(pc.and_, (pc.equal(cell, "") for cell in cells))
        if some := int(
            pc.sum(empty).as_py() or 0
        ):  # ",,,": what spreadsheets leave below the last row
            table, blank = table.filter(pc.invert(empty)), blank + some
        return Batch(table, tuple(broken), blank, trimmed)

    def _ragged(
        self, rows: list[list[str]], numbers: pa.Array, broken: list[Broken]
    ) -> tuple[list[list[str]], pa.Array, int, int]:
        width = len(self._columns)
        kept: list[list[str]] = []
        where: list[int] = []
        blank = trimmed = 0
        for row, number in zip(rows, numbers.to_pylist(), strict=True):
            if not any(row):
                blank += 1
                continue
            if len(row) > width and not any(row[width:]):
                row, trimmed = row[:width], trimmed + 1
            if len(row) == width:
                kept.append(row)
                where.append(number)
                continue
            shown = [legible(cell) for cell in row]
            broken.append(
                Broken(
                    number,
                    "(row)",
                    f"it has {'more' if len(row) > width else 'fewer'} cells than the header",
                    _width_hint(width, self._delimiter),
                    sheet.torn(shown),
                )
            )
        return kept, pa.array(where, pa.int64()), blank, trimmed

    def _undecodable(
        self, rows: list[list[str]], numbers: pa.Array, broken: list[Broken]
    ) -> tuple[list[list[str]], pa.Array]:
        kept: list[list[str]] = []
        where: list[int] = []
        for row, number in zip(rows, numbers.to_pylist(), strict=True):
            wrong = next((i for i, cell in enumerate(row) if damaged(cell)), None)
            if wrong is None:
                kept.append(row)
                where.append(number)
                continue
            shown = [legible(cell) for cell in row]
            broken.append(
                Broken(
                    number,
                    self._columns[wrong],
                    "it holds bytes that are not of the file's encoding",
                    "Correct the cell, or name the encoding in the mapping: [file] encoding = …",
                    sheet.torn(shown),
                )
            )
        return kept, pa.array(where, pa.int64())


def _columns(rows: list[list[str]], width: int) -> list[pa.Array]:
    if not rows:
        return [pa.array([], pa.string()) for _ in range(width)]
    return [pa.array(column, pa.string()) for column in zip(*rows, strict=True)]


def _numbers(heights: list[int], skipped: list[int], first: int) -> pa.Array:
    """The line on which each row starts, counting the broken lines that stood between them."""
    starts = np.cumsum([first, *heights])[:-1] if heights else np.array([], np.int64)
    before = np.zeros(len(heights) + 1, np.int64)
    np.add.at(before, skipped, 1)
    return pa.array(starts + np.cumsum(before)[:-1], pa.int64())


def _breaks(row: list[str]) -> int:
    return sum(c.count("\n") + c.count("\r") - c.count("\r\n") for c in row)


def _header(line: str, delimiter: str) -> tuple[str, ...]:
    if not line:
        raise BadInput("The file holds no text.", hint="Export it again.", field="path")
    try:
        cells = next(_reader([line], delimiter))
    except csv.Error as error:
        raise BadInput(
            f"The header cannot be read: {error}.",
            hint="The first line must name the columns, each on that one line.",
            field="path",
        ) from error
    names = [legible(cell).strip(" \t\r\n\ufeff") for cell in cells]
    while names and not names[-1]:
        names.pop()
    return tuple(name or f"column {i}" for i, name in enumerate(names, 1))


def _check_unique(columns: tuple[str, ...], mapping: Mapping) -> None:
    needed = {name for _, names in mapping.theirs() for name in names}
    for name, count in Counter(columns).items():
        if count > 1 and name in needed:
            raise BadInput(
                f"The file has {count} columns named {name!r}.",
                hint="Rename all but the one that is meant.",
                field=name,
            )


def _width_hint(width: int, delimiter: str) -> str:
    if len(delimiter) > 1:
        return f"The header has {width}. Cells that hold {delimiter!r} need another delimiter."
    return f"The header has {width}. Put a text that holds {delimiter!r} in quotes."


def _reader(lines: Iterable[str], delimiter: str) -> Iterator[list[str]]:
    if len(delimiter) > 1:
        return csv.reader(lines, delimiter=_APART, quoting=csv.QUOTE_NONE, strict=True)
    return csv.reader(lines, delimiter=delimiter, strict=True)


def _one(line: str, delimiter: str) -> str:
    """The line with one sign between its cells."""
    if len(delimiter) == 1:
        return line
    return (
        _APART.join(line.split()) + "\n"
        if delimiter == _SPACES
        else line.replace(delimiter, _APART)
    )


def _delimiter(head: list[str], suffix: str) -> str:
    """What stands equally often in the header and the first row, quoted parts left out.

    Signs of two characters and white space must do so in all of the first lines.
    """
    if suffix in (".tsv", ".tab"):
        return "\t"
    plain = [_QUOTED.sub("", line) for line in head]
    if _same(line.count("::") for line in plain):
        return "::"
    header, row = ([*plain, "", ""])[:2]
    even = [sign for sign in _DELIMITERS if 0 < header.count(sign) == row.count(sign)]
    found = max(even or _DELIMITERS, key=header.count)
    if header.count(found) or not _same(len(line.split()) - 1 for line in plain):
        return found
    return _SPACES


def _same(counts: Iterable[int]) -> bool:
    found = set(counts)
    return len(found) == 1 and min(found) > 0
