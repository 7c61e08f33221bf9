from __future__ import annotations

import threading
from datetime import UTC

import pytest
from sqlalchemy import update

from shopkeeper.core.errors import BadInput, Cancelled, Conflict, NotFound
from shopkeeper.store import tables
from shopkeeper.store.database import Database
from shopkeeper.store.jobs import Jobs, JobStatus

SCOPES = ("collect:write", "metrics:read")


def test_a_job_goes_from_queued_to_done(database: Database) -> None:
    jobs = Jobs(database)
    job = jobs.create("imports.load", {"path": "红.csv"}, "local:owner", SCOPES)
    assert jobs.get(job.job_id) == job
    assert (job.status, job.done, job.total) == (JobStatus.QUEUED, 0, None)
    running = jobs.start(job.job_id)
    assert running.status is JobStatus.RUNNING
    assert running.started_at is not None
    assert running.started_at.tzinfo is UTC
    jobs.progress(job.job_id, 5, 10, "half of it")
    half = jobs.get(job.job_id)
    assert (half.done, half.total, half.message) == (5, 10, "half of it")
    done = jobs.finish(job.job_id, result={"new": 10})
    assert (done.status, done.result, done.error) == (JobStatus.DONE, {"new": 10}, None)
    assert done.finished_at is not None


def test_only_one_of_two_starts_succeeds(database: Database) -> None:
    jobs = Jobs(database)
    job = jobs.create("imports.load", {}, "local:owner", SCOPES)
    results: list[str] = []
    start = threading.Barrier(4)

    def run() -> None:
        start.wait()
        try:
            jobs.start(job.job_id)
        except Conflict:
            results.append("refused")
        else:
            results.append("started")

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == ["refused"] * 3 + ["started"]


def test_a_running_job_is_cancelled_at_its_next_step(database: Database) -> None:
    jobs = Jobs(database)
    job = jobs.start(jobs.create("imports.load", {}, "local:owner", SCOPES).job_id)
    jobs.progress(job.job_id, 1, 10, "")
    assert not jobs.cancel_requested(job.job_id)
    assert jobs.request_cancel(job.job_id).status is JobStatus.RUNNING
    assert jobs.cancel_requested(job.job_id)
    with pytest.raises(Cancelled) as raised:
        jobs.progress(job.job_id, 2, 10, "")
    ended = jobs.finish(job.job_id, error=raised.value.to_json())
    assert ended.status is JobStatus.CANCELLED


def test_a_queued_job_is_cancelled_at_once(database: Database) -> None:
    jobs = Jobs(database)
    job = jobs.create("imports.load", {}, "local:owner", SCOPES)
    assert jobs.request_cancel(job.job_id).status is JobStatus.CANCELLED
    with pytest.raises(Conflict, match="is cancelled, not queued"):
        jobs.start(job.job_id)


def test_a_failed_job_keeps_its_error_and_does_not_end_twice(database: Database) -> None:
    jobs = Jobs(database)
    job = jobs.start(jobs.create("imports.load", {}, "local:owner", SCOPES).job_id)
    error = BadInput("Row 7 has no item_id.", hint="Give it one.", field="item_id").to_json()
    assert jobs.finish(job.job_id, error=error).status is JobStatus.FAILED
    again = jobs.finish(job.job_id, result=1)
    assert (again.status, again.error, again.result) == (JobStatus.FAILED, error, None)
    jobs.progress(job.job_id, 9, 9, "late")
    assert jobs.get(job.job_id).done == 0
    assert not jobs.request_cancel(job.job_id).cancel_requested


def test_jobs_are_listed_the_newest_first(database: Database) -> None:
    jobs = Jobs(database)
    ids = [jobs.create("imports.load", {"n": n}, "local:owner", SCOPES).job_id for n in range(5)]
    jobs.start(ids[2])
    assert [job.job_id for job in jobs.list()] == ids[::-1]
    assert [job.job_id for job in jobs.list(limit=2, offset=1)] == [ids[3], ids[2]]
    assert [job.job_id for job in jobs.list(status=JobStatus.RUNNING)] == [ids[2]]
    with pytest.raises(NotFound):
        jobs.get("none")


def test_jobs_of_a_dead_process_are_found_and_queued_again(database: Database) -> None:
    jobs = Jobs(database)
    job = jobs.start(jobs.create("imports.load", {}, "local:owner", SCOPES).job_id)
    assert list(jobs.abandoned()) == []
    with database.begin() as connection:
        j = tables.jobs
        stored = connection.execute(j.select()).mappings().one()["process"]
        connection.execute(update(j).values(process={**stored, "pid": 2**22 + 1}))
    assert [one.job_id for one in jobs.abandoned()] == [job.job_id]
    assert jobs.requeue(job.job_id).status is JobStatus.QUEUED
    assert jobs.start(job.job_id).status is JobStatus.RUNNING
