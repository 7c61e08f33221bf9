"""One look at the store for everybody: what the live parts of all open pages are told."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass

from nicegui import Event

from shopkeeper.console.calls import Calls
from shopkeeper.console.forecast import Forecast
from shopkeeper.store.jobs import Job, JobStatus

log = logging.getLogger("shopkeeper.console")

_JOBS = 50


@dataclass(frozen=True)
class Beat:
    """What the store looked like: the newest jobs, and what changes with the data."""

    jobs: tuple[Job, ...]
    stamp: tuple[int, ...]
    logged: int
    orphans: frozenset[str] = frozenset()
    """Running jobs whose worker has died."""

    def of(self, job_id: str) -> Job | None:
        """The job of that id, if it is among the newest."""
        return next((job for job in self.jobs if job.job_id == job_id), None)


def _ended(beat: Beat) -> set[str]:
    going = (JobStatus.QUEUED, JobStatus.RUNNING)
    return {job.job_id for job in beat.jobs if job.status not in going}


class Pulse:
    """Looks at the store once a second for as long as any page is open."""

    def __init__(self, calls: Calls, forecast: Forecast) -> None:
        self._calls = calls
        self._forecast = forecast
        self._tasks: list[asyncio.Task[None]] = []
        self.changed = Event[Beat]()
        """Sent to open pages whenever something looks different."""
        self.ticked = Event[[]]()
        """Sent each time, for what depends on the clock alone."""
        self.answers = Event[bool]()
        """Sent when the store answers no more, and when it does again."""
        self.last: Beat | None = None
        self.away = False
        """Whether the store does not answer."""

    def start(self) -> None:
        """Begin; called on the event loop."""
        self._tasks = [
            asyncio.create_task(self._beat(), name="pulse"),
            asyncio.create_task(self._tick(), name="tick"),
        ]

    def stop(self) -> None:
        """Look no more."""
        for task in self._tasks:
            task.cancel()

    async def _beat(self) -> None:
        while True:
            if self.ticked.callbacks:
                try:
                    await self._look()
                    self._answered(True)
                except Exception as error:  # the next look tells whether it is back
                    if not self.away:
                        log.exception("could not look at the store", exc_info=error)
                    self._answered(False)
            await asyncio.sleep(self._calls.options.pulse_seconds)

    async def _tick(self) -> None:
        """Beside the looking, which may hang: who has been away for too long must go all the same."""
        while True:
            await asyncio.sleep(self._calls.options.pulse_seconds)
            self.ticked.emit()

    async def _look(self) -> None:
        beat = await self._calls.look(self._read)
        self._forecast.look(beat.stamp)
        if beat != self.last:
            if self.last is not None and _ended(beat) - _ended(self.last):
                self._calls.renew()  # a job has ended, an import perhaps
            self.last = beat
            self.changed.emit(beat)

    def _answered(self, answers: bool) -> None:
        if self.away == answers:
            self.away = not answers
            self.answers.emit(answers)

    def _read(self) -> Beat:
        shop = self._calls.shop
        jobs = tuple(shop.jobs.list(limit=_JOBS))
        running = any(job.status is JobStatus.RUNNING for job in jobs)
        orphans = frozenset(job.job_id for job in shop.jobs.abandoned()) if running else frozenset()
        return Beat(jobs, self._calls.stamp(), shop.log.last(), orphans)
