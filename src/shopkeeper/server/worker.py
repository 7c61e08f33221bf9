"""The worker: the one process that writes the tables, and that does the jobs."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from shopkeeper.core.errors import Conflict, LeaseHeld
from shopkeeper.server import nightly
from shopkeeper.server.launching import launching
from shopkeeper.server.observe import logs, meters, traces
from shopkeeper.server.observe.names import SERVES
from shopkeeper.server.options import ServeOptions
from shopkeeper.server.sending import sending
from shopkeeper.shop.shop import Shop
from shopkeeper.store.jobs import JobStatus
from shopkeeper.warehouse.writer import Writer

if TYPE_CHECKING:
    from shopkeeper.server.workflows import Workflows

log = logs.logger("worker")

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
                with shop.writer(SERVES) as writer, sending(shop), launching(shop):
                    _Worker(shop, writer, options, stop).run()
            except LeaseHeld:
                log.warning("another process writes the tables: waiting for it")
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
        self._followed = writer.moved()
        self._chores = [
            Chore("move the intake log", options.drain_seconds, self._drain, rest=0.0),
            Chore("start jobs", _IDLE_SECONDS, self._jobs, rest=0.0),
            Chore("snapshot the store", 15.0, writer.snapshot),
            Chore("maintain the tables", 60.0, writer.maintain),
            Chore("follow segments", 2.0, self._follow),
            Chore("renew what an import made old", 30.0, self._renew),
            Chore("queue what runs by night", 600.0, lambda: nightly.queue(shop)),
            Chore("remove unused files", 86_400.0, lambda: writer.maintain(vacuum=True)),
        ]
        self._chores[-1].next = time.monotonic() + 3600  # not in the busy minute of a start
        self._chores[-2].next = time.monotonic() + 600

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
            with meters.CHORES.labels(chore.name).time(), traces.span(chore.name):
                chore.run()
        except Conflict:  # the lease was lost, as after a long sleep: start over as a new process
            raise
        except Exception:  # tried again later: nothing that was accepted is lost
            meters.CHORE_FAILURES.labels(chore.name).inc()
            log.exception("a chore failed", chore=chore.name)

    def _do_last(self) -> None:
        """Leave as little as possible behind for the next start."""
        try:
            self._writer.drain()
        except Exception:
            log.exception("a chore failed", chore="move the intake log at the end")

    def _drain(self) -> None:
        meters.DRAINED.inc(self._writer.drain())

    def _follow(self) -> None:
        """Who has just done something may have entered a segment, or left one."""
        if not self._shop.segments.current():
            return
        from shopkeeper.customers.segmenting.following import follow  # noqa: PLC0415 - memory

        self._followed, _ = follow(self._shop, self._followed)

    def _renew(self) -> None:
        """Memberships, predictions and groups of before a bulk import are made anew, once."""
        if not self._shop.imports.list(1):
            return
        from shopkeeper.customers.freshness import renew  # noqa: PLC0415 - memory

        if queued := renew(self._shop):
            log.info("queued after an import", operations=queued)

    def _jobs(self) -> None:
        """Start queued jobs; the job engine is loaded when there is first something for it to do."""
        if self._workflows is None:
            kinds = (JobStatus.QUEUED, JobStatus.RUNNING)
            if not any(self._shop.jobs.list(status=kind, limit=1) for kind in kinds):
                return
            from shopkeeper.server.workflows import Workflows  # noqa: PLC0415 - seconds, and memory

            self._workflows = Workflows(self._shop, self._options)
        self._workflows.start_queued()
