"""Files of a shop's folder that name somebody: found by decoding them, and rid of it."""

from __future__ import annotations

import csv
import gzip
import html
import io
import json
import re
import sqlite3
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from itertools import chain
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from shopkeeper.core.subject import PERSONAL, Needles

_ROWS = frozenset({".parquet", ".csv", ".tsv", ".jsonl", ".ndjson"})
_SEPARATORS = {".csv": ",", ".tsv": "\t"}
_SQLITE = b"SQLite format 3\0"
_LARGEST = 1 << 28  # bytes of a file or of one part of an archive that are looked at as text
_PIECE = 1 << 24


def naming(path: Path, needles: Needles) -> int:
    """In how many places the file names one of them: rows or cells where it has such, else bytes."""
    if not (needles.whole or needles.names) or not path.is_file():
        return 0
    with path.open("rb") as file:
        head = file.read(len(_SQLITE))
    if path.suffix == ".parquet":
        return max(_rows_naming(path, needles), in_bytes(path, needles))
    if head == _SQLITE:
        return max(_cells_naming(path, needles), in_bytes(path, needles))
    if head[:4] == b"PK\3\4" or head[:2] == b"\x1f\x8b":
        return sum(
            _in_text(part, needles) + _in_elements(part, needles) for part in _unpacked(path, head)
        )
    if path.stat().st_size > _LARGEST:
        return in_bytes(path, needles)
    data = path.read_bytes()
    named = 0
    if needles.names and path.suffix in _SEPARATORS:
        rows = _read_csv(path, data)
        names = _row_test(next(rows, []), needles)
        named = sum(map(names, rows))
    return _in_text(data, needles) + named


def in_bytes(path: Path, needles: Needles) -> int:
    """How often a file's plain bytes hold one of the telling texts, however it is spelled."""
    with path.open("rb") as file:
        return needles.in_stream(iter(lambda: file.read(_PIECE), b""))


def without(path: Path, needles: Needles) -> int:
    """Remove what names one of them: rows where the file has rows, else the file; how many places."""
    count = naming(path, needles)
    if not count:
        return 0
    if path.suffix.lower() not in _ROWS or path.suffix != path.suffix.lower():
        path.unlink()
        return count
    fresh = path.with_name(f".{path.name}.without")
    if path.suffix == ".parquet":
        table = pq.read_table(path)
        pq.write_table(table.filter(pc.invert(_mask(table, needles))), fresh)
    else:
        fresh.write_bytes(_without_lines(path, needles))
    fresh.replace(path)
    if naming(path, needles):  # in a heading or a column's name: not in rows alone
        path.unlink()
    return count


def _in_bytes(data: bytes, needles: Needles) -> int:
    return sum(data.count(form.encode()) for form in needles.spellings)


def _in_text(data: bytes, needles: Needles) -> int:
    found = _in_bytes(data, needles)
    if needles.names:
        found += _in_pairs(data, needles)
    bare = sorted(needles.bare)
    if bare:
        words = b"|".join(re.escape(text.encode()) for text in bare)
        found += len(re.findall(rb"(?<![\w.-])(?:" + words + rb")(?![\w.-])", data))
    return found


def _in_pairs(data: bytes, needles: Needles) -> int:
    """In how many fields of JSON text one of the names stands."""
    forms = {json.dumps(n, ensure_ascii=plain) for n in needles.names for plain in (True, False)}
    names = b"|".join(re.escape(form.encode("utf-8", "surrogatepass")) for form in sorted(forms))
    fields = re.findall(rb'"([^"\\]{1,60})"\s*:\s*(?:' + names + rb")", data)
    return sum(field.decode("utf-8", "replace").strip().casefold() in PERSONAL for field in fields)


def _in_elements(data: bytes, needles: Needles) -> int:
    """In how many elements of XML one of the names stands alone, as a cell of a workbook does."""
    return sum(data.count(f">{html.escape(name)}<".encode()) for name in needles.names)


def _unpacked(path: Path, head: bytes) -> Iterator[bytes]:
    if head[:2] == b"\x1f\x8b":
        with gzip.open(path) as packed:
            yield packed.read(_LARGEST)
        return
    with zipfile.ZipFile(path) as archive:
        for entry in archive.infolist():
            if not entry.is_dir() and entry.file_size <= _LARGEST:
                yield archive.read(entry)


def _rows_naming(path: Path, needles: Needles) -> int:
    found = 0
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(50_000):
            found += pc.sum(_mask(pa.Table.from_batches([batch]), needles)).as_py() or 0
    return found


def _mask(table: pa.Table, needles: Needles) -> pa.Array:
    """Which rows name one of them, in text columns and in whatever holds text further inside."""
    mask = pa.array([False] * table.num_rows, pa.bool_())
    whole = pa.array(sorted(needles.whole), pa.string())
    names = pa.array(sorted(needles.names), pa.string())
    for name, column in zip(table.column_names, table.columns, strict=True):
        one = column.combine_chunks()
        if pa.types.is_dictionary(one.type):
            one = one.dictionary_decode()
        if pa.types.is_string(one.type) or pa.types.is_large_string(one.type):
            one = one.cast(pa.string())
            hit = pc.is_in(one, whole)
            for form in needles.spellings:
                hit = pc.or_(hit, pc.fill_null(pc.match_substring(one, form), False))
            if names and name.strip().casefold() in PERSONAL:
                hit = pc.or_(hit, pc.is_in(pc.utf8_trim_whitespace(one), names))
        elif pa.types.is_nested(one.type):
            if not any(_holds(leaf, needles) for leaf in _leaves(one)):
                continue
            told = one.to_pylist(maps_as_pydicts="lossy")
            hits = [needles.in_text(str(v)) or needles.in_fields({name: v}) > 0 for v in told]
            hit = pa.array(hits, pa.bool_())
        else:
            continue
        mask = pc.or_(mask, hit)
    return mask


def _leaves(array: pa.Array) -> Iterator[pa.Array]:
    """The text inside a nested column, as plain columns: most hold no needle, and few rows of one do."""
    kind = array.type
    if pa.types.is_map(kind):
        yield from (leaf for part in (array.keys, array.items) for leaf in _leaves(part))
    elif pa.types.is_struct(kind):
        yield from (leaf for part in array.flatten() for leaf in _leaves(part))
    elif pa.types.is_nested(kind):
        yield from _leaves(array.flatten())
    elif pa.types.is_dictionary(kind):
        yield from _leaves(array.dictionary)
    elif pa.types.is_string(kind) or pa.types.is_large_string(kind):
        yield array.cast(pa.string())


def _holds(texts: pa.Array, needles: Needles) -> bool:
    """Whether one of the texts may hold a needle."""
    whole = pa.array(sorted(needles.whole | needles.names), pa.string())
    if pc.any(pc.is_in(texts, whole)).as_py():
        return True
    return any(pc.any(pc.match_substring(texts, form)).as_py() for form in needles.spellings)


def _cells_naming(path: Path, needles: Needles) -> int:
    """Cells of any SQLite file: a long cell is spread over pages, where bytes alone would miss it."""
    found = 0
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        names = "SELECT name FROM sqlite_master WHERE type = 'table'"
        for (table,) in connection.execute(names).fetchall():
            quoted = '"' + table.replace('"', '""') + '"'
            for row in connection.execute(f"SELECT * FROM {quoted}"):  # noqa: S608 - a table's name
                found += sum(_cell_names(value, needles) for value in row)
    return found


def _cell_names(value: object, needles: Needles) -> bool:
    if isinstance(value, str):
        return needles.in_text(value)
    return isinstance(value, bytes) and _in_bytes(value, needles) > 0


def _without_lines(path: Path, needles: Needles) -> bytes:
    data = path.read_bytes()
    if path.suffix in (".jsonl", ".ndjson"):
        return b"".join(n for n in data.splitlines(keepends=True) if not _in_text(n, needles))
    rows = _read_csv(path, data)
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=_SEPARATORS[path.suffix])
    told = _line_test(needles)
    heading = next(rows, [])
    names = _row_test(heading, needles)
    kept = (row for row in rows if not names(row))
    writer.writerows(row for row in chain([heading], kept) if not any(map(told, row)))
    return out.getvalue().encode("utf-8", "surrogateescape")


def _read_csv(path: Path, data: bytes) -> Iterator[list[str]]:
    text = data.decode("utf-8-sig", "surrogateescape")
    return csv.reader(io.StringIO(text, newline=""), delimiter=_SEPARATORS[path.suffix])


def _row_test(heading: Sequence[str], needles: Needles) -> Callable[[Sequence[str]], bool]:
    """Whether a row holds one of the names under a heading that stands for a person."""
    return lambda row: any(map(needles.is_name, heading, row))


def _line_test(needles: Needles) -> Callable[[str], bool]:
    return lambda cell: bool(_in_text(cell.encode("utf-8", "surrogateescape"), needles))


def every(folder: Path, *, below: Iterable[str] = ()) -> Iterator[Path]:
    """Every file below the folder, or below these folders in it; links are not followed."""
    starts = [folder / name for name in below] or [folder]
    for start in starts:
        for path in sorted(start.rglob("*")):
            if path.is_file() and not path.is_symlink():
                yield path
