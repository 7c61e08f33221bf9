"""Holding the writer's lease: once per process, renewed while anybody uses it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from shopkeeper.store.lease import Leases
from shopkeeper.warehouse.writer import Writer

if TYPE_CHECKING:
    from shopkeeper.shop.shop import Shop

LEASE = "tables"


class Writing:
    """The right of this process to write the tables, shared by its threads."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop
        self._leases = Leases(shop.database)
        self._lock = threading.Lock()
        self._users = 0
        self._held = ExitStack()
        self._writer: Writer | None = None

    @contextmanager
    def hold(self, purpose: str) -> Iterator[Writer]:
        """The writer, until the block ends; the last to leave gives the lease back."""
        writer = self._enter(purpose)
        try:
            yield writer
        finally:
            self._leave()

    def close(self) -> None:
        """Give the lease back even if somebody still uses it."""
        with self._lock:
            self._users = 0
            self._release()

    def _enter(self, purpose: str) -> Writer:
        with self._lock:
            if self._writer is None:
                shop = self._shop
                lease = self._held.enter_context(self._leases.acquire(LEASE, purpose).kept())
                self._writer = Writer(
                    shop.warehouse, shop.log, shop.state, now=shop.now, hold=lease.renew
                )
            self._users += 1
            return self._writer

    def _leave(self) -> None:
        with self._lock:
            self._users = max(0, self._users - 1)
            if not self._users:
                self._release()

    def _release(self) -> None:
        self._writer = None
        self._held.close()
