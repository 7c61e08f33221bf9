"""The one writer of the tables: moves the intake log, loads bulk imports, keeps what is derived."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from shopkeeper.core.schema import EVENTS, IDENTITIES, ITEMS, TABLES, Table
from shopkeeper.warehouse.arrow import conform, from_rows
from shopkeeper.warehouse.delta import FileWriter
from shopkeeper.warehouse.duplicates import Seen
from shopkeeper.warehouse.maintain import compact, roll_up
from shopkeeper.warehouse.people import STORE
from shopkeeper.warehouse.snapshot import store_snapshot
from shopkeeper.warehouse.warehouse import Warehouse

LOG_MEMORY = timedelta(days=7)
"""How long the intake log keeps what was moved, to refuse duplicates."""

_BATCH = 50_000  # rows of the log moved at once
_CHUNK = 200_000  # rows of a bulk load looked at at once
_LATE = timedelta(days=1)  # the log refuses duplicates for a week: only older events can be known
_READERS_SECONDS = 5.0
_COPIES = ("items", "facts", "customers", "handovers", "identities")
_ORDER = (
    "texts",
    "traits",
    "decisions",
    "events",
)  # events last: its position is the one that counts


class Log(Protocol):
    """The intake log as the writer sees it: rows in the order in which they were committed."""

    def read(self, after: int, limit: int) -> list[tuple[int, str, bytes]]: ...

    def settle(self, upto: int) -> None: ...

    def purge(self, upto: int, before: datetime) -> int: ...


class State(Protocol):
    """The store as the writer sees it: rows that the tables keep copies of."""

    def rows(self, table: str) -> Iterable[Mapping[str, Any]]: ...

    def revision(self, table: str) -> int: ...


@dataclass(frozen=True)
class Loaded:
    """What a bulk load did: rows that are new, and rows that were there before."""

    new: int
    duplicate: int


class Writer:
    """Made by ``Shop.writer``, which holds the lease; its methods exclude each other."""

    def __init__(
        self,
        warehouse: Warehouse,
        log: Log,
        state: State,
        *,
        now: Callable[[], datetime],
        hold: Callable[[], None] = lambda: None,
    ) -> None:
        """``hold`` is called before each commit; it raises when the lease was lost."""
        self._warehouse = warehouse
        self._log = log
        self._state = state
        self._now = now
        self._hold = hold
        self._lock = threading.RLock()
        self._copied: dict[str, int] = {}
        self._unsettled: deque[tuple[float, int]] = deque()

    def load(
        self,
        table: str,
        batches: Iterable[pa.RecordBatch] | pa.Table,
        *,
        check_duplicates: bool = True,
    ) -> Loaded:
        """Append rows in one commit: all of them become visible at once, or none.

        Args:
            table: a name in ``core.schema.TABLES``.
            batches: rows of that table, in any order; sorted by day is fastest.
            check_duplicates: drop rows whose key is in the table, or came earlier in ``batches``.
        """
        with self._lock:
            self.drain()
            delta = self._warehouse.tables[table]
            files = FileWriter(delta)
            new = duplicate = 0
            with self._warehouse.connection() as connection:
                seen = Seen(connection, delta) if check_duplicates else None
                for rows in _chunks(batches, TABLES[table]):
                    fresh = seen.fresh(rows) if seen else rows
                    files.add(fresh)
                    new += fresh.num_rows
                    duplicate += rows.num_rows - fresh.num_rows
            if new:
                self._hold()
                delta.commit(files.finish())
            return Loaded(new, duplicate)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep the other threads of this process from moving or copying anything meanwhile."""
        with self._lock:
            self._hold()
            yield

    def drain(self) -> int:
        """Move what the intake log holds into the tables; the number of rows moved.

        The position reached is part of each table's commit, and events commit last: after a crash at
        any moment the next drain reads from the events' position and skips what a table has already.
        """
        moved = 0
        with self._lock:
            while batch := self._read():
                last = batch[-1][0]
                self._hold()
                for name in _ORDER:
                    self._move(name, batch, last)
                moved += len(batch)
                self._settle(last)
                if len(batch) < _BATCH:
                    break
        return moved

    def moved(self) -> int:
        """The position up to which the tables hold what the log does."""
        return self._warehouse.tables["events"].position("intake")

    def snapshot(self) -> int:
        """Bring items, facts, customers and identities up to the store; the number of changed rows."""
        with self._lock:
            return sum(self._copy(name) for name in _COPIES)

    def maintain(self, *, vacuum: bool = False) -> None:
        """Bring the rollup up to date, join small files, and purge the log of what is a week old.

        ``vacuum`` also removes data files that nothing refers to.
        """
        with self._lock:
            self._hold()
            roll_up(self._warehouse)
            compact(self._warehouse)
            self._log.purge(self.moved(), self._now() - LOG_MEMORY)
            if vacuum:
                for delta in self._warehouse.tables.values():
                    delta.vacuum()

    def _settle(self, position: int) -> None:
        """Let the log drop what live answers no longer need from it.

        A reader that opened the tables just before this drain still asks for the rows it moved.
        """
        self._unsettled.append((time.monotonic(), position))
        while self._unsettled and time.monotonic() - self._unsettled[0][0] > _READERS_SECONDS:
            self._log.settle(self._unsettled.popleft()[1])

    def _copy(self, name: str) -> int:
        revision = self._state.revision(name)  # read first: a change meanwhile is seen next time
        if self._copied.get(name, 0) == revision:
            return 0
        self._hold()
        # What these hold is said in their table, so that a live answer knows whether to ask the store.
        cursor = (STORE, revision) if name in {IDENTITIES.name, ITEMS.name} else None
        rows = self._state.rows(name)
        changed = store_snapshot(self._warehouse, name, rows, self._now(), cursor=cursor)
        self._copied[name] = revision
        return changed

    def _read(self) -> list[tuple[int, str, bytes]]:
        return self._log.read(self.moved(), _BATCH)

    def _move(self, name: str, batch: Sequence[tuple[int, str, bytes]], last: int) -> None:
        delta = self._warehouse.tables[name]
        done = delta.position("intake")
        if done >= last:
            return
        mine = [payload for seq, table, payload in batch if table == name and seq > done]
        rows = decode(mine, name)
        if name == EVENTS.name:
            rows = self._without_known(rows)
        elif not mine:
            return
        files = FileWriter(delta)
        files.add(rows)
        delta.commit(files.finish(), cursor=("intake", last))

    def _without_known(self, rows: pa.Table) -> pa.Table:
        """``rows`` without late events that the table has from before the log's memory.

        An event that is sent again bears its time: it is looked for in its day and in those beside it,
        where a repair of the sender's clock may have put it. A table of years is not read for each.
        """
        age = pc.subtract(rows["received_at"].cast(pa.int64()), rows["time"].cast(pa.int64()))
        late = pc.greater(age, _LATE // timedelta(microseconds=1))
        if not pc.any(late).as_py():
            return rows
        day, told = timedelta(days=1), rows.filter(late)
        days = {d + n * day for d in told["day"].unique().to_pylist() for n in (-1, 0, 1)}
        with self._warehouse.connection() as connection:
            old = Seen(connection, self._warehouse.tables["events"], days).fresh(told)
        return pa.concat_tables([rows.filter(pc.invert(late)), old])


def _chunks(batches: Iterable[pa.RecordBatch] | pa.Table, table: Table) -> Iterator[pa.Table]:
    """The rows in tables of a size that is worth a query each."""
    if isinstance(batches, pa.Table):
        batches = batches.to_batches()
    waiting: list[pa.Table] = []
    for batch in batches:
        waiting.append(conform(batch, table))
        if sum(part.num_rows for part in waiting) >= _CHUNK:
            yield pa.concat_tables(waiting)
            waiting = []
    if waiting:
        yield pa.concat_tables(waiting)


def decode(payloads: Sequence[bytes], table: str) -> pa.Table:
    """The rows that these payloads of the intake log carry."""
    rows = orjson.loads(b"[" + b",".join(payloads) + b"]")
    return from_rows(rows, TABLES[table])
