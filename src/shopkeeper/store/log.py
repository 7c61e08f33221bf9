"""The intake log: what was accepted, in the order in which it was committed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from sqlalchemy import Connection, delete, func, select, text

from shopkeeper.core.errors import BadInput
from shopkeeper.store import tables
from shopkeeper.store.columns import microseconds
from shopkeeper.store.customers import Customer, Identity, link, merge
from shopkeeper.store.database import LOG_LOCK, Database, lock

ID_LIMIT = 256
"""Characters that an id may have; PostgreSQL cannot index ids of any length."""

_PURGE_ROWS = 5_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_COLUMNS = "event_id, subject, anonymous_id, received_at, kind, payload"
_SQLITE = f"INSERT OR IGNORE INTO log ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)"  # noqa: S608
_POSTGRESQL = (
    f"INSERT INTO log ({_COLUMNS}) SELECT {_COLUMNS} FROM unnest("  # noqa: S608
    "%s::text[], %s::text[], %s::text[], %s::bigint[], %s::text[], %s::bytea[]"
    f") WITH ORDINALITY AS rows ({_COLUMNS}, place) ORDER BY place "
    "ON CONFLICT (event_id) DO NOTHING"
)
_TAIL = text(
    "INSERT INTO log_tail (subject, seq) "
    "SELECT subject, seq FROM log "
    "WHERE seq > :before AND subject <> '' AND kind <> 'decisions' UNION ALL "
    "SELECT anonymous_id, seq FROM log "
    "WHERE seq > :before AND anonymous_id <> '' AND anonymous_id <> subject"
)

_Row = tuple[str, str, str, int, str, bytes]


@dataclass(frozen=True, slots=True)
class Entry:
    """One accepted row on its way to the table that ``table`` names.

    ``subject`` is the user id as sent and ``anonymous_id`` the visitor's, each empty where there is
    none; ``payload`` is the row as JSON; the places of one decision are several, joined by commas.
    """

    event_id: str
    subject: str
    anonymous_id: str
    received_at: datetime
    table: Literal["events", "texts", "traits", "decisions"]
    payload: bytes

    def __post_init__(self) -> None:
        # Checked per entry, in the request that sent it: one bad id must not fail the transaction
        # that carries other customers' events.
        if not self.event_id:
            raise BadInput("event_id is empty.", hint="Give each event an id.", field="event_id")
        _check(self.event_id, "event_id")
        _check(self.subject, "user_id")
        _check(self.anonymous_id, "anonymous_id")


class IntakeLog:
    """Rows that are durable once :meth:`append` returns, each event id once.

    ``seq`` grows in the order of commits: whoever has read up to n never sees a row below n appear
    later, so a reader needs to remember one number.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def append(
        self,
        groups: Sequence[Sequence[Entry]],
        *,
        identities: Sequence[Identity] = (),
        customers: Sequence[Customer] = (),
    ) -> list[int]:
        """How many rows of each group were new, once everything given is on disk as a whole.

        The rest were duplicates: of an earlier row, or of one before it here.
        """
        rows = [_row(entry) for group in groups for entry in group]
        with self._database.begin() as connection:
            _queue(connection)
            before = self._last(connection)
            added = _insert(connection, rows)
            fresh: set[str] | None = None
            if added < len(rows):
                query = select(tables.log.c.event_id).where(tables.log.c.seq > before)
                fresh = set(connection.scalars(query))
            if added:
                connection.execute(_TAIL, {"before": before})
            merge(connection, customers)
            link(connection, identities)
        return _count(groups, fresh)

    def read(self, after: int, limit: int, table: str = "") -> list[tuple[int, str, bytes]]:
        """The next rows after ``after``, in order: seq, table and payload; of one ``table``, or of all."""
        log = tables.log.c
        query = (
            select(log.seq, log.kind, log.payload)
            .where(log.seq > after)
            .order_by(log.seq)
            .limit(limit)
        )
        if table:
            query = query.where(log.kind == table)
        with self._database.connect() as connection:
            return [(seq, kind, bytes(data)) for seq, kind, data in connection.execute(query)]

    def tail(self, after: int, subjects: Sequence[str]) -> list[bytes]:
        """Payloads after ``after`` whose subject or anonymous id is one of ``subjects``, in order."""
        wanted = list({subject for subject in subjects if subject})
        log, tail = tables.log.c, tables.log_tail.c
        found = select(tail.seq).where(tail.subject.in_(wanted), tail.seq > after)
        query = select(log.payload).where(log.seq.in_(found)).order_by(log.seq)
        with self._database.connect() as connection:
            return [bytes(payload) for payload in connection.scalars(query)]

    def last(self) -> int:
        """The seq of the newest row; 0 before the first."""
        with self._database.connect() as connection:
            return self._last(connection)

    def waiting(self, after: int) -> tuple[int, datetime | None]:
        """How many rows came after ``after``, and when the first of them was received."""
        log = tables.log.c
        count = select(func.count()).where(log.seq > after)
        first = select(log.received_at).where(log.seq > after).order_by(log.seq).limit(1)
        with self._database.connect() as connection:
            received = connection.scalar(first)
            rows = connection.scalar(count.select_from(tables.log)) if received else 0
        since = None if received is None else _EPOCH + timedelta(microseconds=received)
        return rows or 0, since

    def settle(self, upto: int) -> None:
        """Drop rows up to ``upto`` from what :meth:`tail` finds: they are in the tables now."""
        with self._database.begin() as connection:
            connection.execute(delete(tables.log_tail).where(tables.log_tail.c.seq <= upto))

    def purge(self, upto: int, before: datetime) -> int:
        """Remove rows up to ``upto`` (moved) that were received before ``before``; how many.

        Until then they serve to refuse duplicates. The newest row always stays, so that
        :meth:`last` never falls.
        """
        self.settle(upto)
        removed = 0
        log = tables.log.c
        kept = (
            select(func.coalesce(func.min(log.seq), upto + 1))
            .where(log.seq.in_(select(log.seq).order_by(log.seq).limit(_PURGE_ROWS)))
            .where(log.received_at >= microseconds(before))
        )
        while True:
            with self._database.begin() as connection:  # short, so that intake is not held up
                limit = min(connection.scalar(kept) or 0, upto + 1, self._last(connection))
                oldest = select(log.seq).where(log.seq < limit).order_by(log.seq).limit(_PURGE_ROWS)
                gone = connection.execute(delete(tables.log).where(log.seq.in_(oldest))).rowcount
            removed += gone
            if gone < _PURGE_ROWS:
                return removed

    @staticmethod
    def _last(connection: Connection) -> int:
        return connection.scalar(select(func.max(tables.log.c.seq))) or 0


def _queue(connection: Connection) -> None:
    """Let one transaction append at a time, until it has committed.

    A number is drawn when a row is inserted and seen when its transaction commits. If two overlapped
    on PostgreSQL, number 8 could be seen before 7, and a reader that has gone on to 8 would never
    return for 7: an acknowledged event lost. SQLite's BEGIN IMMEDIATE already lets one in at a time.
    """
    if connection.dialect.name == "postgresql":
        lock(connection, LOG_LOCK)


def _insert(connection: Connection, rows: list[_Row]) -> int:
    if not rows:
        return 0
    if connection.dialect.name == "sqlite":
        return connection.exec_driver_sql(_SQLITE, rows).rowcount
    return connection.exec_driver_sql(
        _POSTGRESQL, tuple(map(list, zip(*rows, strict=True)))
    ).rowcount


def _row(entry: Entry) -> _Row:
    return (
        entry.event_id,
        entry.subject,
        entry.anonymous_id,
        microseconds(entry.received_at),
        entry.table,
        entry.payload,
    )


def _count(groups: Sequence[Sequence[Entry]], fresh: set[str] | None) -> list[int]:
    if fresh is None:
        return [len(group) for group in groups]
    counts = []
    for group in groups:
        new = fresh & {entry.event_id for entry in group}
        fresh -= new  # the same id in a later group is a duplicate of this one
        counts.append(len(new))
    return counts


def _check(value: str, field: str) -> None:
    if len(value) > ID_LIMIT:
        raise BadInput(
            f"{field} has {len(value)} characters; at most {ID_LIMIT} are taken.",
            hint="Send a shorter id.",
            field=field,
        )
    if "\0" in value or not (value.isascii() or _is_text(value)):
        raise BadInput(
            f"{field} holds a character that cannot be stored.",
            hint="Leave out NUL and broken Unicode.",
            field=field,
        )


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
