"""Replies that were worked out already, for everybody who may see them, until the data change."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future

from pydantic import BaseModel

Key = tuple[Hashable, ...]


class Replies:
    """The last replies used. Who asks for what is being worked out waits for it: nothing is done twice."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._kept: OrderedDict[Key, Future[BaseModel]] = OrderedDict()

    def get(self, key: Key, work: Callable[[], BaseModel]) -> BaseModel:
        """The reply kept under that key, or what ``work`` gives; an error is kept for nobody."""
        with self._lock:
            known = self._kept.get(key)
            if known is not None:
                self._kept.move_to_end(key)
            else:
                mine: Future[BaseModel] = Future()
                self._kept[key] = mine
                while len(self._kept) > self._most:
                    self._kept.popitem(last=False)
        if known is not None:
            return known.result()
        try:
            reply = work()
        except BaseException as error:
            with self._lock:
                if self._kept.get(key) is mine:
                    del self._kept[key]
            mine.set_exception(error)
            raise
        mine.set_result(reply)
        return reply
