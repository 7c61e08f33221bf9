"""What the worker does once a night: every operation that is declared ``nightly``, as a job of its own."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from shopkeeper.core import discovery
from shopkeeper.core.operation import Operation, of
from shopkeeper.server.observe import logs
from shopkeeper.shop.shop import Shop

log = logs.logger("nightly")

HOUR: Final = 3
"""By the shop's clock: the day before is whole, and few customers are about."""
ACTOR: Final = "nightly"
_LOOK_BACK: Final = 500


def operations() -> list[Operation[Any, Any]]:
    """Those that run by night, in order of their names."""
    found = (one for name in discovery.capabilities() for one in of(name).values())
    return sorted((one for one in found if one.nightly), key=lambda one: one.full_name)


def queue(shop: Shop) -> list[str]:
    """Queue what has not been queued since three o'clock this night; the names of what was.

    A server that was off at three does it when it is on again.
    """
    since = _latest(shop.now().astimezone(shop.settings.zone))
    done = {
        job.operation
        for job in shop.jobs.list(limit=_LOOK_BACK)
        if job.actor == ACTOR and job.created_at >= since
    }
    queued = []
    for one in operations():
        if one.full_name not in done:
            shop.jobs.create(one.full_name, {}, ACTOR, frozenset({f"{one.capability}:write"}))
            queued.append(one.full_name)
    if queued:
        log.info("queued for the night", operations=queued)
    return queued


def _latest(now: datetime) -> datetime:
    """The latest three o'clock before ``now``."""
    at = now.replace(hour=HOUR, minute=0, second=0, microsecond=0)
    return at if at <= now else at - timedelta(days=1)
