"""Many questions to one model: several at a time, each answer handed on as soon as it is there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import islice

from shopkeeper.core.errors import BadReply, ModelFailed, NotSent, ShopkeeperError, TooLarge
from shopkeeper.language.types import Backend, Reply, Request

Failed = BadReply | ModelFailed | NotSent | TooLarge
"""What may be wrong with one question while the others are answered."""


def complete_each(
    backend: Backend, requests: Iterable[Request], *, at_once: int = 4
) -> Iterator[tuple[int, Reply | Failed]]:
    """The position of each request with its reply, or with what was wrong with it; in no order.

    Requests are taken from the iterable as there is room, so it may be long.

    Raises:
        OverBudget, BadInput: they hold for the others too. No more is asked then, and what was on its
            way is handed on first.
    """
    numbered = enumerate(requests)
    fatal: ShopkeeperError | None = None
    with ThreadPoolExecutor(at_once, thread_name_prefix="model") as pool:
        waiting: dict[Future[Reply], int] = {}
        while True:
            room = 0 if fatal else at_once - len(waiting)
            for position, request in islice(numbered, room):
                waiting[pool.submit(backend.complete, request)] = position
            if not waiting:
                break
            done, _ = wait(waiting, return_when=FIRST_COMPLETED)
            for future in done:
                position = waiting.pop(future)
                try:
                    outcome = _outcome(future)
                except ShopkeeperError as error:
                    fatal = fatal or error
                    continue
                yield position, outcome
    if fatal is not None:
        raise fatal


def _outcome(future: Future[Reply]) -> Reply | Failed:
    try:
        return future.result()
    except (ModelFailed, NotSent, TooLarge) as error:
        return error
