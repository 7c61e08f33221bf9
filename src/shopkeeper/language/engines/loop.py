"""One event loop in a thread of its own: connections are shared by all threads that ask."""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class Loop:
    """Runs coroutines for threads that wait for them; started by the first."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def run(self, work: Coroutine[Any, Any, T], seconds: float) -> T:
        """What the coroutine returns.

        Raises:
            TimeoutError: it took longer; it was cancelled.
        """
        future = asyncio.run_coroutine_threadsafe(asyncio.wait_for(work, seconds), self._started())
        try:
            return future.result()
        except concurrent.futures.CancelledError as error:
            raise TimeoutError from error
        except BaseException:
            future.cancel()
            raise

    def close(self) -> None:
        """Stop the thread; the loop is of no use afterwards."""
        with self._lock:
            loop, thread = self._loop, self._thread
            self._loop = self._thread = None
        if loop is None or thread is None:
            return
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()

    def _started(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(
                    target=self._loop.run_forever, name=self._name, daemon=True
                )
                self._thread.start()
            return self._loop
