"""A long operation done here or, while a server on this machine holds the tables, by its worker."""

from __future__ import annotations

import secrets
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from shopkeeper.collect.paths import permitted
from shopkeeper.core import errors
from shopkeeper.core.errors import Cancelled, LeaseHeld, ShopkeeperError, Unavailable
from shopkeeper.core.operation import WRITE, Actor, Context, Operation, Progress
from shopkeeper.server import inbox
from shopkeeper.server.observe.names import SERVES
from shopkeeper.server.options import MOST_QUEUED
from shopkeeper.shop.shop import Shop
from shopkeeper.shop.writing import LEASE
from shopkeeper.store.jobs import Job, JobStatus
from shopkeeper.store.lease import Leases

_ENDED = frozenset({JobStatus.DONE, JobStatus.FAILED, JobStatus.CANCELLED})
_LOOK_SECONDS = 0.2
_GONE_SECONDS = 90.0  # a worker that was killed is started again well before
_FILES = frozenset({"path", "mapping"})  # arguments of collect that may name a file of the owner's


def run(
    shop: Shop,
    operation: Operation[Any, Any],
    arguments: Mapping[str, Any],
    actor: Actor,
    progress: Progress,
) -> BaseModel:
    """The reply of a job.

    It runs in this process. While ``shopkeeper serve`` on this machine writes the tables, its worker
    does what needs them: an import is handed to it at once, others when they are refused the lease.
    """
    brings = operation.capability == "collect" and operation.effect == WRITE
    if brings and not arguments.get("dry_run") and _served(shop):
        return by_worker(shop, operation, arguments, actor, progress)
    try:
        reply: BaseModel = operation.run(Context(shop, actor, progress), arguments)
    except LeaseHeld:
        if not _served(shop):
            raise
        return by_worker(shop, operation, arguments, actor, progress)
    return reply


def by_worker(
    shop: Shop,
    operation: Operation[Any, Any],
    arguments: Mapping[str, Any],
    actor: Actor,
    progress: Progress,
) -> BaseModel:
    """The reply of a job that the worker does: queued, followed, and stopped when progress says so.

    A file that the local owner names outside the inbox is copied into it while the job lasts.

    Raises:
        Unavailable: no worker runs, or too many jobs wait.
    """
    operation.admit(actor, arguments)
    operation.check(arguments)
    if _holder(shop) is None:
        raise Unavailable("No worker runs that could do this.", hint="Start one: shopkeeper serve")
    jobs = shop.jobs
    if len(jobs.list(status=JobStatus.QUEUED, limit=MOST_QUEUED)) >= MOST_QUEUED:
        raise Unavailable("Too many jobs wait already.", hint="Try again when some have run.")
    with _brought(shop, operation.capability, arguments, actor) as sent:
        job = jobs.create(operation.full_name, sent, actor.name, actor.scopes)
        ended = _followed(shop, job, progress)
    if ended.status is JobStatus.DONE:
        reply: BaseModel = operation.reply.model_validate(ended.result)
        return reply
    raise _error(ended)


def _followed(shop: Shop, job: Job, progress: Progress) -> Job:
    """The job once it has ended."""
    stopping = False
    seen = time.monotonic()
    while True:
        now = shop.jobs.get(job.job_id)
        if now.status in _ENDED:
            return now
        if _holder(shop) is not None:
            seen = time.monotonic()
        elif time.monotonic() - seen > _GONE_SECONDS:
            raise Unavailable(
                f"The server stopped; job {job.job_id} goes on when it starts again.",
                hint="Start it: shopkeeper serve",
            )
        if not stopping:
            try:
                progress(now.done, now.total, now.message)
            except Cancelled:
                shop.jobs.request_cancel(job.job_id)
                stopping = True
        time.sleep(_LOOK_SECONDS)


@contextmanager
def _brought(
    shop: Shop, capability: str, arguments: Mapping[str, Any], actor: Actor
) -> Iterator[dict[str, Any]]:
    """The arguments with files that only the local owner may name copied to where the worker may look."""
    sent = dict(arguments)
    if actor.kind != "local" or capability != "collect":
        yield sent
        return
    root = (shop.folder / inbox.FOLDER).resolve()
    own = root / f".from-{secrets.token_hex(8)}"
    try:
        for name in _FILES & sent.keys():
            given = str(sent[name] or "")
            if name == "mapping" and not (given and Path(given).expanduser().is_file()):
                continue  # nothing, or a shipped one's name
            found = permitted(given, shop.folder, actor)
            if not found.is_relative_to(root):
                own.mkdir(mode=0o700, parents=True, exist_ok=True)
                copy = own / found.name
                shutil.copyfile(found, copy)
                copy.chmod(0o600)
                found = copy
            sent[name] = str(found.relative_to(root))
        yield sent
    finally:
        shutil.rmtree(own, ignore_errors=True)


def _served(shop: Shop) -> bool:
    """Whether a server's worker on this machine holds the tables."""
    return _holder(shop) is True


def _holder(shop: Shop) -> bool | None:
    """Whether the worker that holds the tables is on this machine; None where no worker does."""
    held = Leases(shop.database).held(LEASE)
    return held.process.is_here() if held is not None and held.purpose == SERVES else None


def _error(job: Job) -> ShopkeeperError:
    """The error that ended the job, as it would have been raised here."""
    told = (job.error or {}).get("error", {})
    if not told:
        return Cancelled("The job was stopped.", hint="It is safe to run it again.")
    kind = getattr(errors, str(told.get("code")), ShopkeeperError)
    if not (isinstance(kind, type) and issubclass(kind, ShopkeeperError)):
        kind = ShopkeeperError
    error = kind.__new__(kind)
    ShopkeeperError.__init__(
        error, told.get("message", ""), hint=told.get("hint", ""), field=told.get("field")
    )
    return error
