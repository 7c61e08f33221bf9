"""Works out in the background what people ask most, so that it is there when they ask."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from shopkeeper.console.cache import Stamp
from shopkeeper.console.calls import Calls
from shopkeeper.core.errors import ShopkeeperError
from shopkeeper.core.period import Days, Period
from shopkeeper.report.facts import DIMENSIONS, cycle_of

log = logging.getLogger("shopkeeper.console")

Question = tuple[str, dict[str, Any]]
"""An operation and its arguments."""

USUAL: Final = ("30d", "7d", "90d", "180d", "1y")
"""The periods that are offered, the one that every page begins with first."""

_SHARE: Final = 0.2  # of one thread's time, at most, while data come in without a pause
_LONGEST_S: Final = 600.0
_FIRST_S: Final = 5.0  # after the first page was opened: it is answered before we begin


def overview(since: str) -> Question:
    """The headline figures."""
    return "metrics.overview", {"since": since}


def trend(since: str, metric: str, span: Days | None) -> tuple[Question, Question | None]:
    """One figure over time, and over the period before where there is one."""
    cycle = cycle_of(span)
    now = ("metrics.series", {"metrics": (metric,), "since": since, "cycle": cycle})
    if span is None or since == "all":
        return now, None
    before = {"metrics": (metric,), "since": str(span.before()), "cycle": cycle}
    return now, ("metrics.series", before)


def groups(since: str, metric: str, by: str) -> Question:
    """What a figure is made up of."""
    return "metrics.breakdown", {"metric": metric, "by": by, "since": since, "k": 8}


def funnel(since: str) -> Question:
    """The steps to a purchase."""
    return "metrics.funnel", {"since": since}


def retention(data: Days | None) -> Question:
    """Who comes back, by when they first bought."""
    return "metrics.retention", {"cycle": "week" if data and len(data) <= 120 else "month", "k": 12}


class Forecast:
    """Asks the usual questions anew whenever the data have changed and somebody looks."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._room = ThreadPoolExecutor(1, "forecast")  # never more than one beside those who wait
        self._known: Stamp = ()
        self._ready_at: float | None = None
        self._task: asyncio.Task[None] | None = None

    def look(self, stamp: Stamp) -> None:
        """The data have this stamp; called on the event loop."""
        now = time.monotonic()
        if self._ready_at is None:
            self._ready_at = now + _FIRST_S
        busy = self._task is not None and not self._task.done()
        if busy or stamp == self._known or now < self._ready_at:
            return
        self._known = stamp
        self._task = asyncio.create_task(self._round(), name="forecast")

    def close(self) -> None:
        """Foresee no more, and wait for what is being worked out."""
        self._room.shutdown(cancel_futures=True)

    async def _round(self) -> None:
        began = time.monotonic()
        try:
            for since in USUAL:
                for name, arguments in await self._calls.look(lambda s=since: self._usual(s)):  # type: ignore[misc]
                    await self._calls.foresee(self._room, name, **arguments)
        except asyncio.CancelledError:  # the console stops
            return
        except ShopkeeperError:  # whoever asks is told
            log.info("the usual questions were not answered", exc_info=True)
        except Exception:
            log.exception("the usual questions were not answered")
        took = time.monotonic() - began
        self._ready_at = time.monotonic() + min(_LONGEST_S, took * (1 / _SHARE - 1))

    def _usual(self, since: str) -> Iterable[Question]:
        span = self._calls.resolved(Period(since))
        if span is None:
            return []
        now, before = trend(since, "net_revenue", span)
        asked = [overview(since), now, before, groups(since, "net_revenue", DIMENSIONS[0])]
        if since == USUAL[0]:
            asked += [("metrics.definitions", {}), retention(self._calls.resolved(Period("all")))]
        return [question for question in (*asked, funnel(since)) if question is not None]
