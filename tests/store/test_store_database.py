from __future__ import annotations

import stat
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, bindparam, exc, inspect, select, text
from sqlalchemy.types import TypeEngine

from shopkeeper.core.errors import (
    BadInput,
    Conflict,
    Corrupt,
    MissingExtra,
    NotFound,
    ShopkeeperError,
    Unavailable,
    UnknownName,
)
from shopkeeper.store import migrations, tables
from shopkeeper.store.database import Database
from shopkeeper.store.jobs import Jobs
from shopkeeper.store.migrations import steps

_FIRST = {
    "audit", "audit_head", "consent", "customers", "facts", "identities", "imports", "items", "jobs",
    "keys", "leases", "log", "log_tail", "people", "pseudonyms", "refused", "revisions", "secrets",
}  # fmt: skip
"""The tables of the first step."""


def _differ(
    context: MigrationContext,
    _i: object,
    _m: object,
    found: TypeEngine[Any],
    wanted: TypeEngine[Any],
) -> bool:
    assert context.dialect is not None
    names = [kind.compile(context.dialect) for kind in (found, wanted)]
    return len({"FLOAT" if name == "DOUBLE PRECISION" else name for name in names}) > 1


def test_migrated_tables_equal_the_tables_of_the_code(database: Database) -> None:
    with database.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": _differ})
        assert compare_metadata(context, tables.metadata) == []
        assert inspect(connection).has_table("log")


def test_head_names_the_last_step_shipped() -> None:
    assert steps.scripts().get_current_head() == migrations.HEAD


def _migrated_to(database: Database, step: str) -> None:
    """As a Shopkeeper of that step would have left it."""
    script = steps.scripts()

    def until(revision: Any, _context: MigrationContext) -> Any:
        return script._upgrade_revs(step, revision)

    with (
        database.begin() as connection,
        EnvironmentContext(Config(), script, fn=until) as environment,
    ):
        environment.configure(connection=connection)
        environment.run_migrations()


def test_migrating_a_filled_database_of_the_first_step_keeps_its_rows(empty_url: str) -> None:
    database = Database(empty_url)
    _migrated_to(database, "0001")
    secret = database.secret("one", b"first")
    job = {
        "actor": "ann", "arguments": "{}", "done": 0, "message": "", "cancel_requested": False,
        "created_at": 0,
    }  # fmt: skip
    insert = text(
        "INSERT INTO jobs (job_id, operation, status, actor, arguments, done, message, "
        "cancel_requested, created_at) VALUES (:job_id, :operation, :status, :actor, :arguments, "
        ":done, :message, :cancel_requested, :created_at)"
    )
    with database.begin() as connection:
        for status in ("queued", "done"):
            row = {"job_id": status, "operation": "report.run", "status": status, **job}
            connection.execute(insert, row)
    database.migrate()
    assert database.secret("one", b"second") == secret == b"first"
    assert Jobs(database).get("queued").scopes == {"report:*", "*:read"}
    assert Jobs(database).get("done").scopes == set()
    database.close()


def test_database_of_a_newer_version_is_refused_and_left_alone(empty_url: str) -> None:
    database = Database(empty_url)
    database.migrate()
    with database.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(Conflict, match=r"step 9999.*newer Shopkeeper.*pip install --upgrade"):
        database.migrate()
    with database.connect() as connection:
        assert connection.scalar(text("SELECT version_num FROM alembic_version")) == "9999"
    database.close()


def test_a_step_that_fails_leaves_nothing_behind(
    empty_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = Database(empty_url)
    whole = steps.run

    def fail_at_the_end(connection: Connection) -> None:
        whole(connection)
        raise RuntimeError("power cut")

    with monkeypatch.context() as patch:
        patch.setattr(steps, "run", fail_at_the_end)
        with pytest.raises(RuntimeError, match="power cut"):
            database.migrate()
    with database.connect() as connection:
        assert inspect(connection).get_table_names() == []
    database.migrate()
    with database.connect() as connection:
        assert inspect(connection).has_table("jobs")
    database.close()


def test_two_processes_that_migrate_at_once_both_succeed(
    empty_url: str, child: Callable[..., Any]
) -> None:
    both = [child("migrate", empty_url), child("migrate", empty_url)]
    assert [one.line() for one in both] == ["ready", "ready"]
    for one in both:
        one.send("go")
    assert [one.line() for one in both] == ["migrated", "migrated"]
    database = Database(empty_url)
    with database.connect() as connection:
        assert migrations.is_current(connection)
    database.close()


def test_missing_tables_are_said_to_be_missing(empty_url: str) -> None:
    database = Database(empty_url)
    with pytest.raises(Conflict, match="lacks a table"), database.connect() as connection:
        connection.execute(select(tables.log))
    database.close()


def test_an_exception_undoes_the_transaction(database: Database) -> None:
    row = {"name": "x", "value": b"1"}

    def write_and_fail() -> None:
        with database.begin() as connection:
            connection.execute(tables.secrets.insert(), row)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        write_and_fail()
    assert database.secret("x", b"2") == b"2"


def test_a_reading_connection_cannot_write(database: Database) -> None:
    with (
        pytest.raises((exc.DBAPIError, ShopkeeperError), match=r"read.?only"),
        database.connect() as connection,
    ):
        connection.execute(tables.secrets.insert(), {"name": "x", "value": b"1"})
    assert database.secret("x", b"2") == b"2"


def test_a_reading_connection_sees_one_state(database: Database) -> None:
    with database.connect() as connection:
        assert connection.execute(select(tables.secrets)).all() == []
        database.secret("meanwhile", b"1")
        assert connection.execute(select(tables.secrets)).all() == []
    with database.connect() as connection:
        assert len(connection.execute(select(tables.secrets)).all()) == 1


def test_threads_that_ask_for_a_secret_at_once_get_the_same(database: Database) -> None:
    found: list[bytes] = []
    start = threading.Barrier(8)

    def ask(number: int) -> None:
        start.wait()
        found.append(database.secret("shared", bytes([number]) * 32))

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1


@pytest.mark.parametrize(
    "time",
    [
        datetime(2026, 3, 1, 12, 30, 15, 123456, tzinfo=UTC),
        datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
        datetime(2026, 3, 1, 12, tzinfo=timezone(timedelta(hours=8))),
    ],
)
def test_times_come_back_in_utc_to_the_microsecond(database: Database, time: datetime) -> None:
    row = {"customer_id": "c", "first_seen": time, "traits": {}}
    with database.begin() as connection:
        connection.execute(tables.customers.insert(), row)
    with database.connect() as connection:
        found = connection.scalar(select(tables.customers.c.first_seen))
    assert found == time
    assert found is not None
    assert found.tzinfo is UTC


def test_a_time_without_zone_is_refused(database: Database) -> None:
    row = {"customer_id": "c", "first_seen": datetime(2026, 3, 1), "traits": {}}
    with pytest.raises(BadInput, match="no time zone"), database.begin() as c:
        c.execute(tables.customers.insert(), row)


def test_sqlite_is_durable_private_and_shared(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    database = Database(f"sqlite:///{path}")
    with database.begin() as connection:
        pragma = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    assert pragma == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "busy_timeout": 30_000,
    }
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    database.close()


def test_postgresql_is_durable_even_where_the_server_is_not(postgres_url: str) -> None:
    first = Database(postgres_url)
    with first.begin() as connection:
        name = connection.scalar(text("SELECT current_database()"))
        connection.execute(text(f"ALTER DATABASE {name} SET synchronous_commit TO off"))
    first.close()
    database = Database(postgres_url)
    with database.begin() as connection:
        assert connection.scalar(text("SHOW synchronous_commit")) == "on"
    database.close()


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://me:sesame@127.0.0.1:1/shop",
        "postgresql://me@127.0.0.1:1/shop?password=sesame",
        "postgresql://me:sesame@host.invalid/shop",
    ],
)
def test_a_server_that_does_not_answer_is_unavailable_and_no_password_is_shown(url: str) -> None:
    database = Database(url)
    with pytest.raises(Unavailable, match="does not answer") as raised:
        database.migrate()
    assert raised.value.retryable
    error: BaseException | None = raised.value
    shown = [repr(database), database.address]
    while error is not None:
        shown += [str(error), repr(error)]
        error = error.__cause__ or error.__context__
    assert "sesame" not in " ".join(shown)


@pytest.mark.parametrize(
    ("url", "error"),
    [
        ("no address sesame", BadInput),
        ("postgresql://me:sesame@host:port/x", BadInput),
        ("mysql://me:sesame@host/x", UnknownName),
        ("sqlite://", BadInput),
        ("sqlite:///:memory:", BadInput),
        ("sqlite:////no/such/folder/state.db", NotFound),
    ],
)
def test_an_address_that_cannot_serve_is_refused_without_its_password(
    url: str, error: type[ShopkeeperError]
) -> None:
    with pytest.raises(error) as raised:
        Database(url)
    assert "sesame" not in f"{raised.value}{raised.value.__cause__}"
    assert raised.value.hint


def test_without_psycopg_the_pip_command_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(MissingExtra, match=r"pip install 'shopkeeper\[postgres\]'"):
        Database("postgresql://localhost/shop")


def test_a_damaged_file_is_called_damaged(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    path.write_bytes(b"This is a diary, not a database. " * 100)
    database = Database(f"sqlite:///{path}")
    with pytest.raises(Corrupt, match=r"damaged.*backup"):
        database.migrate()
    database.close()


def test_values_do_not_appear_in_errors(database: Database) -> None:
    row = {"name": "secret-name", "value": b"secret-value"}
    with pytest.raises(Conflict) as raised, database.begin() as connection:
        connection.execute(tables.secrets.insert(), [row, row])
    assert "secret-value" not in f"{raised.value}{raised.value.__cause__}"


def test_broken_unicode_is_bad_input(database: Database) -> None:
    row = {"item_id": "a", "kind": "product", "title": "half \ud83d"}
    with pytest.raises(BadInput, match="cannot store a value"), database.begin() as connection:
        connection.execute(tables.items.insert(), row)


def test_nul_in_text_is_bad_input_where_the_database_refuses_it(postgres_store: str) -> None:
    database = Database(postgres_store)
    row = {"item_id": "a", "kind": "product", "title": "nul \x00"}
    with pytest.raises(BadInput, match="NUL"), database.begin() as connection:
        connection.execute(tables.items.insert(), row)
    database.close()


def test_a_number_beyond_64_bits_is_bad_input(database: Database) -> None:
    with pytest.raises(BadInput, match="cannot store"), database.begin() as connection:
        connection.execute(
            tables.audit_head.update().values(entries=bindparam("big")), {"big": 2**70}
        )
