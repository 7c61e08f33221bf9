"""Long operations: what was asked for, how far it is, and how it ended."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import RowMapping, func, select, update

from shopkeeper.core.errors import Cancelled, Conflict, NotFound
from shopkeeper.store import tables
from shopkeeper.store.database import Database
from shopkeeper.store.process import Process


class JobStatus(StrEnum):
    """Where a job is in its life."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


_WAITING = 500  # queued jobs that are looked at: more are refused elsewhere
_OPEN = (JobStatus.QUEUED.value, JobStatus.RUNNING.value)


@dataclass(frozen=True, slots=True)
class Job:
    """One call of an operation that runs in the background."""

    job_id: str
    operation: str
    arguments: Mapping[str, Any]
    actor: str
    scopes: frozenset[str]
    status: JobStatus
    created_at: datetime
    done: float = 0
    total: float | None = None
    message: str = ""
    result: Any = None
    error: Mapping[str, Any] | None = None
    cancel_requested: bool = False
    started_at: datetime | None = None
    finished_at: datetime | None = None


class Jobs:
    """The shop's jobs. A job goes from queued to running to one of three ends, never back."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(
        self, operation: str, arguments: Mapping[str, Any], actor: str, scopes: Iterable[str]
    ) -> Job:
        """A queued job that runs with these scopes of its actor; the arguments must be JSON."""
        job = Job(
            job_id=secrets.token_hex(12),
            operation=operation,
            arguments=dict(arguments),
            actor=actor,
            scopes=frozenset(scopes),
            status=JobStatus.QUEUED,
            created_at=datetime.now(UTC),
        )
        row = {name: getattr(job, name) for name in Job.__slots__}
        row |= {"status": job.status.value, "scopes": sorted(job.scopes)}
        with self._database.begin() as connection:
            connection.execute(tables.jobs.insert(), row)
        return job

    def once(
        self, operation: str, arguments: Mapping[str, Any], actor: str, scopes: Iterable[str]
    ) -> Job:
        """The job of this call that waits already, else a new one: asking twice does it once."""
        for job in self.list(status=JobStatus.QUEUED, limit=_WAITING):
            if job.operation == operation and job.arguments == dict(arguments):
                return job
        return self.create(operation, arguments, actor, scopes)

    def latest(self, operation: str) -> Job | None:
        """The newest job of this operation, whatever became of it."""
        j = tables.jobs.c
        query = select(tables.jobs).where(j.operation == operation).order_by(j.number.desc())
        with self._database.connect() as connection:
            row = connection.execute(query.limit(1)).mappings().first()
        return None if row is None else _job(row)

    def get(self, job_id: str) -> Job:
        """The job as it is now, or :class:`NotFound`."""
        query = select(tables.jobs).where(tables.jobs.c.job_id == job_id)
        with self._database.connect() as connection:
            row = connection.execute(query).mappings().first()
        if row is None:
            raise NotFound(f"No job {job_id!r}.", hint="Check the id.", field="job_id")
        return _job(row)

    def list(
        self, *, status: JobStatus | None = None, limit: int = 50, offset: int = 0
    ) -> Sequence[Job]:
        """Jobs, the newest first."""
        j = tables.jobs.c
        query = select(tables.jobs).order_by(j.number.desc()).limit(limit).offset(offset)
        if status is not None:
            query = query.where(j.status == status.value)
        with self._database.connect() as connection:
            return [_job(row) for row in connection.execute(query).mappings()]

    def counts(self) -> dict[JobStatus, int]:
        """How many jobs are in each state; a state without any is left out."""
        j = tables.jobs.c
        query = select(j.status, func.count()).group_by(j.status)
        with self._database.connect() as connection:
            return {JobStatus(status): count for status, count in connection.execute(query)}

    def start(self, job_id: str) -> Job:
        """Take a queued job for this process; :class:`Conflict` when another has it."""
        j = tables.jobs.c
        now = datetime.now(UTC)
        values = {
            "status": JobStatus.RUNNING.value,
            "started_at": now,
            "process": Process.this().to_json(),
        }
        with self._database.begin() as connection:
            mine = update(tables.jobs).where(j.job_id == job_id, j.status == "queued")
            taken = connection.execute(mine.values(values)).rowcount == 1
        job = self.get(job_id)
        if not taken:
            raise Conflict(f"Job {job_id} is {job.status}, not queued.", hint="Look at its state.")
        return replace(job, status=JobStatus.RUNNING, started_at=now)

    def progress(self, job_id: str, done: float, total: float | None, message: str) -> None:
        """Note how far a running job is; raises :class:`Cancelled` when it must stop."""
        j = tables.jobs.c
        values = {"done": done, "total": total, "message": message}
        with self._database.begin() as connection:
            running = update(tables.jobs).where(j.job_id == job_id, j.status == "running")
            connection.execute(running.values(values))
            stop = connection.scalar(select(j.cancel_requested).where(j.job_id == job_id))
        if stop:
            raise Cancelled(f"Job {job_id} was cancelled.", hint="Start it again if need be.")

    def finish(
        self, job_id: str, *, result: Any = None, error: Mapping[str, Any] | None = None
    ) -> Job:
        """End a job: done with its result, failed with its error, or cancelled if that was asked.

        An error whose code is ``Cancelled`` ends it as cancelled; a job that has ended stays as it is.
        """
        status = JobStatus.DONE
        if error is not None:
            code = error.get("error", error)
            cancelled = isinstance(code, Mapping) and code.get("code") == "Cancelled"
            status = JobStatus.CANCELLED if cancelled else JobStatus.FAILED
        self._end([job_id], status, result, error)
        return self.get(job_id)

    def request_cancel(self, job_id: str) -> Job:
        """Ask a job to stop: one that has not begun ends at once, a running one at its next step."""
        j = tables.jobs.c
        with self._database.begin() as connection:
            one = update(tables.jobs).where(j.job_id == job_id, j.status.in_(_OPEN))
            connection.execute(one.values(cancel_requested=True))
            connection.execute(
                one.where(j.status == "queued").values(
                    status=JobStatus.CANCELLED.value, finished_at=datetime.now(UTC)
                )
            )
        return self.get(job_id)

    def cancel_requested(self, job_id: str) -> bool:
        """Whether somebody asked the job to stop."""
        return self.get(job_id).cancel_requested

    def abandoned(self) -> Sequence[Job]:
        """Running jobs whose process on this machine has died."""
        j = tables.jobs.c
        query = select(tables.jobs).where(j.status == "running").order_by(j.number)
        with self._database.connect() as connection:
            rows = connection.execute(query).mappings().all()
        return [
            _job(row) for row in rows if row["process"] and Process.of(row["process"]).is_dead()
        ]

    def requeue(self, job_id: str) -> Job:
        """Queue a running job again, because the process that ran it has died."""
        j = tables.jobs.c
        with self._database.begin() as connection:
            one = update(tables.jobs).where(j.job_id == job_id, j.status == "running")
            connection.execute(one.values(status="queued", process=None, started_at=None, done=0))
        return self.get(job_id)

    def _end(
        self,
        job_ids: Sequence[str],
        status: JobStatus,
        result: Any,
        error: Mapping[str, Any] | None,
    ) -> None:
        j = tables.jobs.c
        values = {
            "status": status.value,
            "result": result,
            "error": error,
            "finished_at": datetime.now(UTC),
        }
        with self._database.begin() as connection:
            still = update(tables.jobs).where(j.job_id.in_(job_ids), j.status.in_(_OPEN))
            connection.execute(still.values(values))


def _job(row: RowMapping) -> Job:
    known = {name: row[name] for name in Job.__slots__}
    known |= {"status": JobStatus(row["status"]), "scopes": frozenset(row["scopes"])}
    return Job(**known)
