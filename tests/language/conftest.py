from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn
from tests.language.doubles import QUICK, RICH, Clock, Served

from shopkeeper.language.guard import Rules
from shopkeeper.language.scripted_server import Endpoint
from shopkeeper.store.database import Database
from shopkeeper.store.prompts import Prompts
from shopkeeper.store.spending import Spending


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database(tmp_path / "state.db")
    opened.migrate()
    yield opened
    opened.close()


@pytest.fixture
def rules(database: Database) -> Rules:
    return Rules(
        cache=Prompts(database),
        ledger=Spending(database),
        caps=RICH,
        month=lambda: "2026-11",
        may_send=lambda _request: True,
        patience=QUICK,
    )


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def _served() -> Iterator[Served]:
    endpoint = Endpoint()
    config = uvicorn.Config(
        endpoint.app(), host="127.0.0.1", port=0, log_level="critical", timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until = time.monotonic() + 20
    while not server.started and time.monotonic() < until:
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield Served(endpoint, f"http://127.0.0.1:{port}/v1")
    server.should_exit = True
    thread.join(10)


@pytest.fixture
def served(_served: Served, monkeypatch: pytest.MonkeyPatch) -> Served:
    """The endpoint, named by the environment, with nothing ordered and nothing asked yet."""
    _served.endpoint.orders.clear()
    _served.endpoint.asked.clear()
    _served.endpoint.forms = frozenset({"native", "tool"})
    _served.endpoint.script = None
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "SHOPKEEPER_OPENAI_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SHOPKEEPER_OPENAI_URL", _served.url)
    return _served
