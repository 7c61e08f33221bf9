"""A workbook as an archive: macros and bombs refused, and what openpyxl does not tell of a sheet."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field

from shopkeeper.collect.source import File
from shopkeeper.core.errors import BadInput, TooLarge

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENTRIES = 5_000
_IN_MEMORY = 128 << 20  # of a part that is read whole: the texts, the styles
_MERGED = 20_000
_UNCOUNTED = 1_000_000
_CHUNK = 1 << 20
_OVERLAP = 1 << 16
_MERGE = re.compile(
    rb'<(?:\w+:)?mergeCell\s[^>]*?ref="([A-Z]{1,3})(\d{1,7})(?::([A-Z]{1,3})(\d{1,7}))?"'
)
_BARE = re.compile(
    rb'<(?:\w+:)?c\s[^>]*?r="([A-Z]{1,3})(\d{1,7})"[^>]*>\s*'
    rb"<(?:\w+:)?f(?:\s[^>]*)?(?:/>|>[^<]*</(?:\w+:)?f>)\s*"
    rb"(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v>\s*</(?:\w+:)?v>)?\s*</(?:\w+:)?c>"
)


@dataclass
class Found:
    """Merged ranges (first row, last row, first column from 0) and formulas without a value."""

    merged: list[tuple[int, int, int]] = field(default_factory=list)
    uncounted: set[tuple[int, int]] = field(default_factory=set)

    def at(self, row: int) -> tuple[int, int, int] | None:
        """The first merged range that has cells in this row."""
        for one in self.merged:
            if one[0] > row:  # they are in order of their first row
                return None
            if row <= one[1]:
                return one
        return None


def check(file: File) -> None:
    """Raise unless this is a workbook without macros, of a size that can be read.

    Raises:
        BadInput: an old or encrypted workbook, one with macros, or no workbook.
        TooLarge: it unpacks to far more than its size allows.
    """
    name = file.path.name
    if file.packed:
        raise BadInput("A workbook is packed already.", hint="Unpack the .gz.", field="path")
    with file.path.open("rb") as stream:
        head = stream.read(len(_OLE))
    if head == _OLE or file.suffix in (".xls", ".xlsb"):
        raise BadInput(
            f"{name!r} is of an old format of Excel, or protected by a password.",
            hint="Save it as .xlsx without a password, or as CSV.",
            field="path",
        )
    try:
        with zipfile.ZipFile(file.path) as archive:
            entries = archive.infolist()
            types = archive.read("[Content_Types].xml") if _sane(entries) else b""
    except (zipfile.BadZipFile, KeyError, NotImplementedError, RuntimeError, EOFError) as error:
        raise BadInput(
            f"{name!r} is not an Excel workbook: {str(error)[:200]}.",
            hint="Open it in Excel and save it as .xlsx, or as CSV.",
            field="path",
        ) from error
    if not types:
        raise _bomb(name)
    if b"macroEnabled" in types or any("vbaproject" in e.filename.lower() for e in entries):
        raise BadInput(
            f"{name!r} holds macros (programs), which are not taken in.",
            hint="Save it as a workbook without macros (.xlsx), or as CSV.",
            field="path",
        )
    _limited(file, entries)


def _sane(entries: list[zipfile.ZipInfo]) -> bool:
    types = [e for e in entries if e.filename == "[Content_Types].xml"]
    return len(entries) <= _ENTRIES and all(e.file_size < _CHUNK for e in types)


def _limited(file: File, entries: list[zipfile.ZipInfo]) -> None:
    limits = file.limits
    whole = sum(entry.file_size for entry in entries)
    allowed = max(limits.ratio_from, limits.ratio * file.path.stat().st_size)
    if whole > min(allowed, limits.unpacked_bytes):
        raise _bomb(file.path.name)
    for entry in entries:
        if "worksheets/" not in entry.filename and entry.file_size > _IN_MEMORY:
            raise _bomb(file.path.name)


def _bomb(name: str) -> TooLarge:
    return TooLarge(
        f"{name!r} unpacks to far more than its size allows.",
        hint="Save the one sheet that is needed as CSV, and import that.",
        field="path",
    )


def parts(file: File, path: str) -> Found:
    """The merged ranges and the formulas without a saved value of the sheet at ``path`` in the archive.

    Raises:
        BadInput: there are more of them than a table of rows could have.
    """
    found = Found()
    merged: set[tuple[int, int, int]] = set()
    for piece in _pieces(file, path.lstrip("/")):
        for left, top, _, bottom in _MERGE.findall(piece):
            merged.add((int(top), int(bottom or top), place(left)))
        for column, row in _BARE.findall(piece):
            found.uncounted.add((int(row), place(column)))
        if len(merged) > _MERGED or len(found.uncounted) > _UNCOUNTED:
            raise BadInput(
                "The sheet has too many merged cells, or formulas without a value.",
                hint="Unmerge them; let Excel calculate and save it; or save it as CSV.",
                field="path",
            )
    found.merged = sorted(merged)
    return found


def place(letters: bytes) -> int:
    """A column's place from 0: ``A`` is 0, ``AA`` is 26."""
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number - 1


def _pieces(file: File, path: str) -> Iterator[bytes]:
    """The part in pieces that overlap by more than any cell that is looked for is long."""
    before = b""
    with zipfile.ZipFile(file.path) as archive, archive.open(path) as stream:
        while chunk := stream.read(_CHUNK):
            yield before + chunk
            before = (before + chunk)[-_OVERLAP:]
