"""What can be asked about jobs: only of operations that the one who asks may run or read."""

from __future__ import annotations

from shopkeeper.core.errors import NotAllowed
from shopkeeper.core.operation import READ, WRITE, Actor, Context, Effect, operation
from shopkeeper.server.jobs.types import Job, JobList, Status


@operation(effect=READ, example={"job_id": "0123456789abcdef01234567"})
def show(ctx: Context, job_id: str) -> Job:
    """One job: how far it is, and what came out."""
    job = Job.of(ctx.shop.jobs.get(job_id))
    _permit(ctx.actor, job, READ)
    return job


@operation(effect=READ, example={"status": "running"})
def listing(ctx: Context, status: Status | None = None, limit: int = 50) -> JobList:
    """Jobs, the newest first."""
    from shopkeeper.store.jobs import JobStatus

    wanted = None if status is None else JobStatus(status)
    rows = ctx.shop.jobs.list(status=wanted, limit=max(1, min(limit, 1000)))
    jobs = (Job.of(row).model_copy(update={"result": None}) for row in rows)
    return JobList(jobs=tuple(job for job in jobs if _may(ctx.actor, job, READ)))


@operation(effect=WRITE, example={"job_id": "0123456789abcdef01234567"})
def cancel(ctx: Context, job_id: str) -> Job:
    """Ask a job to stop: one that waits ends at once, a running one at its next step."""
    _permit(ctx.actor, Job.of(ctx.shop.jobs.get(job_id)), WRITE)
    return Job.of(ctx.shop.jobs.request_cancel(job_id))


def _permit(actor: Actor, job: Job, effect: Effect) -> None:
    if not _may(actor, job, effect):
        raise NotAllowed(
            f"{actor.name} may not see or stop jobs of {job.operation}.",
            hint="Ask the owner for the scope of that capability.",
        )


def _may(actor: Actor, job: Job, effect: Effect) -> bool:
    return actor.may(job.operation.partition(".")[0], effect)
