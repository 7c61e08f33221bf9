"""A thread of a server's process that keeps lists fresh beside the requests (stale while revalidate).

Requests answer by what is there until the new is whole and ready. One thing is made at a time; what fails is
logged, the old goes on serving, and it is tried again after a pause that doubles. Nothing is loaded in a
shop that has no fitted version, until somebody asks for a list.
"""

from __future__ import annotations

import gc
import logging
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from shopkeeper.recommend import beside
from shopkeeper.shop.shop import Shop

log = logging.getLogger("shopkeeper.recommend")

_TICK: Final = 0.5
"""Seconds between two looks at what may have changed."""
_LONGEST: Final = 60.0
"""Seconds after which what failed is tried again at the latest."""


@dataclass
class _Retry:
    """When a step that failed is tried again."""

    failures: int = 0
    due: float = 0.0

    def failed(self) -> None:
        self.failures += 1
        self.due = time.monotonic() + min(_TICK * 2.0**self.failures, _LONGEST)


class Keeper:
    """Keeps one shop's lists fresh from :meth:`start`, or for a ``with`` block; it looks at once."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop
        self._stop = threading.Event()
        self._bell = beside.Bell()
        self._retries: dict[str, _Retry] = {}
        self._thread = threading.Thread(target=self._run, name="lists", daemon=True)

    def start(self) -> None:
        """Begin; nobody waits for the first look."""
        self._bell = beside.hang(self._shop)
        self._thread.start()

    def close(self) -> None:
        """End, once what is under way is made."""
        self._stop.set()
        self._bell.rung.set()
        self._thread.join()
        beside.take_down(self._shop)
        gc.unfreeze()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _run(self) -> None:
        while not self._stop.is_set():
            if self._wanted():
                self._look()
            self._bell.rung.wait(_TICK)
            self._bell.rung.clear()

    def _wanted(self) -> bool:
        return self._bell.asked or (Path(self._shop.folder) / beside.MODELS).is_dir()

    def _look(self) -> None:
        from shopkeeper.recommend.renewing import STEPS  # noqa: PLC0415 - memory

        asked, self._bell.asked = self._bell.asked, False
        new = False
        for name, step in STEPS.items():
            retry = self._retries.setdefault(name, _Retry())
            if self._stop.is_set() or time.monotonic() < retry.due:
                continue
            try:
                new |= step(self._shop, asked=asked)
            except Exception:  # whatever it is: what is there goes on serving
                if not self._stop.is_set():
                    retry.failed()
                    log.exception("lists could not be renewed: the ones before go on")
            else:
                self._retries[name] = _Retry()
        if new:
            _set_aside()


def _set_aside() -> None:
    """Take all that lives now out of the garbage collector's rounds, until something is made anew.

    A round through what 100,000 items and 20,000 customers take stops all requests for 200 ms; under load
    one came every ten seconds. What becomes garbage meanwhile is freed by its count, cycles at the next call.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()
