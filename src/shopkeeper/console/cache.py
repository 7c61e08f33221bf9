"""Replies that were worked out already, for everybody who may see them, until the data change."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Executor, Future
from dataclasses import dataclass

from pydantic import BaseModel

Key = tuple[Hashable, ...]
Stamp = tuple[int, ...]
"""The version of the events, then what else a reply depends on."""


@dataclass
class _Kept:
    """What one question was answered: now, or still worked out, and before."""

    stamp: Stamp
    reply: Future[BaseModel]
    before: tuple[Stamp, BaseModel] | None = None

    def last(self) -> tuple[Stamp, BaseModel] | None:
        """The newest reply that is there."""
        if self.reply.done() and not self.reply.cancelled() and self.reply.exception() is None:
            return self.stamp, self.reply.result()
        return self.before


class Replies:
    """The last replies used. Who asks for what is being worked out waits for it: nothing is done twice."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._kept: OrderedDict[Key, _Kept] = OrderedDict()

    def ask(
        self, key: Key, stamp: Stamp, work: Callable[[], BaseModel], room: Executor
    ) -> Future[BaseModel]:
        """The reply for the data of that stamp, there or to come; an error is kept for nobody."""
        with self._lock:
            kept = self._kept.get(key)
            if kept is not None and kept.stamp == stamp:
                self._kept.move_to_end(key)
                return kept.reply
            reply = room.submit(work)
            self._kept[key] = _Kept(stamp, reply, kept.last() if kept else None)
            self._kept.move_to_end(key)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
        reply.add_done_callback(lambda done: self._ended(key, done))
        return reply

    def last(self, key: Key, stamp: Stamp) -> BaseModel | None:
        """The newest reply that is there, though events may have come since.

        Never one from before anything else changed: a customer may have been erased or restricted.
        """
        with self._lock:
            kept = self._kept.get(key)
            found = kept.last() if kept else None
        return found[1] if found is not None and found[0][1:] == stamp[1:] else None

    def _ended(self, key: Key, reply: Future[BaseModel]) -> None:
        if not reply.cancelled() and reply.exception() is None:
            return
        with self._lock:
            kept = self._kept.get(key)
            if kept is not None and kept.reply is reply:
                del self._kept[key]
