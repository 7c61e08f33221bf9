"""Named leases: one holder at a time over all processes and machines."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, select, update

from shopkeeper.core.errors import Conflict, LeaseHeld, ShopkeeperError
from shopkeeper.store import tables
from shopkeeper.store.database import Database
from shopkeeper.store.process import Process

LASTS = timedelta(seconds=30)
"""How long a lease holds without being renewed."""

_FREE = {"token": None, "purpose": None, "process": None, "since": None, "expires_at": None}


@dataclass(frozen=True)
class Held:
    """Who holds a lease that has not ended."""

    purpose: str
    process: Process
    since: datetime
    expires_at: datetime

    def __str__(self) -> str:
        return f"{self.purpose}, {self.process}, since {_clock(self.since)}"


@dataclass(frozen=True)
class Lease:
    """The right to be the only one who does something.

    ``fence`` is larger for each holder in turn: what is written under a lease can carry it, so that
    a holder who slept through the end of the lease is recognised.
    """

    leases: Leases = field(repr=False)
    name: str
    purpose: str
    fence: int
    token: str = field(repr=False)

    def renew(self) -> None:
        """Hold it for another 30 s; :class:`Conflict` when it was lost."""
        self.leases._renew(self)

    def release(self) -> None:
        """Give it back; no error when it was lost."""
        self.leases._release(self)

    @contextmanager
    def kept(self) -> Iterator[Lease]:
        """Renew from a thread while the block runs, then release."""
        stop = threading.Event()
        thread = threading.Thread(target=self._keep, args=(stop,), name=f"lease {self.name}")
        thread.daemon = True
        thread.start()
        try:
            yield self
        finally:
            stop.set()
            thread.join()
            self.release()

    def _keep(self, stop: threading.Event) -> None:
        wait = self.leases.lasts.total_seconds() / 3
        while not stop.wait(wait):
            try:
                self.renew()
            except Conflict:
                return  # lost: the holder's own renew() before it writes says so
            except ShopkeeperError:
                continue  # the database does not answer: there are tries left before the end


class Leases:
    """The leases of one shop."""

    def __init__(self, database: Database, lasts: timedelta = LASTS) -> None:
        self._database = database
        self.lasts = lasts

    def acquire(self, name: str, purpose: str) -> Lease:
        """The lease, taken for ``purpose`` (shown to those who are refused).

        It is free when nobody holds it, when it was not renewed in time, or at once when its holder
        was a process of this machine that has died.

        Raises:
            LeaseHeld: names the process that holds it.
        """
        token = secrets.token_hex(16)
        with self._database.begin() as connection:
            row = _locked(connection, name)
            now = self._database.now(connection)
            if row.token is not None and row.expires_at > now:
                holder = Process.of(row.process)
                if not holder.is_dead():
                    raise LeaseHeld(
                        f"{name} is held by {row.purpose}, {holder}, since {_clock(row.since)}.",
                        hint="Wait until it ends, or stop that process.",
                    )
            lease = Lease(self, name, purpose, row.fence + 1, token)
            values: dict[str, Any] = {
                "fence": lease.fence,
                "token": token,
                "purpose": purpose,
                "process": Process.this().to_json(),
                "since": now,
                "expires_at": now + self.lasts,
            }
            connection.execute(update(tables.leases).where(tables.leases.c.name == name), values)
        return lease

    def holder(self, name: str) -> str | None:
        """Who holds the lease, in words; None when it is free."""
        held = self.held(name)
        return None if held is None else str(held)

    def held(self, name: str) -> Held | None:
        """Who holds the lease; None when it is free, has ended, or its holder is known to be dead."""
        with self._database.connect() as connection:
            query = select(tables.leases).where(tables.leases.c.name == name)
            row = connection.execute(query).first()
            now = self._database.now(connection)
        if row is None or row.token is None or row.expires_at <= now:
            return None
        process = Process.of(row.process)
        if process.is_dead():
            return None
        return Held(row.purpose, process, row.since, row.expires_at)

    def clear(self) -> None:
        """Free every lease: in a copy of a database nobody holds what the original's processes hold."""
        with self._database.begin() as connection:
            connection.execute(update(tables.leases).values(**_FREE))

    def _renew(self, lease: Lease) -> None:
        c = tables.leases.c
        with self._database.begin() as connection:
            mine = update(tables.leases).where(c.name == lease.name, c.token == lease.token)
            until = self._database.now(connection) + self.lasts
            if connection.execute(mine.values(expires_at=until)).rowcount != 1:
                raise Conflict(
                    f"This process has lost {lease.name}: it was not renewed in time.",
                    hint="Take it again and start over.",
                )

    def _release(self, lease: Lease) -> None:
        c = tables.leases.c
        with self._database.begin() as connection:
            mine = update(tables.leases).where(c.name == lease.name, c.token == lease.token)
            connection.execute(mine.values(**_FREE))


def _locked(connection: Connection, name: str) -> Row[Any]:
    """The lease's row, made if need be, that no other process can change before we are done."""
    insert = tables.insert_new(connection, tables.leases)
    connection.execute(insert, {"name": name, "fence": 0})
    query = select(tables.leases).where(tables.leases.c.name == name).with_for_update()
    return connection.execute(query).one()


def _clock(time: datetime) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S UTC")
