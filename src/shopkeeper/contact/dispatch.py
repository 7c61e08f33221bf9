"""The desk that sends: senders for every channel with something due, and what crashed senders left."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Final

from shopkeeper.contact.channels.base import PACKAGE, Plug, Surroundings, plug, plugs
from shopkeeper.contact.links import PUBLIC_URL, Links
from shopkeeper.contact.sender import Sender, Untrue, Way
from shopkeeper.contact.telling import tell
from shopkeeper.core.discovery import names
from shopkeeper.core.errors import BadInput, LeaseHeld, ShopkeeperError
from shopkeeper.shop.shop import Shop
from shopkeeper.store.lease import Lease, Leases
from shopkeeper.store.messages import State
from shopkeeper.store.outbox import Outbox

LEASE: Final = "outbox"
LANES: Final = 4
"""Senders of one channel that work at the same time."""

_IDLE: Final = 0.5
_RECOVER: Final = 15.0
_TELL: Final = 2.0
_AGAIN: Final = timedelta(minutes=1)
_SETTLE_AT_ONCE: Final = 200
_PAUSE: Final = 2.0

Failed = Callable[[str, BaseException], None]


class Desk:
    """Sends what is due until told to stop; one desk of a shop works at a time, under a lease.

    The lease keeps the pace of a channel one figure; that no message leaves twice does not rest on it.
    ``untrue`` says of messages that rest on facts whether these still hold; without it they wait.
    """

    def __init__(
        self,
        shop: Shop,
        around: Surroundings | None = None,
        *,
        lanes: int = LANES,
        failed: Failed = lambda _what, _error: None,
        untrue: Untrue | None = None,
    ) -> None:
        self._shop = shop
        self._around = around or Surroundings(shop.folder)
        self._lanes = lanes
        self._failed = failed
        self._untrue = untrue
        self._stop = threading.Event()
        self._outbox = Outbox(shop.database)
        self._ways: dict[str, Way] = {}
        self._working: dict[str, list[threading.Thread]] = {}
        self._recovered = self._told = float("-inf")

    def stop(self) -> None:
        """Let every sender finish the message that is on its way, and no more."""
        self._stop.set()

    def run(self) -> None:
        """Work until :meth:`stop`; wait while another process holds the lease."""
        while not self._stop.is_set():
            try:
                lease = Leases(self._shop.database).acquire(LEASE, "sender")
            except LeaseHeld:
                self._stop.wait(1.0)
                continue
            with lease.kept():
                self._run(lease)

    def _run(self, lease: Lease) -> None:
        self._recovered = float("-inf")
        try:
            while not self._stop.is_set():
                try:
                    lease.renew()
                    self._tick()
                except Exception as error:  # noqa: BLE001 - told, and started over: it never ends
                    self._failed("send", error)
                    self._stop.wait(_PAUSE)
                    return
                self._stop.wait(_IDLE)
        finally:
            for way in self._ways.values():
                way.stop.set()
            for threads in self._working.values():
                for thread in threads:
                    thread.join()
            self._ways.clear()
            self._working.clear()

    def _tick(self) -> None:
        now = time.monotonic()
        if now >= self._recovered + _RECOVER:
            self.recover()
            self._recovered = now
        if now >= self._told + _TELL:
            tell(self._shop)
            self._told = now
        for channel in self._outbox.due(names(PACKAGE), self._shop.now()):
            with suppress(BadInput):
                self._start(channel)

    def recover(self) -> dict[str, int]:
        """Take over what dead senders held, and settle what a provider can tell about."""
        known = plugs()
        repeatable = [one.name for one in known if one.repeatable]
        found = self._outbox.recover(repeatable, self._shop.now())
        for one in known:
            self._settle(one)
        return found

    def _settle(self, one: Plug) -> None:
        where = {"channel": one.name, "state": State.UNKNOWN.value}
        waiting = self._outbox.page(where, _SETTLE_AT_ONCE)
        if not waiting:
            return
        try:
            channel = one.open(self._around)
        except BadInput:
            return  # not set up any more: a person decides
        now = self._shop.now()
        for message in waiting:
            arrived = channel.arrived(message.message_id)
            if arrived is not None:
                state = State.ACCEPTED if arrived else State.QUEUED
                self._outbox.settle(message.number, state, "settled", now)
        channel.close()

    def _start(self, name: str) -> None:
        """Have all lanes of a channel at work."""
        way = self._way(name)
        threads = [one for one in self._working.get(name, []) if one.is_alive()]
        for number in range(len(threads), self._lanes):
            thread = threading.Thread(target=self._lane, args=(way,), name=f"{name} {number}")
            thread.start()
            threads.append(thread)
        self._working[name] = threads

    def _way(self, name: str) -> Way:
        known = self._ways.get(name)
        if known is None:
            links = Links.of(self._shop.database, self._around.environment)
            known = self._ways[name] = Way(self._shop, plug(name), links, self._untrue)
        return known

    def _lane(self, way: Way) -> None:
        """Send until nothing is due."""
        sender: Sender | None = None
        try:
            ready(way)
            sender = Sender(way, way.plug.open(self._around))
            while not way.stop.is_set() and sender.work():
                pass
        except BadInput as error:
            way.breaker.not_set_up(error.message, self._shop.now() + _AGAIN)
        except Exception as error:  # noqa: BLE001 - told; the lane starts again while something is due
            self._failed("send", error)
            way.stop.wait(_PAUSE)
        finally:
            if sender is not None:
                with suppress(ShopkeeperError):
                    sender.close()


def ready(way: Way) -> None:
    """Refuse to send where customers could not unsubscribe.

    Raises:
        BadInput: e-mails need a link by which their reader can say no.
    """
    if way.plug.kind == "email" and not way.links.base:
        raise BadInput(
            f"E-mails need a link to unsubscribe: {PUBLIC_URL} is missing.",
            hint=f"Set {PUBLIC_URL} to where customers reach this server: https://shop.example.",
            field=PUBLIC_URL,
        )
