"""One database, SQLite or PostgreSQL, with the promises that the rest of the store builds on."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import Connection, Engine, create_engine, event, select, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from shopkeeper.core.errors import BadInput, MissingExtra, NotFound, Unavailable, UnknownName
from shopkeeper.store import migrations, tables
from shopkeeper.store.faults import translated

_DRIVERS = {
    "sqlite": "sqlite+pysqlite",
    "sqlite+pysqlite": "sqlite+pysqlite",
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
}
_WAIT_S = 30
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Database:
    """A pool of connections, usable from any thread.

    :meth:`begin` is one writing transaction, durable when it returns; on SQLite it takes the write
    lock at its start, so two of them never fail half-way. Do not open a second one inside the first:
    on SQLite it would wait for itself. :meth:`connect` reads one consistent state and cannot write.
    """

    def __init__(self, url: str | Path) -> None:
        """``url`` is an address, or the path of a SQLite file, whatever characters it has."""
        self._url = _parse(url)
        self.dialect_name: str = self._url.get_backend_name()
        if self.dialect_name == "sqlite":
            self._writer, self._reader = _sqlite(self._url)
        else:
            self._writer, self._reader = _postgresql(self._url)

    def __repr__(self) -> str:
        return f"Database({self.address!r})"

    @property
    def address(self) -> str:
        """Where the database is, without user, password or options."""
        url = self._url
        return URL.create(
            url.get_backend_name(), host=url.host, port=url.port, database=url.database
        ).render_as_string()

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """A transaction that may write: committed at the end, undone by an exception."""
        with translated(self.address), self._writer.begin() as connection:
            yield connection

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        """A connection that reads one state of the data throughout and cannot write."""
        with translated(self.address), self._reader.connect() as connection:
            yield connection

    def migrate(self) -> None:
        """Bring the tables to this version of the code; safe when several processes do so at once.

        Raises:
            Conflict: the database was written by a newer Shopkeeper.
        """
        with self.connect() as connection:
            if migrations.is_current(connection):
                return
        with self.begin() as connection:  # the lock also holds back the other process's migration
            if self.dialect_name == "postgresql":
                lock(connection, MIGRATION_LOCK)
            migrations.upgrade(connection)

    def now(self, connection: Connection) -> datetime:
        """The time by the clock that all processes of this database share, UTC."""
        if self.dialect_name == "sqlite":
            return datetime.now(UTC)
        microseconds = connection.scalar(
            text("SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint")
        )
        return _EPOCH + timedelta(microseconds=int(microseconds or 0))

    def secret(self, name: str, fresh: bytes) -> bytes:
        """The shop's secret of that name; ``fresh`` becomes it where there is none yet."""
        query = select(tables.secrets.c.value).where(tables.secrets.c.name == name)
        with self.connect() as connection:
            known = connection.scalar(query)
        if known is not None:
            return bytes(known)
        with self.begin() as connection:
            row = {"name": name, "value": fresh}
            upsert = tables.insert_new(connection, tables.secrets)
            connection.execute(upsert, row)
            return bytes(connection.execute(query).scalar_one())

    def scour(self, names: Sequence[str]) -> None:
        """Write these tables anew, so that no page on disk holds what was deleted from them.

        SQLite rewrites the whole file and empties its write-ahead log, which waits for readers.
        PostgreSQL locks each table meanwhile; its own write-ahead log and backups are its owner's.

        Raises:
            Unavailable: a reader kept SQLite's log from being emptied for half a minute.
        """
        if self.dialect_name == "postgresql":
            engine = self._writer.execution_options(isolation_level="AUTOCOMMIT")
            with translated(self.address), engine.connect() as connection:
                for name in names:
                    connection.execute(text(f"VACUUM FULL {name}"))
            return
        with translated(self.address):
            raw = self._writer.raw_connection()
        try:
            held: Any = raw.driver_connection
            held.execute("VACUUM")
            deadline = time.monotonic() + _WAIT_S
            while held.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
                if time.monotonic() > deadline:
                    raise Unavailable(
                        "A reader keeps the database's log from being emptied.",
                        hint="Wait for long queries to end, and run it again.",
                    )
                time.sleep(0.05)
        finally:
            raw.close()

    def close(self) -> None:
        """Give every connection back; the object is of no use afterwards."""
        self._writer.dispose()
        self._reader.dispose()


LOG_LOCK = 7_305_001
MIGRATION_LOCK = 7_305_002
CUSTOMER_LOCK = 7_305_003


def lock(connection: Connection, key: int) -> None:
    """Hold PostgreSQL's advisory lock ``key`` until this transaction has ended and is visible."""
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": key})


def _parse(url: str | Path) -> URL:
    if isinstance(url, Path):
        return URL.create(_DRIVERS["sqlite"], database=str(url))
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        # `from None`: the text of the address may hold a password
        raise BadInput(
            "The database address cannot be read.",
            hint="Write sqlite:///path or postgresql://user:password@host/name; "
            "write @ : / in a password as %40 %3A %2F.",
            field="database",
        ) from None
    if parsed.drivername not in _DRIVERS:
        raise UnknownName("database", parsed.drivername, ["sqlite", "postgresql"], field="database")
    parsed = parsed.set(drivername=_DRIVERS[parsed.drivername])
    if parsed.get_backend_name() == "sqlite" and parsed.database in (None, "", ":memory:"):
        raise BadInput(
            "A shop's database must be a file: several processes share it.",
            hint="Write sqlite:///path/to/state.db.",
            field="database",
        )
    return parsed


def _sqlite(url: URL) -> tuple[Engine, Engine]:
    path = Path(str(url.database))
    if not path.parent.is_dir():
        raise NotFound(f"There is no folder {path.parent} for the database.", hint="Create it.")
    path.touch(mode=0o600)  # it holds personal data: for its owner's eyes alone
    arguments = {"timeout": _WAIT_S, "check_same_thread": False}
    options: dict[str, Any] = {"connect_args": arguments, "hide_parameters": True}
    # One writing connection a process: threads queue for it in the pool, first come first served,
    # instead of polling the file lock with sleeps.
    writer = create_engine(
        url, pool_size=1, max_overflow=0, pool_timeout=_WAIT_S, pool_reset_on_return=None, **options
    )
    reader = create_engine(
        url,
        pool_size=4,
        max_overflow=28,
        pool_timeout=_WAIT_S,
        pool_reset_on_return=None,
        **options,
    )
    event.listen(writer, "connect", _prepare_writer)
    event.listen(reader, "connect", _prepare_reader)
    event.listen(writer, "begin", lambda c: c.exec_driver_sql("BEGIN IMMEDIATE"))
    event.listen(reader, "begin", lambda c: c.exec_driver_sql("BEGIN"))
    return writer, reader


def _prepare_writer(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # the driver must not open or end transactions of its own
    _use_wal(connection)
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")
    connection.execute("PRAGMA cache_size=-65536")  # 64 MiB: the index of event ids is random
    connection.execute("PRAGMA wal_autocheckpoint=4000")


def _prepare_reader(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None
    _use_wal(connection)
    connection.execute("PRAGMA query_only=ON")


def _use_wal(connection: sqlite3.Connection) -> None:
    # The change to WAL does not wait for a lock as statements do, so processes that open a new
    # file at the same time would fail.
    deadline = time.monotonic() + _WAIT_S
    while True:
        try:
            mode = connection.execute("PRAGMA journal_mode=WAL").fetchone()[0]
        except sqlite3.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)
            continue
        if mode != "wal":
            raise Unavailable(
                "The database's folder does not support SQLite's write-ahead log.",
                hint="Put the shop on a local disk, or use PostgreSQL.",
            )
        return


class _PsycopgConnection(Protocol):
    autocommit: bool

    def execute(self, query: str) -> object: ...


def _postgresql(url: URL) -> tuple[Engine, Engine]:
    try:
        writer = create_engine(
            url,
            pool_size=5,
            max_overflow=27,
            pool_timeout=_WAIT_S,
            pool_pre_ping=True,
            hide_parameters=True,
            connect_args={"connect_timeout": 10, "application_name": "shopkeeper"},
        )
    except ModuleNotFoundError as error:
        raise MissingExtra("PostgreSQL", "postgres") from error
    event.listen(writer, "connect", _prepare_postgresql)
    reader = writer.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    return writer, reader


def _prepare_postgresql(connection: _PsycopgConnection, _record: object) -> None:
    # "Acknowledged" means on disk, whatever the server's default is.
    connection.autocommit = True
    connection.execute(
        "SELECT set_config('synchronous_commit', 'on', false)"
        " WHERE current_setting('synchronous_commit') = 'off'"
    )
    connection.autocommit = False
