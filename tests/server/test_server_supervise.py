"""``shopkeeper serve``: starts, restarts what crashed, stops together, leaves no orphan."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx2
import psutil
import pytest

from shopkeeper.cli import main, tree
from shopkeeper.core.errors import LeaseHeld
from shopkeeper.server import supervise
from shopkeeper.server.observe.state import has_worker
from shopkeeper.server.options import ServeOptions
from shopkeeper.shop.shop import Shop

Until = Callable[..., Any]


@pytest.fixture
def shop_folder(tmp_path: Path) -> Path:
    Shop.create(tmp_path / "shop").close()
    return tmp_path / "shop"


@pytest.fixture
def typed() -> list[str]:
    """What stands behind ``serve``."""
    return ["--no-console"]


@pytest.fixture
def server(shop_folder: Path, typed: list[str]) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "shopkeeper.cli.main", "--shop", str(shop_folder)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    started = subprocess.Popen(
        [*command, "serve", "--port", "0", *typed],
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    )
    children = []
    try:
        yield started
        children = _children(started)
    finally:
        started.kill()
        started.wait()
        for child in children:
            if child.is_running():
                child.kill()
        assert started.stdout is not None
        started.stdout.close()


def _url(server: subprocess.Popen[str]) -> str:
    assert server.stdout is not None
    line = server.stdout.readline()
    assert "Shopkeeper serves" in line
    return next(word for word in line.split() if word.startswith("http://"))


def _children(server: subprocess.Popen[str]) -> list[psutil.Process]:
    try:
        found: list[psutil.Process] = psutil.Process(server.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []
    return found


def _part(server: subprocess.Popen[str], part: str) -> psutil.Process:
    found = [c for c in _children(server) if c.cmdline() and c.cmdline()[-1] == part]
    assert len(found) == 1, found
    return found[0]


def _refused(folder: Path) -> bool:
    """Whether a second writer is refused with the first one's name."""
    with Shop.open(folder) as shop:
        try:
            with shop.writer("a test"):
                return False
        except LeaseHeld as held:
            return "shopkeeper serve" in held.message


def test_serve_answers_on_loopback_restarts_what_was_killed_and_stops_cleanly(
    server: subprocess.Popen[str], shop_folder: Path, until: Until
) -> None:
    url = _url(server)
    assert url.startswith("http://127.0.0.1:")
    # The socket is open before the API is: a first request waits instead of failing.
    assert httpx2.get(f"{url}/health", timeout=20).json()["status"] == "ok"
    killed = _part(server, "api")
    killed.kill()
    assert httpx2.get(f"{url}/ready", timeout=20).status_code == 200
    assert _part(server, "api").pid != killed.pid
    worker = _part(server, "worker")
    worker.kill()
    until(lambda: any(c.cmdline()[-1:] == ["worker"] for c in _children(server) if c != worker))
    until(lambda: _refused(shop_folder))
    children = _children(server)
    server.send_signal(signal.SIGTERM)
    assert server.wait(20) == 0
    assert not [child for child in children if child.is_running()]
    with Shop.open(shop_folder) as shop, shop.writer("a test"):
        pass  # the lease was given back


def test_children_end_when_the_supervisor_is_killed(
    server: subprocess.Popen[str], until: Until
) -> None:
    _url(server)
    children = until(lambda: len(_children(server)) == 2 and _children(server))
    server.kill()
    until(lambda: not any(c.is_running() and c.status() != "zombie" for c in children))


@pytest.mark.parametrize("typed", [["--no-console", "--api-workers", "2"]])
def test_connections_that_stay_open_are_spread_over_the_api_processes(
    server: subprocess.Popen[str], until: Until
) -> None:
    url = _url(server)
    port = int(url.rstrip("./").rpartition(":")[2])

    def each() -> list[int]:
        api = [c for c in _children(server) if c.cmdline()[-1:] == ["api"]]
        held = [
            [one for one in child.net_connections("tcp") if one.status == psutil.CONN_ESTABLISHED]
            for child in api
        ]
        return [sum(one.laddr.port == port for one in mine) for mine in held]

    count = 32
    with ExitStack() as open_:
        for _ in range(count):
            open_.enter_context(socket.create_connection(("127.0.0.1", port), timeout=20))
        until(lambda: sum(each()) == count)
        if sys.platform == "linux":
            assert min(each()) > 0
            assert len(each()) == 2


@pytest.mark.parametrize("typed", [["--console-port", "0"]])
def test_the_console_is_served_beside_the_api_and_stops_with_it(
    server: subprocess.Popen[str], until: Until
) -> None:
    assert server.stdout is not None
    while "Console:" not in (line := server.stdout.readline()):
        assert line, "no console is named"
    url = line.split()[-1]
    answer = httpx2.get(url, timeout=60)  # its socket is open before it is: this waits
    assert answer.status_code < 500
    children = until(lambda: len(_children(server)) == 3 and _children(server))
    server.send_signal(signal.SIGTERM)
    assert server.wait(30) == 0
    assert not [child for child in children if child.is_running()]


@pytest.mark.parametrize("typed", [["--part", "worker"]])
def test_a_part_runs_alone(server: subprocess.Popen[str], shop_folder: Path, until: Until) -> None:
    assert server.stdout is not None
    assert "runs worker" in server.stdout.readline()
    with Shop.open(shop_folder) as shop:
        until(lambda: has_worker(shop), 40)
    assert len(_children(server)) == 1


@pytest.mark.parametrize(
    ("cores", "told", "threads"),
    [
        (2, {}, 1),
        (16, {"api_workers": 2}, 13),
        (16, {"api_workers": 2, "console": False}, 14),
        (16, {"parts": ("worker",)}, 16),
    ],
)
def test_the_worker_computes_with_the_cores_that_the_others_leave(
    monkeypatch: pytest.MonkeyPatch, cores: int, told: dict[str, Any], threads: int
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: cores)
    started: list[dict[str, str]] = []
    monkeypatch.setattr(subprocess, "Popen", lambda *_, env, **__: started.append(env))
    for name in ("OMP_NUM_THREADS", "OMP_WAIT_POLICY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "5")
    options = ServeOptions(**told)
    for part in ("worker", "api"):
        supervise.start(part, Path(), options, None, "")
    worker, api = started
    assert worker["OMP_NUM_THREADS"] == str(threads)
    assert api["OMP_NUM_THREADS"] == "1"
    assert worker["OMP_WAIT_POLICY"] == "PASSIVE"
    assert worker["OPENBLAS_NUM_THREADS"] == "5"  # who sets it is right


def test_a_taken_port_is_an_error_in_words(
    shop_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        typed = ["--shop", str(shop_folder), "serve", "--port", str(port)]
        assert main.run(tree.attach(main.app), typed) == 1
    error = capsys.readouterr().err
    assert f"Cannot listen on 127.0.0.1:{port}" in error
    assert "--port" in error
