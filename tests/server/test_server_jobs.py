"""Jobs: done by the worker, once, through crashes; with progress, cancel and errors people can read."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy import update

from shopkeeper.shop.shop import Shop
from shopkeeper.store import tables
from shopkeeper.store.jobs import JobStatus
from shopkeeper.store.log import Entry

RIGHTS = frozenset({"slowjobs:*"})
Until = Callable[..., Any]
ENDED = {JobStatus.DONE, JobStatus.FAILED, JobStatus.CANCELLED}


def _ended(shop: Shop, job_id: str) -> Callable[[], Any]:
    def look() -> Any:
        job = shop.jobs.get(job_id)
        return job if job.status in ENDED else None

    return look


def test_queued_jobs_are_done_in_order_and_fail_in_words(processes: Any, until: Until) -> None:
    with Shop.open(processes.folder) as shop:
        diary = str(processes.folder / "diary")
        first = shop.jobs.create("slowjobs.count", {"to": 3, "diary": diary}, "ann", RIGHTS)
        second = shop.jobs.create("slowjobs.fail", {}, "ann", RIGHTS)
        third = shop.jobs.create("slowjobs.fail", {"kind": "inside"}, "ann", RIGHTS)
        fourth = shop.jobs.create("slowjobs.nothing", {}, "ann", RIGHTS)
        fifth = shop.jobs.create("slowjobs.rights", {}, "ann", ("slowjobs:read", "collect:write"))
        sixth = shop.jobs.create("slowjobs.count", {}, "ann", ("slowjobs:read", "*:read"))
        processes.start("worker")
        done = until(_ended(shop, first.job_id))
        assert done.status is JobStatus.DONE
        assert done.result["count"] == 3
        failed = until(_ended(shop, second.job_id))
        assert failed.status is JobStatus.FAILED
        assert failed.error["error"]["message"] == "The count is wrong."
        inside = until(_ended(shop, third.job_id))
        assert inside.status is JobStatus.FAILED
        assert "secret" not in str(inside.error)
        assert "operation" in str(until(_ended(shop, fourth.job_id)).error)
        assert done.finished_at <= failed.finished_at <= inside.finished_at
        # The asker's rights, and the reads that the operation says it composes: nothing else.
        held = until(_ended(shop, fifth.job_id)).result["text"]
        assert held == "collect:write metrics:read slowjobs:read"
        refused = until(_ended(shop, sixth.job_id))
        assert refused.error["error"]["code"] == "NotAllowed"
        entries = shop.audit.entries(10).entries
        assert [e.operation for e in entries if e.operation.startswith("slow")] == [
            "slowjobs.count"
        ]
        assert processes.stop() == [0]


def test_a_job_whose_worker_was_killed_is_done_once_after_a_restart(
    database: str, processes: Any, until: Until
) -> None:
    diary = processes.folder / "diary"
    with Shop.open(processes.folder) as shop:
        arguments = {"to": 30, "pause": 0.04, "diary": str(diary)}
        job = shop.jobs.create("slowjobs.count", arguments, "ann", RIGHTS)
        worker = processes.start("worker")
        until(lambda: shop.jobs.get(job.job_id).done >= 5)
        worker.signal(signal.SIGKILL)
        worker.wait()
        assert shop.jobs.get(job.job_id).status is JobStatus.RUNNING
        again = processes.start("worker")
        done = until(_ended(shop, job.job_id))
        assert done.status is JobStatus.DONE
        assert done.result == {"count": 30, "pid": again.pid}
        assert processes.stop() == [0]
    lines = [line.split()[0] for line in diary.read_text().splitlines()]
    assert lines == ["begin", "begin", "end"]


def test_a_job_under_way_when_the_worker_stops_goes_on_at_the_next_start(
    processes: Any, until: Until
) -> None:
    with Shop.open(processes.folder) as shop:
        job = shop.jobs.create("slowjobs.count", {"to": 40, "pause": 0.03}, "ann", RIGHTS)
        first = processes.start("worker")
        until(lambda: shop.jobs.get(job.job_id).done > 1)
        first.signal(signal.SIGTERM)
        assert first.wait(20) == 0
        assert shop.jobs.get(job.job_id).status is JobStatus.RUNNING
        processes.start("worker")
        assert until(_ended(shop, job.job_id)).status is JobStatus.DONE
        assert processes.stop() == [0]


def test_a_running_job_stops_when_asked_and_the_next_one_runs(processes: Any, until: Until) -> None:
    with Shop.open(processes.folder) as shop:
        long = shop.jobs.create("slowjobs.count", {"to": 10_000, "pause": 0.05}, "ann", RIGHTS)
        waiting = shop.jobs.create("slowjobs.count", {"to": 10_000}, "ann", RIGHTS)
        after = shop.jobs.create("slowjobs.count", {"to": 1}, "ann", RIGHTS)
        processes.start("worker")
        until(lambda: shop.jobs.get(long.job_id).done > 1)
        shop.jobs.request_cancel(waiting.job_id)
        shop.jobs.request_cancel(long.job_id)
        assert until(_ended(shop, long.job_id)).status is JobStatus.CANCELLED
        assert until(_ended(shop, waiting.job_id)).status is JobStatus.CANCELLED
        assert until(_ended(shop, after.job_id)).status is JobStatus.DONE


@pytest.mark.slow
def test_a_job_that_kills_its_worker_is_given_up(processes: Any, until: Until) -> None:
    diary = processes.folder / "diary"
    with Shop.open(processes.folder) as shop:
        job = shop.jobs.create("slowjobs.crash", {"diary": str(diary)}, "ann", RIGHTS)
        deadline = time.monotonic() + 300
        while shop.jobs.get(job.job_id).status not in ENDED:
            assert time.monotonic() < deadline
            worker = processes.start("worker")
            until(lambda w=worker: w.poll() is not None or _ended(shop, job.job_id)(), 120)
        failed = shop.jobs.get(job.job_id)
        assert failed.status is JobStatus.FAILED
        assert "given up" in str(failed.error)
    assert 2 <= len(diary.read_text().splitlines()) <= 5


def test_a_second_worker_waits_for_the_first_one_to_end(processes: Any, until: Until) -> None:
    with Shop.open(processes.folder) as shop:
        first = processes.start("worker")
        job = shop.jobs.create("slowjobs.count", {}, "ann", RIGHTS)
        assert until(_ended(shop, job.job_id)).result["pid"] == first.pid
        second = processes.start("worker")
        time.sleep(1.5)
        assert second.poll() is None
        job = shop.jobs.create("slowjobs.count", {}, "ann", RIGHTS)
        assert until(_ended(shop, job.job_id)).result["pid"] == first.pid
        first.signal(signal.SIGKILL)
        job = shop.jobs.create("slowjobs.count", {}, "ann", RIGHTS)
        assert until(_ended(shop, job.job_id)).result["pid"] == second.pid


def test_the_job_engine_keeps_no_arguments_and_only_its_owner_may_read_it(
    processes: Any, until: Until
) -> None:
    with Shop.open(processes.folder) as shop:
        job = shop.jobs.create("slowjobs.count", {"diary": "/tmp/very-private-name"}, "ann", RIGHTS)
        processes.start("worker")
        until(_ended(shop, job.job_id))
        processes.stop()
    file: Path = processes.folder / "jobs.sqlite"
    assert file.stat().st_mode & 0o077 == 0
    assert b"very-private-name" not in file.read_bytes()


def test_a_worker_that_has_lost_its_lease_ends_instead_of_writing_on(
    processes: Any, until: Until
) -> None:
    with Shop.open(processes.folder) as shop:
        worker = processes.start("worker")
        done = shop.jobs.create("slowjobs.count", {}, "ann", RIGHTS)
        until(_ended(shop, done.job_id))
        with shop.database.begin() as connection:  # as if it had slept and another took over
            connection.execute(update(tables.leases).values(token="another's"))
        now = shop.now()
        row = {"event_id": "e", "name": "view_item", "time": 0, "received_at": 0, "source": "t"}
        payload = orjson.dumps({**row, "day": "2026-01-01"})
        shop.log.append([[Entry("e", "u", "", now, "events", payload)]])
        assert worker.wait() == 1
        assert shop.query(lambda source: source.events()).num_rows == 0
