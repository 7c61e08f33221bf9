"""The worker's duty to send: the outbox's desk in a thread beside the writer."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from shopkeeper.campaigns.leaving import untrue
from shopkeeper.contact.dispatch import Desk
from shopkeeper.server.observe import logs, meters
from shopkeeper.shop.shop import Shop

log = logs.logger("worker")

_CHORE = "send messages"


@contextmanager
def sending(shop: Shop) -> Iterator[None]:
    """Send what is due while the block runs; at its end each message on its way is finished."""
    desk = Desk(shop, failed=_failed, untrue=untrue)
    thread = threading.Thread(target=_run, args=(desk,), name="sending")
    thread.start()
    try:
        yield
    finally:
        desk.stop()
        thread.join()


def _run(desk: Desk) -> None:
    try:
        desk.run()
    except Exception as error:  # noqa: BLE001 - told: the writer's work goes on
        _failed("run", error)


def _failed(_what: str, error: BaseException) -> None:
    meters.CHORE_FAILURES.labels(_CHORE).inc()
    log.error("a chore failed", chore=_CHORE, exc_info=error)
