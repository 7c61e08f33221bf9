"""One look at the store for everybody: what the live parts of all open pages are told."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass

from nicegui import Event, run

from shopkeeper.console.calls import Calls
from shopkeeper.store.jobs import Job

log = logging.getLogger("shopkeeper.console")

_JOBS = 50


@dataclass(frozen=True)
class Beat:
    """What the store looked like: the newest jobs, and what changes with the data."""

    jobs: tuple[Job, ...]
    stamp: tuple[int, ...]
    logged: int

    def of(self, job_id: str) -> Job | None:
        """The job of that id, if it is among the newest."""
        return next((job for job in self.jobs if job.job_id == job_id), None)


class Pulse:
    """Looks at the store once a second for as long as any page is open."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._task: asyncio.Task[None] | None = None
        self.changed = Event[Beat]()
        """Sent to open pages whenever something looks different."""
        self.ticked = Event[[]]()
        """Sent each time, for what depends on the clock alone."""
        self.last: Beat | None = None

    def start(self) -> None:
        """Begin; called on the event loop."""
        self._task = asyncio.create_task(self._beat(), name="pulse")

    def stop(self) -> None:
        """Look no more."""
        if self._task is not None:
            self._task.cancel()

    async def _beat(self) -> None:
        while True:
            if self.ticked.callbacks:
                try:
                    await self._look()
                except Exception:  # the store may be away for a while: the next look tells
                    log.exception("could not look at the store")
                self.ticked.emit()
            await asyncio.sleep(self._calls.options.pulse_seconds)

    async def _look(self) -> None:
        beat = await run.io_bound(self._read)
        if beat is not None and beat != self.last:
            self.last = beat
            self.changed.emit(beat)

    def _read(self) -> Beat:
        shop = self._calls.shop
        return Beat(tuple(shop.jobs.list(limit=_JOBS)), self._calls.stamp(), shop.log.last())
