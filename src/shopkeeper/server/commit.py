"""Group commit: many waiting requests become one transaction, so that one disk sync serves them all."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from shopkeeper.core.errors import ShopkeeperError, Unavailable
from shopkeeper.server.observe import logs, meters

_ENTRIES = 5_000  # of one transaction: about a quarter of a second of SQLite
_CLOSE_SECONDS = 10.0
_NEARLY = 0.75

log = logs.logger("api")


T = TypeVar("T")


@dataclass(frozen=True)
class _Waiting(Generic[T]):
    item: T
    size: int
    loop: asyncio.AbstractEventLoop
    answer: asyncio.Future[int]


class Committer(Generic[T]):
    """One thread that writes what waits; a request is answered when its rows are durable."""

    def __init__(self, append: Callable[[Sequence[T]], list[int]], *, most_waiting: int) -> None:
        self._append = append
        self._most = most_waiting
        self._queue: deque[_Waiting[T]] = deque()
        self._size = 0
        self._wake = threading.Condition()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="committer", daemon=True)
        self._thread.start()

    @property
    def full(self) -> bool:
        """Whether so much waits that others should be sent elsewhere."""
        return self._size >= _NEARLY * self._most

    def submit(self, item: T, size: int) -> asyncio.Future[int]:
        """How many rows of the item were new, once it is durable; called on an event loop.

        ``size`` is its number of rows.

        Raises:
            Unavailable: too much waits already, or the server is stopping.
        """
        loop = asyncio.get_running_loop()
        waiting = _Waiting(item, size, loop, loop.create_future())
        with self._wake:
            if self._closing:
                raise Unavailable("The server is stopping.", hint="Send the events again.")
            # A request larger than the whole queue is let in when nothing waits.
            if self._size and self._size + size > self._most:
                raise Unavailable(
                    f"{self._size:,} events wait to be written already.",
                    hint="Send the events again in a second.",
                )
            self._queue.append(waiting)
            self._size += size
            meters.WAITING.set(self._size)
            self._wake.notify()
        return waiting.answer

    def close(self) -> None:
        """Write what waits, then stop."""
        with self._wake:
            self._closing = True
            self._wake.notify()
        self._thread.join(_CLOSE_SECONDS)

    def _run(self) -> None:
        while batch := self._next():
            began = time.perf_counter()
            try:
                results: list[int | Exception] = list(self._append([w.item for w in batch]))
            except Exception:  # noqa: BLE001 - whose fault it is shows when each is written alone
                results = [self._alone(waiting) for waiting in batch]
            _tell(batch, results)
            meters.GROUP_SECONDS.observe(time.perf_counter() - began)
            meters.GROUP_ROWS.observe(sum(waiting.size for waiting in batch))

    def _next(self) -> list[_Waiting[T]]:
        with self._wake:
            while not self._queue and not self._closing:
                self._wake.wait()
            batch: list[_Waiting[T]] = []
            size = 0
            while self._queue and (not batch or size + self._queue[0].size <= _ENTRIES):
                batch.append(self._queue.popleft())
                size += batch[-1].size
            self._size -= size
            meters.WAITING.set(self._size)
            return batch

    def _alone(self, waiting: _Waiting[T]) -> int | Exception:
        """One request's rows in a transaction of their own: writing twice is safe, ids are unique."""
        try:
            return self._append([waiting.item])[0]
        except ShopkeeperError as error:
            return error
        except Exception as error:  # handed to exactly the request that it belongs to
            log.exception("could not write rows", rows=waiting.size)
            return error


def _tell(batch: Sequence[_Waiting[T]], results: Sequence[int | Exception]) -> None:
    """Wake the requests, one call for each event loop."""
    by_loop: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[int], int | Exception]]] = {}
    for waiting, result in zip(batch, results, strict=True):
        by_loop.setdefault(waiting.loop, []).append((waiting.answer, result))
    for loop, answers in by_loop.items():
        if not loop.is_closed():
            loop.call_soon_threadsafe(_settle, answers)


def _settle(answers: list[tuple[asyncio.Future[int], int | Exception]]) -> None:
    for answer, result in answers:
        if answer.done():  # its client went away; the rows are durable all the same
            continue
        if isinstance(result, int):
            answer.set_result(result)
        elif isinstance(result, ShopkeeperError):
            answer.set_exception(result)
        else:
            failed = Unavailable(
                "The events could not be written.", hint="Send them again: ids make that safe."
            )
            failed.__cause__ = result
            answer.set_exception(failed)
