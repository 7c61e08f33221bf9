"""The worker: the one process that writes the tables, and that does the jobs."""

from __future__ import annotations

import logging
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from shopkeeper.core.errors import Conflict, LeaseHeld, ShopkeeperError
from shopkeeper.server.options import ServeOptions
from shopkeeper.shop.shop import Shop
from shopkeeper.store.jobs import JobStatus
from shopkeeper.warehouse.writer import Writer

if TYPE_CHECKING:
    from shopkeeper.server.workflows import Workflows

log = logging.getLogger("shopkeeper.worker")

PURPOSE = "shopkeeper serve"
_KEEP = timedelta(days=7)  # how long the log refuses an event that comes again
_IDLE_SECONDS = 0.25
_PAUSE_SECONDS = 5.0  # before what failed is tried again


@dataclass
class Chore:
    """Something to do every so often, and less often where it takes long."""

    name: str
    seconds: float
    do: Callable[[], object]
    rest: float = 19.0
    next: float = float("-inf")

    def run(self) -> None:
        """Do it; the next time comes after ``rest`` times as long as it took, at the earliest."""
        began = time.monotonic()
        self.next = began + max(self.seconds, _PAUSE_SECONDS)  # holds if it fails
        self.do()
        ended = time.monotonic()
        self.next = max(began + self.seconds, ended + self.rest * (ended - began))


def run(folder: Path, options: ServeOptions) -> None:
    """Hold the lease and work until SIGTERM; waits while another process holds it."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _signal, _frame: stop.set())
    with Shop.open(folder) as shop:
        while not stop.is_set():
            try:
                with shop.writer(PURPOSE) as writer:
                    _Worker(shop, writer, options, stop).run()
            except LeaseHeld as held:
                log.warning("%s", held)
                stop.wait(1.0)


class _Worker:
    def __init__(
        self, shop: Shop, writer: Writer, options: ServeOptions, stop: threading.Event
    ) -> None:
        self._shop = shop
        self._writer = writer
        self._options = options
        self._stop = stop
        self._workflows: Workflows | None = None
        self._settled = 0
        self._chores = [
            Chore("move the intake log", options.drain_seconds, writer.drain, rest=0.0),
            Chore("shorten the log's tail", 5.0, self._settle),
            Chore("start jobs", _IDLE_SECONDS, self._jobs, rest=0.0),
            Chore("snapshot the store", 15.0, writer.snapshot),
            Chore("maintain the tables", 60.0, writer.maintain),
            Chore("purge the log", 3600.0, self._purge),
            Chore("remove unused files", 86_400.0, lambda: writer.maintain(vacuum=True)),
        ]
        self._chores[-1].next = time.monotonic() + 3600  # not in the busy minute of a start

    def run(self) -> None:
        try:
            while not self._stop.is_set():
                for chore in self._chores:
                    self._do(chore)
                self._stop.wait(_IDLE_SECONDS)
        finally:
            if self._workflows is not None:
                self._workflows.close()
        self._do_last()

    def _do(self, chore: Chore) -> None:
        if self._stop.is_set() or time.monotonic() < chore.next:
            return
        try:
            chore.run()
        except Conflict:  # the lease was lost, as after a long sleep: start over as a new process
            raise
        except ShopkeeperError as error:
            log.error("could not %s: %s", chore.name, error)
        except Exception:  # tried again later: nothing that was accepted is lost
            log.exception("could not %s", chore.name)

    def _do_last(self) -> None:
        """Leave as little as possible behind for the next start."""
        try:
            self._writer.drain()
        except Exception:
            log.exception("could not move the intake log at the end")

    def _jobs(self) -> None:
        """Start queued jobs; the job engine is loaded when there is first something for it to do."""
        if self._workflows is None:
            kinds = (JobStatus.QUEUED, JobStatus.RUNNING)
            if not any(self._shop.jobs.list(status=kind, limit=1) for kind in kinds):
                return
            from shopkeeper.server.workflows import Workflows  # noqa: PLC0415 - seconds, and memory

            self._workflows = Workflows(self._shop, self._options)
        self._workflows.start_queued()

    def _settle(self) -> None:
        """What is in the tables need not be looked for in the log by live answers."""
        moved = self._writer.moved()
        if moved > self._settled:
            self._shop.log.settle(moved)
            self._settled = moved

    def _purge(self) -> None:
        self._shop.log.purge(self._writer.moved(), self._shop.now() - _KEEP)
