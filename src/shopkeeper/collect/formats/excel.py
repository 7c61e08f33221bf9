"""Excel workbooks (``.xlsx``): one sheet, its cells as text, formulas by the value saved with them."""

from __future__ import annotations

import importlib
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from itertools import islice
from typing import Any

import orjson
import pyarrow as pa

from shopkeeper.collect import sheet
from shopkeeper.collect.mapping import Mapping
from shopkeeper.collect.sheet import Batch, Broken, Sheet
from shopkeeper.collect.source import File
from shopkeeper.collect.workbook import Found, check, parts
from shopkeeper.core.errors import BadInput, UnknownName

SUFFIXES = (".xlsx", ".xlsm", ".xltx", ".xltm", ".xls", ".xlsb")
_ERRORS = frozenset(
    {"#NULL!", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#N/A", "#SPILL!", "#CALC!"}
)
_PAGE = 4_000
_COLUMNS = 2_000
_TITLES = 20  # rows among which a header is looked for


def read(file: File, mapping: Mapping) -> Sheet:
    """The workbook's first sheet, or the one that the mapping names; its first row names the columns.

    Raises:
        BadInput: it holds macros, is no workbook, has no such sheet, or its header cannot be read.
        TooLarge: it unpacks to far more than its size allows.
    """
    check(file)
    with _opened(file, mapping) as rows:
        head = _head(rows)
    if head is None:
        raise BadInput(
            f"{file.path.name!r} has an empty sheet.", hint="Name another.", field="path"
        )
    number, cells = head
    found = _parts(file, mapping)
    if found.at(number) is not None:
        raise BadInput(
            f"Row {number}, the first that is not empty, has merged cells: it names no columns.",
            hint="Delete the titles above the table, and unmerge its header.",
            field="path",
        )
    columns = _columns(cells, file)
    return Sheet(columns, lambda: _batches(file, mapping, columns, (number, found)))


def _head(rows: Iterator[tuple[int, tuple[Any, ...]]]) -> tuple[int, tuple[Any, ...]] | None:
    """The row that names the columns: the first with text, unless it is a title: one cell above a table."""
    filled = [pair for pair in islice(rows, _TITLES) if not _blank(pair[1])]
    if not filled:
        return next((pair for pair in rows if not _blank(pair[1])), None)
    wider = (pair for pair in filled if sum(not _blank((cell,)) for cell in pair[1]) > 1)
    return next(wider, filled[0])


def _columns(cells: tuple[Any, ...], file: File) -> tuple[str, ...]:
    names = [(_text(cell) or "").strip() for cell in cells]
    while names and not names[-1]:
        names.pop()
    for name in names:
        if name and names.count(name) > 1:
            raise BadInput(
                f"Two columns of {file.path.name!r} are named {name!r}.",
                hint="Rename one.",
                field=name,
            )
    return tuple(name or f"column {place}" for place, name in enumerate(names, 1))


def _batches(
    file: File, mapping: Mapping, columns: tuple[str, ...], head: tuple[int, Found]
) -> Iterator[Batch]:
    first, found = head
    with _opened(file, mapping) as rows:
        body = (pair for pair in rows if pair[0] > first)
        while page := list(islice(body, _PAGE)):
            good, numbers, broken, blank = [], [], [], 0
            for number, row in page:
                if _blank(row):
                    blank += 1
                    continue
                cells, fault = _judged(number, row, columns, found)
                if fault is not None:
                    broken.append(fault)
                else:
                    good.append(cells)
                    numbers.append(number)
            cells_of = [
                pa.array([row[i] for row in good], pa.string()) for i in range(len(columns))
            ]
            table = sheet.table(cells_of, pa.array(numbers, pa.int64()))
            yield Batch(table, tuple(broken), blank=blank)


def _judged(
    number: int, row: tuple[Any, ...], columns: tuple[str, ...], found: Found
) -> tuple[list[str | None], Broken | None]:
    cells = [_text(cell) for cell in row[: len(columns)]]
    cells += [None] * (len(columns) - len(cells))
    whole = orjson.dumps(dict(zip(columns, cells, strict=True))).decode()
    if any(cell is not None for cell in row[len(columns) :]):
        torn = sheet.torn([_text(cell) or "" for cell in row])
        return cells, Broken(number, "(row)", "it has cells beyond the last named column",
                             "Name that column, or empty it.", torn)  # fmt: skip
    for place, (name, cell) in enumerate(zip(columns, cells, strict=True)):
        if cell in _ERRORS:
            return cells, Broken(number, name, f"the cell says {cell}",
                                 "Correct the formula, or write the value.", whole)  # fmt: skip
        if cell is None and (number, place) in found.uncounted:
            return cells, Broken(number, name, "the formula has no saved value",
                                 "Open the file in Excel, let it calculate, and save it.", whole)  # fmt: skip
    merged = found.at(number)
    if merged is None:
        return cells, None
    name = columns[merged[2]] if merged[2] < len(columns) else "(row)"
    return cells, Broken(number, name, f"it is merged over the rows {merged[0]} to {merged[1]}",
                         "Unmerge the cells and fill in every one.", whole)  # fmt: skip


def _blank(row: Iterable[Any]) -> bool:
    return all(cell is None or (isinstance(cell, str) and not cell.strip()) for cell in row)


def _text(cell: object) -> str | None:
    """A cell as text: a date as ISO 8601, a number without a needless ``.0``."""
    if cell is None:
        return None
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    if isinstance(cell, datetime):
        return _rounded(cell).isoformat(" ")
    shown = cell.isoformat() if isinstance(cell, date | time) else str(cell)
    return shown.encode("utf-8", "replace").decode()


def _rounded(moment: datetime) -> datetime:
    """To whole seconds: Excel counts days as a float, which is off by microseconds."""
    return (moment + timedelta(microseconds=500_000)).replace(microsecond=0)


def _parts(file: File, mapping: Mapping) -> Found:
    with _workbook(file) as book:
        return parts(file, _chosen(book, mapping, file)._worksheet_path)


def _chosen(book: Any, mapping: Mapping, file: File) -> Any:
    wanted = mapping.file.sheet
    if wanted is not None and wanted not in book.sheetnames:
        raise UnknownName("sheet", wanted, book.sheetnames, field="file.sheet")
    usable = {one.title: one for one in book.worksheets}
    name = wanted or next(iter(usable), None)
    if name not in usable:
        raise BadInput(f"{file.path.name!r} has no sheet of cells.", hint="Name one.", field="path")
    return usable[name]


@contextmanager
def _opened(file: File, mapping: Mapping) -> Iterator[Iterator[tuple[int, tuple[Any, ...]]]]:
    with _workbook(file) as book:
        chosen = _chosen(book, mapping, file)
        chosen.reset_dimensions()  # what the file says of its size need not be true
        yield enumerate(chosen.iter_rows(values_only=True, max_col=_COLUMNS), 1)


@contextmanager
def _workbook(file: File) -> Iterator[Any]:
    openpyxl = importlib.import_module("openpyxl")  # here: other formats need not wait for it
    book = None
    stream = file.path.open("rb")  # ours: the library leaves its own open where it fails
    try:
        book = openpyxl.load_workbook(stream, read_only=True, data_only=True, keep_links=False)
        yield book
    except BadInput:
        raise
    except (
        zipfile.BadZipFile, KeyError, ValueError, TypeError, AttributeError, SyntaxError, IndexError,
        EOFError, OSError, zlib.error, openpyxl.utils.exceptions.InvalidFileException,
    ) as error:  # fmt: skip
        # A damaged part surfaces as any of these, depending on where it is damaged.
        raise BadInput(
            f"{file.path.name!r} is not a whole Excel workbook: {str(error)[:200]}.",
            hint="Open it in Excel and save it as .xlsx, or as CSV.",
            field="path",
        ) from error
    finally:
        if book is not None:
            book.close()
        stream.close()
