"""Of when memberships, predictions and groups are, and their renewal after a bulk import."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

from shopkeeper.customers.clusters.shown import model_of
from shopkeeper.customers.predict.kinds import MODEL
from shopkeeper.customers.types import Freshness, Kept
from shopkeeper.shop.shop import Shop
from shopkeeper.store.imports import Receipt
from shopkeeper.store.jobs import JobStatus
from shopkeeper.store.models import Models
from shopkeeper.store.segments import EVERYONE

ACTOR: Final = "renewal"
QUIET: Final = timedelta(seconds=60)
"""How long after the last import nothing is queued: files often come one after the other."""

_SEGMENTS: Final = "customers.refresh_segments"
_PREDICT: Final = "customers.predict"
_CLUSTER: Final = "customers.cluster"
_RECEIPTS: Final = 20
_OPEN: Final = (JobStatus.QUEUED, JobStatus.RUNNING)


def freshness(shop: Shop) -> Freshness:
    """As of when each is, which of them an import has made old, and which of those are being renewed."""
    imported = _imported(shop)
    when = imported.finished_at if imported else None
    kept = tuple(
        Kept(
            what=what,
            as_of=as_of,
            stale=as_of is not None and when is not None and when > as_of,
            renewal=_renewal(shop, operation),
        )
        for what, operation, as_of in _known(shop)
    )
    return Freshness(imported_at=when, kept=kept)


def renew(shop: Shop) -> list[str]:
    """Queue, once each, what the last import has made old; the operations that were queued.

    Only what was made before is made again: predictions of a shop that never asked for any wait for the
    night. Nothing is queued while an import runs or has only just ended.
    """
    imported = _imported(shop)
    if imported is None or imported.finished_at is None:
        return []
    ended = imported.finished_at
    if datetime.now(UTC) - ended < QUIET or _importing(shop):
        return []
    queued = []
    for _, operation, as_of in _known(shop):
        last = shop.jobs.latest(operation)
        asked = last is not None and (last.started_at is None or last.started_at >= ended)
        if as_of is not None and as_of < ended and not asked:
            shop.jobs.once(operation, {}, ACTOR, {"customers:write"})
            queued.append(operation)
    return queued


def _known(shop: Shop) -> Iterator[tuple[str, str, datetime | None]]:
    """What is kept, the operation that makes it, and as of when it is."""
    made = (
        ("segments", _SEGMENTS, _refreshed(shop)),
        ("predictions", _PREDICT, _made(shop, MODEL)),
        ("clusters", _CLUSTER, _clustered(shop)),
    )
    for what, operation, at in made:
        last = shop.jobs.latest(operation)
        # What a job made is of when it began: rows that came while it ran may be missing in it.
        if at is not None and last is not None and last.started_at is not None:
            made_by_it = last.started_at <= at <= (last.finished_at or at)
            yield what, operation, last.started_at if made_by_it else at
        else:
            yield what, operation, at


def _imported(shop: Shop) -> Receipt | None:
    """The last import that brought rows."""
    ended = [r for r in shop.imports.list(_RECEIPTS) if r.finished_at is not None and r.new]
    return max(ended, key=lambda receipt: receipt.finished_at or receipt.started_at, default=None)


def _importing(shop: Shop) -> bool:
    running = (job for kind in _OPEN for job in shop.jobs.list(status=kind))
    return any(job.operation.startswith("collect.") for job in running)


def _refreshed(shop: Shop) -> datetime | None:
    size = shop.segments.newest_sizes().get(EVERYONE)
    return size.time if size else None


def _made(shop: Shop, name: str) -> datetime | None:
    model = Models(shop.database).current(name)
    return model.made_at if model else None


def _clustered(shop: Shop) -> datetime | None:
    made = [model.made_at for by in ("tastes", "habits") if (model := model_of(shop, by))]
    return min((one for one in made if one is not None), default=None)


def _renewal(shop: Shop, operation: str) -> str:
    last = shop.jobs.latest(operation)
    return last.status.value if last is not None and last.status in _OPEN else ""
