"""Tries again what may work later, waits as it is told, and leaves a model alone that keeps failing."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from shopkeeper.core.errors import ModelBusy
from shopkeeper.language.types import Backend, Price, Reply, Request


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to keep trying, in seconds.

    ``overall`` bounds all tries and waits together. The wait before try n+1 is random between half and
    all of ``first`` × 2^(n-1), at most ``longest`` (equal jitter, so that many callers spread out); a
    model that says when to come back is believed. After ``breaks`` failures one after the other the
    model is left alone for ``rest``; then one caller tries, and the others wait for how that ends.
    """

    tries: int = 4
    overall: float = 300.0
    first: float = 0.5
    longest: float = 30.0
    breaks: int = 8
    rest: float = 30.0


class Breaker:
    """Closed: calls pass. Open: they are refused at once. Half open: one passes and decides."""

    def __init__(self, patience: Patience, clock: Callable[[], float]) -> None:
        self._patience = patience
        self._clock = clock
        self._lock = threading.Lock()
        self._failures = 0
        self._closed_again = 0.0
        self._trying = False

    @property
    def state(self) -> str:
        """``closed``, ``open`` or ``half open``."""
        with self._lock:
            if self._failures < self._patience.breaks:
                return "closed"
            return "open" if self._clock() < self._closed_again else "half open"

    def admit(self) -> float:
        """0 where a call may pass, otherwise the seconds until one may be tried."""
        with self._lock:
            if self._failures < self._patience.breaks:
                return 0.0
            left = self._closed_again - self._clock()
            if left > 0:
                return left
            if self._trying:
                return self._patience.first
            self._trying = True
            return 0.0

    def worked(self) -> None:
        """A call came back with an answer, good or bad."""
        with self._lock:
            self._failures, self._trying = 0, False

    def failed(self) -> None:
        """A call found the model busy."""
        with self._lock:
            self._failures += 1
            self._trying = False
            if self._failures >= self._patience.breaks:
                self._closed_again = self._clock() + self._patience.rest


class Retried:
    """A backend that is asked again where :class:`ModelBusy` says that this may help.

    That are rates (429), errors of the server (5xx), time-outs, broken connections and answers that
    are no HTTP or no JSON. Wrong keys, unknown models, refused prompts, wrong forms and spent budgets
    are not tried again.
    """

    def __init__(
        self,
        backend: Backend,
        patience: Patience | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        chance: random.Random | None = None,
    ) -> None:
        self.backend = backend
        self.patience = patience or Patience()
        self.breaker = Breaker(self.patience, clock)
        self._clock = clock
        self._sleep = sleep
        self._chance = chance or random.Random()  # noqa: S311 - spreads callers, guards nothing

    @property
    def name(self) -> str:
        return self.backend.name

    @property
    def remote(self) -> bool:
        return self.backend.remote

    @property
    def price(self) -> Price | None:
        return self.backend.price

    def complete(self, request: Request) -> Reply:
        """The backend's reply, after as many tries as it takes and patience allows.

        Raises:
            ModelBusy: it did not answer in time, or is left alone for a while.
        """
        until = self._clock() + self.patience.overall
        number = 0
        while True:
            number += 1
            self._admit()
            left = max(0.1, until - self._clock())
            try:
                return self._once(replace(request, timeout=min(request.timeout, left)))
            except ModelBusy as error:
                wait = self._wait(number, error)
                if number >= self.patience.tries or self._clock() + wait >= until:
                    raise self._final(error, number) from error
            self._sleep(wait)

    def close(self) -> None:
        """Close the backend."""
        self.backend.close()

    def _admit(self) -> None:
        rest = self.breaker.admit()
        if rest:
            error = ModelBusy(
                f"{self.name} has failed {self.patience.breaks} times or more in a row and is not asked now.",
                hint=f"It is tried again in {rest:.0f} s.",
            )
            error.after = rest
            raise error

    def _once(self, request: Request) -> Reply:
        try:
            reply = self.backend.complete(request)
        except ModelBusy:
            self.breaker.failed()
            raise
        except BaseException:
            self.breaker.worked()  # it was not the model's being busy
            raise
        self.breaker.worked()
        return reply

    def _wait(self, number: int, error: ModelBusy) -> float:
        ceiling = min(self.patience.longest, self.patience.first * 2.0 ** (number - 1))
        wait: float = ceiling * (0.5 + 0.5 * self._chance.random())
        return max(wait, error.after or 0.0)

    def _final(self, error: ModelBusy, number: int) -> ModelBusy:
        tries = "once" if number == 1 else f"{number} times"
        final = ModelBusy(f"{error.message} It was asked {tries}.", hint=error.hint)
        final.after = error.after
        return final
