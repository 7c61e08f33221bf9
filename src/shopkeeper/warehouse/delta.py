"""One Delta table: its current files by day, and commits that happen whole or not at all.

Data files are written here with pyarrow and committed in one step (Delta protocol, ``add`` and
``txn`` actions). A bulk load of a year is then one commit, memory stays bounded, and a crash
before the commit leaves files that no reader sees and the next vacuum removes.
"""

from __future__ import annotations

import json
import os
import threading
import time
import uuid
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.fs as pafs
import pyarrow.parquet as pq
from deltalake import CommitProperties, DeltaTable, Transaction
from deltalake.exceptions import CommitFailedError, DeltaError
from deltalake.transaction import AddAction

from shopkeeper.core.errors import Conflict, Unavailable
from shopkeeper.core.schema import Table
from shopkeeper.warehouse.arrow import arrow_schema

_TABLE_CONFIGURATION = {
    "delta.checkpointInterval": "50",  # 1,500 small commits without one slowed an append sevenfold
    "delta.logRetentionDuration": "interval 1 day",
    "delta.deletedFileRetentionDuration": "interval 1 hour",
}
_STATISTICS = "delta.dataSkippingStatsColumns"
_STATISTICS_OF = ("time", "received_at", "stamp", "valid_from", "since", "starts_at")
_RETENTION_HOURS = 1
_COMPACT_FROM = 8  # files in one day
_SYNCS_AT_ONCE = 16
_TICK_NS = 200_000_000


@dataclass(frozen=True)
class DataFile:
    """One current Parquet file: where it is, its day, its rows and a stamp of what it holds."""

    uri: str
    day: date | None
    rows: int
    latest: str  # greatest received_at (events) or stamp (daily), as the file's statistics say


@dataclass(frozen=True)
class Snapshot:
    """A table at one version: the files of that version and how far the intake log had been moved."""

    version: int
    files: tuple[DataFile, ...]
    cursor: int

    def uris(self, days: Iterable[date] | None = None) -> list[str]:
        if days is None:
            return [file.uri for file in self.files]
        wanted = frozenset(days)
        return [file.uri for file in self.files if file.day in wanted]

    def rows(self) -> dict[date, int]:
        """By day, how many rows there are."""
        found: dict[date, int] = {}
        for file in self.files:
            if file.day is not None:
                found[file.day] = found.get(file.day, 0) + file.rows
        return found

    @cached_property
    def count(self) -> int:
        """All rows that have a day; worked out once."""
        return sum(self.rows().values())

    def stamps(self) -> dict[date, str]:
        """By day, a text that changes whenever that day's rows do."""
        latest: dict[date, str] = {}
        for file in self.files:
            if file.day is not None:
                latest[file.day] = max(latest.get(file.day, ""), file.latest)
        return {day: f"{count}@{latest[day]}" for day, count in self.rows().items()}

    def marks(self) -> dict[date, str]:
        """By day, the stamp of the events that a rollup was computed from."""
        return {file.day: file.latest for file in self.files if file.day is not None}


class Delta:
    """One table under ``root``; safe to share between threads."""

    def __init__(self, root: str, table: Table) -> None:
        self.table = table
        self.uri = f"{root.rstrip('/')}/{table.name}"
        self._lock = threading.Lock()
        self._opened: DeltaTable | None = None
        self._snapshot: Snapshot | None = None
        self._refreshed: int | None = None

    def snapshot(self) -> Snapshot | None:
        """The newest version; None while nothing has ever been written."""
        with self._lock:
            opened = self._refresh()
            if opened is None:
                return None
            if self._snapshot is None or self._snapshot.version != opened.version():
                self._snapshot = self._describe(opened)
            return self._snapshot

    def forget(self) -> None:
        """Open the table anew next time: a file that a cached version names has vanished."""
        with self._lock:
            self._opened = self._snapshot = None

    def commit(
        self,
        files: Sequence[AddAction],
        *,
        cursor: tuple[str, int] | None = None,
        replace: Literal["nothing", "days", "all"] = "nothing",
    ) -> None:
        """Make these files part of the table in one step.

        Args:
            files: what :class:`FileWriter` wrote.
            cursor: name and position of a source that these rows were read up to. It is stored in the
                same commit, so the rows and the position move together or not at all.
            replace: files that leave in the same step: none, those of the same days, or all.

        Raises:
            Conflict: another process has moved the same source meanwhile.
        """
        transactions = [Transaction(*cursor)] if cursor else None
        filters = None
        if replace == "days":
            days = sorted({str(file.partition_values["day"]) for file in files})
            filters = [("day", "in", days)]
        with self._lock:
            try:
                with _written():
                    opened = self._refresh() or self._create()
                    opened.create_write_transaction(
                        list(files),
                        mode="append" if replace == "nothing" else "overwrite",
                        schema=arrow_schema(self.table),
                        partition_by=[self.table.partition] if self.table.partition else None,
                        partition_filters=filters,
                        commit_properties=CommitProperties(app_transactions=transactions),
                    )
            except CommitFailedError as error:
                self._opened = None
                raise Conflict(
                    f"Another writer changed {self.table.name}.", hint="Only one may run at a time."
                ) from error

    def drop_days(self, days: Sequence[date]) -> None:
        """Make these days empty in one step; the log names the days and nothing of their rows."""
        with self._lock:
            opened = self._refresh()
            if opened is not None and days:
                listed = ", ".join(f"'{day}'" for day in days)
                opened.delete(f"day IN ({listed})")

    def clear(self) -> None:
        """Delete every file that the newest version does not name, and the log before it, at once.

        Time travel ends here. Readers of an older version open the table anew.
        """
        with self._lock:
            opened = self._refresh()
            if opened is None:
                return
            self._limit_statistics(opened)
            opened.vacuum(
                retention_hours=0, dry_run=False, enforce_retention_duration=False, full=True
            )
            opened.update_incremental()
            opened.create_checkpoint()
            files, base = filesystem(f"{self.uri}/_delta_log")
            for entry in files.get_file_info(pafs.FileSelector(base)):
                version = entry.base_name.partition(".")[0]
                if version.isdigit() and int(version) < opened.version():
                    files.delete_file(entry.path)

    def _limit_statistics(self, opened: DeltaTable) -> None:
        """Let the log hold statistics of times alone: the least and greatest id is somebody's."""
        wanted = _statistics_columns(self.table)
        if opened.metadata().configuration.get(_STATISTICS) != wanted:
            opened.alter.set_table_properties({_STATISTICS: wanted})

    def position(self, source: str) -> int:
        """How far that source had been read when the newest version was written; 0 at first."""
        with self._lock:
            opened = self._refresh()
            return (opened.transaction_version(source) or 0) if opened else 0

    def compact(self) -> int:
        """Join the small files of each day; returns how many days were compacted."""
        snapshot = self.snapshot()
        if snapshot is None:
            return 0
        counts: dict[date | None, int] = {}
        for file in snapshot.files:
            counts[file.day] = counts.get(file.day, 0) + 1
        crowded = [day for day, files in counts.items() if files >= _COMPACT_FROM]
        if not crowded:
            return 0
        filters = [("day", "in", [str(d) for d in crowded])] if self.table.partition else None
        with self._lock:
            opened = self._refresh()
            if opened is not None:
                self._limit_statistics(opened)
                opened.optimize.compact(partition_filters=filters)
        return len(crowded)

    def vacuum(self) -> int:
        """Remove files that no version of the last hour names; returns how many."""
        with self._lock:
            opened = self._refresh()
            if opened is None:
                return 0
            removed = opened.vacuum(
                retention_hours=_RETENTION_HOURS,
                dry_run=False,
                enforce_retention_duration=False,
                full=True,  # also files of loads that crashed before their commit
            )
            opened.create_checkpoint()
            opened.cleanup_metadata()
            return len(removed)

    def _refresh(self) -> DeltaTable | None:
        if self._opened is not None:
            changed = self._changed_at()
            if changed is not None and changed == self._refreshed:
                return self._opened
            self._refreshed = changed
            try:
                self._opened.update_incremental()
            except DeltaError:  # an erasure removed the log that led from there to here
                self._opened = DeltaTable(self.uri)
        elif DeltaTable.is_deltatable(self.uri):
            self._opened = DeltaTable(self.uri)
        return self._opened

    def _changed_at(self) -> int | None:
        """When the folder of the log last changed, which is quicker asked than the log; None: not known.

        A change in the same tick of the clock as the one before would not show: a folder that changed
        a moment ago is not trusted.
        """
        if "://" in self.uri:
            return None
        try:
            changed = Path(self.uri, "_delta_log").stat().st_mtime_ns
        except OSError:
            return None
        return changed if abs(time.time_ns() - changed) > _TICK_NS else None

    def _create(self) -> DeltaTable:
        self._opened = DeltaTable.create(
            self.uri,
            schema=arrow_schema(self.table),
            mode="ignore",
            partition_by=[self.table.partition] if self.table.partition else None,
            configuration=_TABLE_CONFIGURATION | {_STATISTICS: _statistics_columns(self.table)},
        )
        return self._opened

    def _describe(self, opened: DeltaTable) -> Snapshot:
        stream = pa.RecordBatchReader.from_stream(opened.get_add_actions(flatten=True))
        actions = stream.read_all()
        mark = "max.stamp" if self.table.name == "daily" else "max.received_at"
        # Only these columns, and no timestamp: pyarrow imports pandas, where there is one, to convert it.
        wanted = [n for n in ("path", "partition.day", "num_records") if n in actions.column_names]
        rows = actions.select(wanted).to_pylist()
        marks = (
            actions[mark].cast(pa.string()).to_pylist()
            if mark in actions.column_names
            else [None] * len(rows)
        )
        files = tuple(
            DataFile(
                uri=f"{self.uri}/{row['path']}",
                day=row.get("partition.day"),
                rows=int(row["num_records"] or 0),
                # Compaction keeps milliseconds only: whole seconds compare equal before and after.
                latest=(latest or "")[: None if mark == "max.stamp" else 19],
            )
            for row, latest in zip(rows, marks, strict=True)
        )
        return Snapshot(opened.version(), files, opened.transaction_version("intake") or 0)


class FileWriter:
    """Writes rows to new data files of one table, a file for each day; nothing is visible yet."""

    def __init__(self, delta: Delta, *, flush_rows: int = 400_000) -> None:
        self._delta = delta
        self._flush_rows = flush_rows
        self._waiting: dict[date | None, list[pa.Table]] = {}
        self._rows = 0
        self._files: list[AddAction] = []
        self._written: list[str] = []
        self._fs, self._base = filesystem(delta.uri)

    def add(self, data: pa.Table) -> None:
        """Take rows that conform to the table's schema."""
        for day, part in _by_day(data, self._delta.table.partition):
            self._waiting.setdefault(day, []).append(part)
        self._rows += data.num_rows
        if self._rows >= self._flush_rows:
            self._flush(keep_last=True)

    def put(self, day: date | None, data: pa.Table) -> None:
        """Write rows of one day as a file of their own, at once; several threads may.

        Columns that come as dictionaries are written as such and no others are tried; of texts no
        statistics are kept, which take a third of the time and skip nothing: a file is one group.
        """
        kinds = {field.name: field.type for field in data.schema}
        self._write(
            day,
            data,
            encoded=[name for name, kind in kinds.items() if pa.types.is_dictionary(kind)],
            measured=[name for name, kind in kinds.items() if pa.types.is_primitive(kind)],
        )

    def finish(self) -> list[AddAction]:
        """Write what waits; the files to commit."""
        self._flush(keep_last=False)
        if isinstance(self._fs, pafs.LocalFileSystem):
            # The commit must not outlive the data on a power cut; the disk takes many at once.
            with ThreadPoolExecutor(_SYNCS_AT_ONCE) as pool:
                list(pool.map(_sync, self._written))
        return self._files

    def _flush(self, *, keep_last: bool) -> None:
        # Input is mostly in order of time: the last day is likely to go on in the next batch.
        days = sorted(self._waiting, key=lambda day: day or date.min)
        spared = days[-1:] if keep_last and len(days) > 1 else []
        for day in days:
            if day not in spared:
                self._write(day, pa.concat_tables(self._waiting.pop(day)))
        self._rows = sum(part.num_rows for parts in self._waiting.values() for part in parts)

    def _write(
        self,
        day: date | None,
        data: pa.Table,
        *,
        encoded: bool | list[str] = True,
        measured: bool | list[str] = True,
    ) -> None:
        partition = self._delta.table.partition
        name = f"{uuid.uuid4().hex}.parquet"
        path = f"{partition}={day}/{name}" if partition else name
        if partition and partition in data.column_names:
            data = data.drop_columns([partition])
        full = f"{self._base}/{path}"
        with _written():
            self._fs.create_dir(full.rpartition("/")[0], recursive=True)
            with self._fs.open_output_stream(full) as stream:
                pq.write_table(
                    data,
                    stream,
                    compression="zstd",
                    compression_level=1,
                    use_dictionary=encoded,
                    write_statistics=measured,
                    store_schema=encoded is True,  # else it would say that texts are dictionaries
                )
        self._written.append(full)
        self._files.append(
            AddAction(
                path=path,
                size=self._fs.get_file_info(full).size,
                partition_values={partition: str(day)} if partition else {},
                modification_time=int(time.time() * 1000),
                data_change=True,
                stats=_statistics(data),
            )
        )


@contextmanager
def _written() -> Iterator[None]:
    """Say that there is no room, in place of the file system's error; the tables are as they were."""
    try:
        yield
    except OSError as error:
        raise Unavailable(
            f"A file of the tables cannot be written: {' '.join(str(error).split())}.",
            hint="Make room on the disk of the tables, and run it again: nothing was changed.",
        ) from error


def _by_day(data: pa.Table, partition: str | None) -> Iterable[tuple[date | None, pa.Table]]:
    if partition is None:
        yield None, data
        return
    days = data.column(partition).combine_chunks().cast(pa.int32())
    if days.null_count or not len(days):
        return
    if not pc.all(pc.less_equal(days[:-1], days[1:])).as_py():
        order = pc.sort_indices(days)
        data, days = data.take(order), days.take(order)
    runs = pc.run_end_encode(days)
    start = 0
    for value, end in zip(runs.values.to_pylist(), runs.run_ends.to_pylist(), strict=True):
        yield date(1970, 1, 1) + timedelta(days=value), data.slice(start, end - start)
        start = end


def _statistics_columns(table: Table) -> str:
    return ",".join(name for name in _STATISTICS_OF if name in table.names)


def _statistics(data: pa.Table) -> str:
    least: dict[str, Any] = {}
    greatest: dict[str, Any] = {}
    for name in _STATISTICS_OF:
        if name in data.column_names and data.num_rows:
            bounds = pc.min_max(data.column(name)).as_py()
            least[name], greatest[name] = (_stat(bounds[k]) for k in ("min", "max"))
    return json.dumps(
        {"numRecords": data.num_rows, "minValues": least, "maxValues": greatest, "nullCount": {}}
    )


def _stat(value: Any) -> Any:
    return value if isinstance(value, str) else value.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def filesystem(uri: str) -> tuple[pafs.FileSystem, str]:
    """The file system that holds a table, and the table's path there."""
    if "://" in uri:
        return pafs.FileSystem.from_uri(uri)  # type: ignore[no-any-return]
    return pafs.LocalFileSystem(), os.path.abspath(uri)  # noqa: PTH100 (a str for pyarrow)


def _sync(path: str) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
