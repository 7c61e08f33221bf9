"""The worker's duty to bring confirmed campaigns on their way, in a thread beside the writer."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from shopkeeper.campaigns.launching import Launcher
from shopkeeper.server.observe import logs, meters
from shopkeeper.shop.shop import Shop

log = logs.logger("worker")

_CHORE: Final = "launch campaigns"
_SECONDS: Final = 2.0
_PAUSE: Final = 10.0  # before what failed is tried again


@contextmanager
def launching(shop: Shop) -> Iterator[None]:
    """Launch what is due while the block runs; at its end a page that was begun is finished."""
    stop = threading.Event()
    thread = threading.Thread(target=_run, args=(shop, stop), name="launching")
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _run(shop: Shop, stop: threading.Event) -> None:
    launcher = Launcher(shop)
    while not stop.is_set():
        wait = _SECONDS
        try:
            launcher.tick(stop.is_set)
        except Exception as error:
            meters.CHORE_FAILURES.labels(_CHORE).inc()
            log.error("a chore failed", chore=_CHORE, exc_info=error)
            wait = _PAUSE
        stop.wait(wait)
