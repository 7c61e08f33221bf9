"""Lines of "user item item …": each item becomes a row, in order, with the time of its turn."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import islice

import duckdb
import pyarrow as pa

from shopkeeper.collect import sheet
from shopkeeper.collect.formats.jsonl import lines
from shopkeeper.collect.mapping import Mapping
from shopkeeper.collect.sheet import Batch, Broken, Sheet
from shopkeeper.collect.source import File, damaged, legible
from shopkeeper.core.errors import BadInput

SUFFIXES = (".sequence",)
_COLUMNS = ("user", "item", "position", "time")
_LINES = 8192


def read(file: File, mapping: Mapping) -> Sheet:
    """The file as rows of ``user``, ``item``, ``position`` (from 1) and a made-up ``time``.

    A row's number is that of its line: a line is one customer's whole sequence, or one item of it.

    Raises:
        BadInput: the start in the mapping is no date.
    """
    encoding = mapping.file.encoding or file.encoding
    try:
        start = datetime.fromisoformat(mapping.sequence.start)
    except ValueError as error:
        raise BadInput(
            f"sequence.start: {mapping.sequence.start!r} is not a date.",
            hint="For example 2010-01-01.",
            field="sequence.start",
        ) from error
    if start.tzinfo is not None:
        raise BadInput(
            "sequence.start must be a local date.", hint="2010-01-01", field="sequence.start"
        )
    first = start.replace(hour=12) if "T" not in mapping.sequence.start else start
    return Sheet(
        _COLUMNS, lambda: _batches(file, encoding, first, mapping.sequence.step_seconds), "line"
    )


def _batches(file: File, encoding: str, start: datetime, step: int) -> Iterator[Batch]:
    with file.text(encoding) as stream, duckdb.connect() as connection:
        numbered, turns = lines(stream, file), _Turns()
        while chunk := list(islice(numbered, _LINES)):
            broken = tuple(_refusal(n, line) for n, line in chunk if not _good(line, file))
            bad = {row.row for row in broken}
            good = [(n, " ".join(line.split())) for n, line in chunk if n not in bad]
            texts = pa.table(
                {
                    sheet.ROW: pa.array([n for n, _ in good], pa.int64()),
                    "line": pa.array([line for _, line in good], pa.string()),
                    "before": pa.array([turns.before(line) for _, line in good], pa.int64()),
                }
            )
            connection.register("texts", texts)
            rows = connection.sql(_ROWS, params={"start": start, "step": step}).to_arrow_table()
            yield Batch(rows, broken)


_ROWS = """
    SELECT row, parts[1] AS c0, item AS c1, position::VARCHAR AS c2,
           strftime($start::TIMESTAMP + to_seconds((position - 1) * $step), '%Y-%m-%d %H:%M:%S') AS c3
    FROM (
        SELECT row, parts, unnest(parts[2:]) AS item,
               before + generate_subscripts(parts[2:], 1) AS position
        FROM (SELECT row, before, string_split(line, ' ') AS parts FROM texts)
    ) ORDER BY row, position
"""


class _Turns:
    """Where a line's items begin: lines of one item each go on where the same user's line above ended."""

    def __init__(self) -> None:
        self._user = ""
        self._count = 0

    def before(self, line: str) -> int:
        """How many items the lines directly above gave to this one's user."""
        user, *items = line.split(" ")
        same = user == self._user and len(items) == 1
        before = self._count if same else 0
        self._user, self._count = user, before + len(items)
        return before


def _good(line: str, file: File) -> bool:
    if len(line) > 64 * file.limits.cell_bytes or damaged(line):
        return False
    return len(line.split(maxsplit=2)) >= 2


def _refusal(number: int, line: str) -> Broken:
    reason = "it names a user and no item"
    if damaged(line):
        reason = "it holds bytes that are not of the file's encoding"
    elif len(line.split(maxsplit=2)) >= 2:
        reason = "it is too long for one customer"
    raw = sheet.torn([legible(line[: sheet.CUT])])
    return Broken(number, "(row)", reason, "Write: user item item …", raw)
