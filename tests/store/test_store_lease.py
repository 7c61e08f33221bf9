from __future__ import annotations

import os
import re
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from shopkeeper.core.errors import Conflict, LeaseHeld
from shopkeeper.store import tables
from shopkeeper.store.database import Database
from shopkeeper.store.lease import Leases
from shopkeeper.store.process import Process

SHORT = timedelta(milliseconds=150)


def test_a_second_holder_is_refused_with_the_name_of_the_first(database: Database) -> None:
    leases = Leases(database)
    leases.acquire("tables", "import of orders.csv")
    words = (
        rf"tables is held by import of orders\.csv, process {os.getpid()} on host "
        rf"{re.escape(socket.gethostname())}, since 20\d\d-\d\d-\d\d \d\d:\d\d:\d\d UTC"
    )
    with pytest.raises(LeaseHeld, match=words) as raised:
        leases.acquire("tables", "worker")
    assert raised.value.retryable
    assert (leases.holder("tables") or "").startswith("import of orders.csv, process")
    assert leases.acquire("other", "worker").fence == 1


def test_the_fence_grows_with_each_holder(database: Database) -> None:
    leases = Leases(database)
    fences = []
    for _ in range(3):
        lease = leases.acquire("tables", "worker")
        fences.append(lease.fence)
        lease.release()
    assert fences == [1, 2, 3]
    assert leases.holder("tables") is None


def test_a_lease_that_is_not_renewed_ends_and_its_holder_is_told(database: Database) -> None:
    leases = Leases(database, SHORT)
    first = leases.acquire("tables", "first")
    time.sleep(SHORT.total_seconds() * 1.5)
    second = Leases(database).acquire("tables", "second")
    assert second.fence == first.fence + 1
    with pytest.raises(Conflict, match="lost tables"):
        first.renew()
    first.release()  # must not take it from the second
    assert (leases.holder("tables") or "").startswith("second")
    second.renew()


def test_a_kept_lease_outlasts_its_time_and_is_then_free(database: Database) -> None:
    leases = Leases(database, timedelta(seconds=0.6))
    with leases.acquire("tables", "import").kept():
        for _ in range(3):
            time.sleep(0.4)
            with pytest.raises(LeaseHeld):
                leases.acquire("tables", "other")
    assert leases.acquire("tables", "other").fence == 2


def test_a_killed_process_loses_its_lease_at_once(
    database: Database, url: str, child: Callable[..., Any]
) -> None:
    holder = child("hold", url)
    assert holder.line() == "won 1"
    leases = Leases(database)
    with pytest.raises(LeaseHeld, match=f"process {holder.process.pid} "):
        leases.acquire("tables", "second")
    holder.process.kill()
    os.waitid(os.P_PID, holder.process.pid, os.WEXITED | os.WNOWAIT)  # dead, not yet buried
    assert leases.acquire("tables", "second").fence == 2


def test_a_process_with_the_dead_ones_number_is_not_taken_for_it(database: Database) -> None:
    mine = Process.this()
    assert not mine.is_dead()
    assert replace(mine, started=mine.started - 60).is_dead()


def test_a_process_elsewhere_is_never_called_dead() -> None:
    gone = replace(Process.this(), pid=2**22 + 1)
    assert gone.is_dead()
    assert not replace(gone, host="elsewhere").is_dead()
    assert not replace(gone, place="another container").is_dead()


def test_a_holder_on_another_host_keeps_its_lease_until_it_ends(database: Database) -> None:
    leases = Leases(database)
    leases.acquire("tables", "worker")
    with database.begin() as connection:
        stored = connection.execute(select(tables.leases.c.process)).scalar_one()
        elsewhere = {**stored, "host": "elsewhere", "pid": 2**22 + 1}
        connection.execute(update(tables.leases).values(process=elsewhere))
    with pytest.raises(LeaseHeld, match="on host elsewhere"):
        leases.acquire("tables", "second")


def test_of_processes_that_race_exactly_one_wins(
    database: Database, url: str, child: Callable[..., Any]
) -> None:
    racers = [child("race", url, f"racer {number}") for number in range(2)]
    assert [racer.line() for racer in racers] == ["ready"] * 2
    for racer in racers:
        racer.send("go")
    said = [racer.line() for racer in racers]
    won = [line for line in said if line == "won 1"]
    refused = [line for line in said if line.startswith("refused tables is held by racer")]
    assert (len(won), len(refused)) == (1, 1)


def test_of_threads_that_race_exactly_one_wins(database: Database) -> None:
    results: list[str] = []
    start = threading.Barrier(6)

    def run() -> None:
        start.wait()
        try:
            Leases(database).acquire("tables", "thread")
        except LeaseHeld:
            results.append("refused")
        else:
            results.append("won")

    threads = [threading.Thread(target=run) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == ["refused"] * 5 + ["won"]
