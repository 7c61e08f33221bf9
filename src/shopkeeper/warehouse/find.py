"""Looks for customers in everything that lies in the tables' folder: every file, decoded and as bytes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import pyarrow.fs as pafs
import pyarrow.parquet as pq

from shopkeeper.core.subject import Needles
from shopkeeper.warehouse.delta import Delta, filesystem
from shopkeeper.warehouse.erase import Words, know, mentions, named_fields
from shopkeeper.warehouse.warehouse import Warehouse

_PIECE = 64 << 20
_HOLDS_PEOPLE = frozenset({"user_id", "anonymous_id", "customer_id", "sent_id"})


@dataclass
class Clean:
    """Data files in which nothing was found: they never change, so they need not be decoded again.

    What is remembered is path, size and time of the last change.
    """

    files: set[tuple[str, int, int]] = field(default_factory=set)


def found(warehouse: Warehouse, needles: Needles, clean: Clean) -> dict[str, int]:
    """Where the needles are: rows of data files (old ones too), places in their bytes, and in logs.

    Files that ``clean`` knows are passed over; files in which nothing is found are added to it.
    """
    counts: dict[str, int] = {}
    for name, delta in warehouse.tables.items():
        data, log = _files(delta)
        data = [info for info in data if _mark(info) not in clean.files]
        rows = _rows(warehouse, delta, [info.path for info in data], needles) if data else {}
        places = {info.path: _bytes(delta, info.path, needles) for info in data}
        hit = {path for path, count in (*rows.items(), *places.items()) if count}
        clean.files |= {_mark(info) for info in data if info.path not in hit}
        counts[f"tables/{name}: rows"] = sum(rows.values())
        counts[f"tables/{name}: bytes"] = sum(places.values())
        counts[f"tables/{name}: log"] = sum(_in_log(delta, info.path, needles) for info in log)
    return {place: count for place, count in counts.items() if count}


def _mark(info: pafs.FileInfo) -> tuple[str, int, int]:
    return info.path, info.size, info.mtime_ns


def _files(delta: Delta) -> tuple[list[pafs.FileInfo], list[pafs.FileInfo]]:
    """Every data file below the table's folder, current or not, and every file of its log."""
    files, base = filesystem(delta.uri)
    selector = pafs.FileSelector(base, allow_not_found=True, recursive=True)
    every = [info for info in files.get_file_info(selector) if info.is_file]
    log = [info for info in every if "/_delta_log/" in info.path]
    return [info for info in every if "/_delta_log/" not in info.path], log


def _rows(
    warehouse: Warehouse, delta: Delta, paths: Sequence[str], needles: Needles
) -> dict[str, int]:
    """By file, how many rows hold one of the needles."""
    scheme = f"{delta.uri.partition('://')[0]}://" if "://" in delta.uri else ""
    tests, values = ["false"], dict[str, object](files=[scheme + path for path in paths])
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
        "SELECT filename, count(*) FROM read_parquet($files, hive_partitioning = false, "  # noqa: S608
        "union_by_name = true, filename = true) "
        f"WHERE {' OR '.join(f'coalesce({test}, false)' for test in tests)} GROUP BY 1"
    )
    with warehouse.connection() as connection:
        know(connection, names)
        return {
            str(path).removeprefix(scheme): int(count)
            for path, count in connection.execute(query, values).fetchall()
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
