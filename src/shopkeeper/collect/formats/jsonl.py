"""JSON lines, or one list of objects; ``a.b`` names what stands inside ``a``."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import IO, Any

import duckdb
import orjson
import pyarrow as pa

from shopkeeper.collect import sheet
from shopkeeper.collect.cells import literal
from shopkeeper.collect.mapping import Mapping
from shopkeeper.collect.sheet import Batch, Broken, Sheet
from shopkeeper.collect.source import File, damaged, legible
from shopkeeper.core.errors import BadInput

SUFFIXES = (".jsonl", ".ndjson", ".json")
_HEAD = 10_000
_WHOLE = 64 << 20  # characters of one list; parsed it takes several times as much memory


def read(file: File, mapping: Mapping) -> Sheet:
    """The file as a sheet; its columns are the keys of the first 10,000 lines.

    Raises:
        BadInput: no line holds a JSON object, or one list has more than 64 MiB of text.
    """
    encoding = mapping.file.encoding or file.encoding
    with file.text(encoding) as stream:
        found: dict[str, None] = {}
        for _, line in islice(_rows(stream, file), _HEAD):
            for name in _names(_object(line)):
                found.setdefault(name)
    if not found:
        raise BadInput(
            f"{file.path.name!r} holds no line that is a JSON object.",
            hint='Write one object a line, such as {"user": "u1", "time": "2026-01-31T12:00:00Z"}, '
            "or one list of such objects.",
            field="path",
        )
    columns = tuple(found)
    return Sheet(columns, lambda: _batches(file, encoding, columns), "line")


def lines(stream: IO[str], file: File) -> Iterator[tuple[int, str]]:
    """The lines that are not blank, with their numbers."""
    number = 0
    while line := stream.readline(file.limits.line_chars):
        number += 1
        if len(line) >= file.limits.line_chars and not line.endswith("\n"):
            raise BadInput(f"Line {number} is too long.", hint="One object a line.", field="path")
        if line.strip("\r\n\t \ufeff"):
            yield number, line


def _rows(stream: IO[str], file: File) -> Iterator[tuple[int, str]]:
    """The lines, or the members of the one list that the file is, each as a line."""
    first = next(lines(stream, file), None)
    if first is None:
        return
    if not first[1].lstrip("\ufeff \t").startswith("["):
        yield first
        yield from ((number + first[0], line) for number, line in lines(stream, file))
        return
    text = first[1].lstrip("\ufeff") + stream.read(_WHOLE)
    if len(text) > _WHOLE:
        raise BadInput(
            f"{file.path.name!r} is one JSON list of more than {_WHOLE >> 20} MiB.",
            hint="Write one object a line: jq -c '.[]' in.json > out.jsonl",
            field="path",
        )
    try:
        members = orjson.loads(text)
    except (orjson.JSONDecodeError, RecursionError) as error:
        raise BadInput(
            f"{file.path.name!r} begins as a JSON list and is none: {error}.",
            hint="Export it again, or write one object a line.",
            field="path",
        ) from error
    for number, member in enumerate(members, 1):
        yield number, orjson.dumps(member).decode()


def refusal(number: int, line: str) -> Broken:
    """Why this line is no JSON object."""
    reason = "it holds bytes that are not of the file's encoding"
    if not damaged(line):
        reason = "it is not a JSON object"
    hint = 'Write {"key": "value", …} on one line.'
    return Broken(number, "(row)", reason, hint, sheet.torn([legible(line[: sheet.CUT])]))


def extract(
    connection: duckdb.DuckDBPyConnection, kept: list[str], rows: pa.Array, paths: list[str]
) -> pa.Table:
    """The values at these JSON pointers of every JSON text, as a batch's table."""
    cells = ", ".join(f"line ->> {literal(path)} AS c{i}" for i, path in enumerate(paths))
    texts = pa.table({sheet.ROW: rows, "line": pa.array(kept, pa.string())})
    connection.register("texts", texts)
    query = f"SELECT row, {cells} FROM texts ORDER BY row"  # noqa: S608 (names are quoted)
    return connection.sql(query).to_arrow_table()


def _batches(file: File, encoding: str, columns: tuple[str, ...]) -> Iterator[Batch]:
    paths = ["/" + "/".join(map(pointer, name.split("."))) for name in columns]
    with file.text(encoding) as stream, duckdb.connect() as connection:
        numbered = _rows(stream, file)
        while chunk := list(islice(numbered, file.limits.batch_rows // 8)):
            good = [(number, line) for number, line in chunk if _object(line) is not None]
            fine = {number for number, _ in good}
            broken = tuple(refusal(n, line) for n, line in chunk if n not in fine)
            rows = pa.array([number for number, _ in good], pa.int64())
            yield Batch(extract(connection, [line for _, line in good], rows, paths), broken)


def _object(line: str) -> dict[str, Any] | None:
    try:
        value = orjson.loads(line)
    except (orjson.JSONDecodeError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _names(value: dict[str, Any] | None, before: str = "") -> Iterator[str]:
    for key, inner in (value or {}).items():
        if isinstance(inner, dict) and before.count(".") < 3:
            yield from _names(inner, f"{before}{key}.")
        else:
            yield f"{before}{key}"


def pointer(key: str) -> str:
    """One step of a JSON pointer (RFC 6901)."""
    return key.replace("~", "~0").replace("/", "~1")
