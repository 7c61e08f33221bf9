"""Jobs as durable workflows: DBOS remembers what was started, so that a killed worker takes it up again.

Only the worker imports this, under the writer's lease: with two processes launching DBOS the same
steps ran twice. The row in ``store.jobs`` is what people and surfaces see; DBOS holds nothing but
the job's id, in its portable JSON, under a version that does not change with the code.
"""

from __future__ import annotations

import threading
import time
from pathlib import Path

from dbos import DBOS, DBOSConfig, DBOSPortableJSONSerializer, SetWorkflowID
from pydantic import BaseModel

from shopkeeper.core.errors import Conflict, ShopkeeperError, Unavailable
from shopkeeper.core.operation import Actor, Context, find
from shopkeeper.server.observe import logs, traces
from shopkeeper.server.options import MOST_QUEUED, ServeOptions
from shopkeeper.shop.shop import Shop
from shopkeeper.store.jobs import Job, JobStatus

log = logs.logger("jobs")

VERSION = "1"  # of the workflow below, not of the package: an upgrade must not strand what runs
EXECUTOR = "worker"  # fixed, so that the next worker takes up what this one leaves
_TRIES = 3  # a job that kills its worker is given up after as many
_REPORT_SECONDS = 0.5
_STOP_SECONDS = 8.0
_GIVEN_UP = ("ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED")


class Interrupted(BaseException):
    """The worker is stopping: not an outcome, so DBOS runs the job again at the next start."""


class Workflows:
    """Launches DBOS once, starts queued jobs and reports how each ends."""

    def __init__(self, shop: Shop, options: ServeOptions) -> None:
        self._shop = shop
        self._most = options.jobs_at_once
        self._stopping = threading.Event()
        self._active: set[str] = set()
        self._changed = threading.Condition()
        DBOS(config=_config(shop))

        def work(job_id: str) -> None:  # DBOS wraps functions, not methods
            self._work(job_id)

        self._workflow = DBOS.workflow(name="job", max_recovery_attempts=_TRIES)(work)
        DBOS.launch()

    def start_queued(self) -> None:
        """Start as many queued jobs, oldest first, as may run at once."""
        self._settle_given_up()
        room = self._most - len(self._active)
        if room <= 0:
            return
        waiting = self._shop.jobs.list(status=JobStatus.QUEUED, limit=MOST_QUEUED)
        for job in list(reversed(waiting))[:room]:
            self._start(job.job_id)

    def _start(self, job_id: str) -> None:
        self._enter(job_id)
        try:
            with SetWorkflowID(job_id):  # a second start of the same id does nothing
                handle = DBOS.start_workflow(self._workflow, job_id)
            given_up = handle.get_status().status in _GIVEN_UP
        except BaseException:
            self._leave(job_id)
            raise
        if given_up:
            self._give_up(job_id)
            self._leave(job_id)

    def close(self) -> None:
        """Interrupt what runs, wait a little for it, and leave the rest to the next start."""
        self._stopping.set()
        with self._changed:
            self._changed.wait_for(lambda: not self._active, _STOP_SECONDS)
        DBOS.destroy()

    def _settle_given_up(self) -> None:
        """Jobs that DBOS has given up, because they ended their worker each time, have failed."""
        for job in self._shop.jobs.list(status=JobStatus.RUNNING, limit=MOST_QUEUED):
            if job.job_id not in self._active:  # so it was taken up by a worker before this one
                status = DBOS.get_workflow_status(job.job_id)
                if status is None or status.status in _GIVEN_UP:
                    self._give_up(job.job_id)

    def _give_up(self, job_id: str) -> None:
        error = Unavailable(
            "The job ended its worker several times and was given up.",
            hint="Look at the server's log; run a smaller job.",
        )
        self._shop.jobs.finish(job_id, error=error.to_json())

    def _work(self, job_id: str) -> None:
        """The workflow: its one step may run again after a crash, and ends the job's row once."""
        self._enter(job_id)
        try:
            DBOS.run_step({"name": "operation"}, self._once, job_id)
        finally:
            self._leave(job_id)

    def _enter(self, job_id: str) -> None:
        with self._changed:
            self._active.add(job_id)

    def _leave(self, job_id: str) -> None:
        with self._changed:
            self._active.discard(job_id)
            self._changed.notify_all()

    def _once(self, job_id: str) -> None:
        jobs = self._shop.jobs
        if (
            jobs.get(job_id).status is JobStatus.RUNNING
        ):  # by a worker that is gone: we hold its lease
            jobs.requeue(job_id)
        try:
            job = jobs.start(job_id)
        except Conflict:  # it ended just before a crash, or was cancelled while it waited
            return
        try:
            reply = self._run(job)
        except Interrupted:
            log.warning("a job is interrupted and goes on at the next start", job=job_id)
            raise
        except ShopkeeperError as error:
            jobs.finish(job_id, error=error.to_json())
        except Exception:
            log.exception("a job failed", job=job_id)
            inside = ShopkeeperError("The job failed inside.", hint="Look at the server's log.")
            jobs.finish(job_id, error=inside.to_json())
        else:
            jobs.finish(job_id, result=reply.model_dump(mode="json"))

    def _run(self, job: Job) -> BaseModel:
        """Run the operation with the rights that whoever asked had when it was queued, and no more."""
        operation = find(job.operation)
        actor = Actor("job", job.actor, job.scopes)
        progress = _Progress(self._shop, job.job_id, self._stopping)
        with traces.span(operation.full_name):
            reply: BaseModel = operation.run(Context(self._shop, actor, progress), job.arguments)
        return reply


class _Progress:
    """Writes how far a job is, twice a second at most, and stops it when somebody asks."""

    def __init__(self, shop: Shop, job_id: str, stopping: threading.Event) -> None:
        self._jobs = shop.jobs
        self._job_id = job_id
        self._stopping = stopping
        self._next = 0.0

    def __call__(self, done: float, total: float | None, message: str) -> None:
        if self._stopping.is_set():
            raise Interrupted
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + _REPORT_SECONDS
        self._jobs.progress(self._job_id, done, total, message)


def _config(shop: Shop) -> DBOSConfig:
    return {
        "name": "shopkeeper",
        "system_database_url": _address(shop),
        "executor_id": EXECUTOR,
        "application_version": VERSION,
        "serializer": DBOSPortableJSONSerializer(),
        "log_level": "WARNING",
        "max_executor_threads": 16,
    }


def _address(shop: Shop) -> str:
    """DBOS's own tables: a file beside the store's, or a schema of the same PostgreSQL database."""
    given = shop.settings.database
    if given and not given.startswith("sqlite"):
        return "postgresql://" + given.partition("://")[2]
    path = Path(shop.folder) / "jobs.sqlite"
    path.touch(mode=0o600)
    return f"sqlite:///{path}"
