"""A shop, its keys, and the API and the worker as real processes and real sockets."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
import uvicorn

from shopkeeper.core import discovery
from shopkeeper.server import api
from shopkeeper.server.options import ServeOptions
from shopkeeper.shop.shop import Shop

PLUGS = Path(__file__).parent / "plugs"


@dataclass
class Served:
    """An API in a thread of this process, and a client for each kind of key."""

    shop: Shop
    url: str
    keys: dict[str, str]

    def client(self, key: str | None = "owner") -> httpx2.Client:
        headers = {} if key is None else {"Authorization": f"Bearer {self.keys.get(key, key)}"}
        return httpx2.Client(base_url=self.url, headers=headers, timeout=20)


Serve = Callable[..., Served]


@pytest.fixture
def slowjobs(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests' jobs in this process."""
    shipped = discovery.capabilities
    monkeypatch.syspath_prepend(PLUGS)
    monkeypatch.setattr(
        discovery, "capabilities", lambda: shipped() | {"slowjobs": "slowjobs.operations"}
    )


def _serving(folder: Path, options: dict[str, Any]) -> Iterator[Served]:
    with Shop.create(folder) as shop:
        keys = {
            "owner": ("*:*",),
            "reader": ("*:read",),
            "sender": ("intake:write",),
            "nobody": ("nothing:read",),
        }
        secrets = {n: shop.keys.create(n, scopes, "server")[1] for n, scopes in keys.items()}
        secrets["browser"] = shop.keys.create("browser", (), "browser")[1]
        with socket.create_server(("127.0.0.1", 0)) as listening:
            config = uvicorn.Config(
                api.create(shop, ServeOptions(**options)), log_level="critical", server_header=False
            )
            server = uvicorn.Server(config)
            thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
            thread.start()
            yield Served(shop, f"http://127.0.0.1:{listening.getsockname()[1]}", secrets)
            server.should_exit = True
            thread.join(20)


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Serve a fresh shop with these options."""
    with ExitStack() as stack:

        def start(**options: Any) -> Served:
            return stack.enter_context(contextmanager(_serving)(tmp_path / "shop", options))

        yield start


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One served shop for the tests of a file that do not mind what others left in it."""
    options = {"calls_per_minute": 100_000, "failures_per_minute": 100_000}
    yield from _serving(tmp_path_factory.mktemp("shared") / "shop", options)


class Forker:
    """Quickly started, really killed processes."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(PLUGS / "forker.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            text=True,
        )

    def ask(self, **command: Any) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()


@dataclass
class Child:
    """One part of the server in a process of its own."""

    forker: Forker
    pid: int
    code: int | None = None

    def poll(self) -> int | None:
        if self.code is None:
            self.code = self.forker.ask(do="ended", pid=self.pid)["code"]
        return self.code

    def wait(self, seconds: float = 30.0) -> int:
        deadline = time.monotonic() + seconds
        while (code := self.poll()) is None:
            assert time.monotonic() < deadline, "the process does not end"
            time.sleep(0.02)
        return code

    def signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)


class Processes:
    """The server's processes on one shop, started and killed as a test likes."""

    def __init__(self, forker: Forker, folder: Path, options: ServeOptions) -> None:
        self.folder = folder
        self.port = 0
        self._forker = forker
        self._options = options
        self._children: list[Child] = []

    def start(self, part: str) -> Child:
        command = {"part": part, "folder": str(self.folder)}
        command["database"] = os.environ.get("SHOPKEEPER_DATABASE", "")
        answer = self._forker.ask(do="start", options=self._options.model_dump_json(), **command)
        self.port = answer["port"]
        self._children.append(Child(self._forker, answer["pid"]))
        return self._children[-1]

    def started(self) -> list[int]:
        """The numbers of those that run."""
        return [child.pid for child in self._children if child.poll() is None]

    def stop(self, number: int = signal.SIGTERM) -> list[int]:
        """End all that run; the exit codes of those."""
        running = [child for child in self._children if child.poll() is None]
        for child in running:
            child.signal(number)
        return [child.wait() for child in running]


@pytest.fixture(scope="session")
def forker() -> Iterator[Forker]:
    """The process that starts processes."""
    started = Forker()
    yield started
    started.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The test runs on each database; to be asked for before ``processes``."""
    kind = str(request.param)
    if kind == "postgresql":
        monkeypatch.setenv("SHOPKEEPER_DATABASE", request.getfixturevalue("postgres_url"))
    return kind


@pytest.fixture
def processes(tmp_path: Path, forker: Forker) -> Iterator[Processes]:
    """Real processes on a fresh shop; whatever still runs is killed at the end."""
    Shop.create(tmp_path / "shop").close()
    started = Processes(forker, tmp_path / "shop", ServeOptions(drain_seconds=0.2))
    yield started
    started.stop(signal.SIGKILL)


@pytest.fixture
def until() -> Callable[..., Any]:
    """Ask again and again until the answer is true."""

    def wait(look: Callable[[], Any], seconds: float = 20.0) -> Any:
        deadline = time.monotonic() + seconds
        while not (found := look()):
            if time.monotonic() > deadline:
                raise AssertionError(f"still not so after {seconds} s")
            time.sleep(0.05)
        return found

    return wait
