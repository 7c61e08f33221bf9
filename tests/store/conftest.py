from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from shopkeeper.store.database import Database
from shopkeeper.store.log import Entry

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Child:
    """A process that runs ``child.py`` and is gone when the test is over."""

    def __init__(self, *arguments: str) -> None:
        command = [sys.executable, str(Path(__file__).with_name("child.py")), *arguments]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def lines(self) -> list[str]:
        """Everything it still says until it ends."""
        assert self.process.stdout is not None
        return [line.strip() for line in self.process.stdout]

    def send(self, text: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{text}\n")
        self.process.stdin.flush()

    def kill(self) -> None:
        """SIGKILL: no handler runs, nothing is flushed."""
        self.process.kill()
        self.process.wait()

    def close(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture(params=["sqlite", "postgresql"])
def kind(request: pytest.FixtureRequest) -> str:
    """Each test that needs a database runs on both kinds."""
    return str(request.param)


@pytest.fixture
def empty_url(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a database without any tables."""
    if kind == "sqlite":
        return f"sqlite:///{tmp_path / 'state.db'}"
    address: str = request.getfixturevalue("postgres_url")
    return address


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "state.db"
    opened = Database(f"sqlite:///{path}")
    opened.migrate()
    opened.close()
    return path


@pytest.fixture
def url(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a database with the store's tables, all empty."""
    if kind == "sqlite":
        path = tmp_path / "state.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        return f"sqlite:///{path}"
    address: str = request.getfixturevalue("postgres_store")
    return address


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    opened = Database(url)
    yield opened
    opened.close()


@pytest.fixture
def noon() -> datetime:
    return NOON


@pytest.fixture
def entry() -> Callable[..., Entry]:
    def make(event_id: str, subject: str = "", anonymous_id: str = "") -> Entry:
        return Entry(event_id, subject, anonymous_id, NOON, "events", event_id.encode())

    return make


@pytest.fixture
def child() -> Iterator[Callable[..., Child]]:
    started: list[Child] = []

    def start(*arguments: str) -> Child:
        started.append(Child(*arguments))
        return started[-1]

    yield start
    for one in started:
        one.close()
