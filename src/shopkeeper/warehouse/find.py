"""Looks for customers in everything that lies in the tables' folder: every file, decoded and as bytes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import duckdb
import numpy as np
import pyarrow.fs as pafs
import pyarrow.parquet as pq

from shopkeeper.core.subject import Needles
from shopkeeper.warehouse.delta import Delta, filesystem
from shopkeeper.warehouse.mentions import Words, know, mentions, named_fields
from shopkeeper.warehouse.warehouse import Warehouse

_PIECE = 64 << 20
_HOLDS_PEOPLE = frozenset({"user_id", "anonymous_id", "customer_id", "sent_id"})


Rows = np.ndarray[Any, np.dtype[np.int64]]
"""Numbers of rows in a file, from 0."""

_Mark = tuple[str, int, int]
_NONE: Rows = np.empty(0, np.int64)


@dataclass
class Seen:
    """What searches for the same needles saw: a data file never changes, so none is decoded in vain.

    A file is known by path, size and time of its last change. ``rows`` are those that hold a needle, of
    every file that was decoded; ``clean`` files held none, nor did their bytes.
    """

    rows: dict[_Mark, Rows] = field(default_factory=dict)
    clean: set[_Mark] = field(default_factory=set)


def found(warehouse: Warehouse, needles: Needles, seen: Seen) -> dict[str, int]:
    """Where the needles are: rows of data files (old ones too), places in their bytes, and in logs.

    Files that ``seen`` knows to be clean are passed over; what is found is added to it.
    """
    counts: dict[str, int] = {}
    for name, delta in warehouse.tables.items():
        data, log = _files(delta)
        data = [info for info in data if _mark(info) not in seen.clean]
        rows = _rows(warehouse, delta, data, needles)
        places = {_mark(info): _bytes(delta, info.path, needles) for info in data}
        seen.rows |= rows
        seen.clean |= {mark for mark, hit in rows.items() if not len(hit) and not places[mark]}
        counts[f"tables/{name}: rows"] = sum(map(len, rows.values()))
        counts[f"tables/{name}: bytes"] = sum(places.values())
        counts[f"tables/{name}: log"] = sum(_in_log(delta, info.path, needles) for info in log)
    return {place: count for place, count in counts.items() if count}


def unchanged_files(warehouse: Warehouse, seen: Seen) -> int:
    """How many data files there are that were seen to be clean and are still what they were."""
    return sum(
        _mark(info) in seen.clean
        for delta in warehouse.tables.values()
        for info in _files(delta)[0]
    )


def naming_rows(
    warehouse: Warehouse, delta: Delta, needles: Needles, seen: Seen
) -> dict[str, Rows]:
    """By address of the table's current files, the rows that hold a needle; ``seen`` ones as seen."""
    snapshot = delta.snapshot()
    if snapshot is None or not snapshot.files:
        return {}
    files, base = filesystem(delta.uri)
    uris = snapshot.uris()
    infos = files.get_file_info([base + uri.removeprefix(delta.uri) for uri in uris])
    unknown = [info for info in infos if _mark(info) not in seen.rows]
    known = seen.rows | _rows(warehouse, delta, unknown, needles)
    return {uri: known[_mark(info)] for uri, info in zip(uris, infos, strict=True)}


def _mark(info: pafs.FileInfo) -> _Mark:
    return info.path, info.size, info.mtime_ns


def _files(delta: Delta) -> tuple[list[pafs.FileInfo], list[pafs.FileInfo]]:
    """Every data file below the table's folder, current or not, and every file of its log."""
    files, base = filesystem(delta.uri)
    selector = pafs.FileSelector(base, allow_not_found=True, recursive=True)
    every = [info for info in files.get_file_info(selector) if info.is_file]
    log = [info for info in every if "/_delta_log/" in info.path]
    return [info for info in every if "/_delta_log/" not in info.path], log


def _rows(
    warehouse: Warehouse, delta: Delta, infos: Sequence[pafs.FileInfo], needles: Needles
) -> dict[_Mark, Rows]:
    """By file, which rows hold one of the needles."""
    if not infos:
        return {}
    scheme = f"{delta.uri.partition('://')[0]}://" if "://" in delta.uri else ""
    tests, values = ["false"], dict[str, object](files=[scheme + info.path for info in infos])
    tests += mentions(delta, Words.of(needles))
    if any("$pattern" in test for test in tests):
        values["pattern"] = needles.pattern
    held = [c.name for c in delta.table if c.name in _HOLDS_PEOPLE]
    if needles.bare and held:
        values["bare"] = sorted(needles.bare)
        tests += (f'"{name}" IN (SELECT unnest($bare))' for name in held)
    names = needles.names | needles.bare
    if names:
        tests += named_fields(delta)
    query = (
        "SELECT filename, file_row_number FROM read_parquet($files, hive_partitioning = false, "  # noqa: S608
        "union_by_name = true, filename = true, file_row_number = true) "
        f"WHERE {' OR '.join(f'coalesce({test}, false)' for test in tests)}"
    )
    with warehouse.connection() as connection:
        know(connection, names)
        hits = numbered(connection.sql(query, params=values))
    return {_mark(info): hits.get(scheme + info.path, _NONE) for info in infos}


def numbered(asked: duckdb.DuckDBPyRelation) -> dict[str, Rows]:
    """The answer of a query for names of files and numbers of rows: by file the numbers, in order."""
    table = asked.to_arrow_table()
    by_file = table.group_by(table.column_names[0]).aggregate([(table.column_names[1], "list")])
    names, lists = by_file.columns
    return {
        str(name): np.sort(np.asarray(numbers.values.to_numpy(zero_copy_only=False), np.int64))
        for name, numbers in zip(names.to_pylist(), lists.combine_chunks(), strict=True)
    }


def _bytes(delta: Delta, path: str, needles: Needles) -> int:
    return needles.in_stream(_pieces(delta, path))


def _pieces(delta: Delta, path: str) -> Iterator[bytes]:
    files, _ = filesystem(delta.uri)
    with files.open_input_stream(path) as stream:
        while piece := stream.read(_PIECE):
            yield piece


def _in_log(delta: Delta, path: str, needles: Needles) -> int:
    if not path.endswith(".parquet"):
        return _bytes(delta, path, needles)
    files, _ = filesystem(delta.uri)
    with files.open_input_file(path) as file:
        rows = pq.read_table(file).to_pylist()
    return _bytes(delta, path, needles) + sum(needles.in_text(str(row)) for row in rows)
