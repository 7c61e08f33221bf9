"""What the tests run in processes of their own: ``python child.py <what> <database address> …``."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from shopkeeper.core.errors import LeaseHeld, OverBudget
from shopkeeper.core.operation import OWNER
from shopkeeper.store.audit.chain import Audit
from shopkeeper.store.database import Database
from shopkeeper.store.lease import Leases
from shopkeeper.store.log import Entry, IntakeLog
from shopkeeper.store.spending import Caps, Spending


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def append(database: Database, name: str, transactions: str, turn: str = "") -> None:
    """Append three rows a transaction, saying each transaction's number once it is acknowledged.

    After each ``turn`` transactions it waits for a line; without it, before the first alone.
    """
    log = IntakeLog(database)
    say("ready")
    for number in range(int(transactions)):
        if number % int(turn or transactions) == 0:
            sys.stdin.readline()
        ids = [f"{name}-{number}-{row}" for row in range(3)]
        log.append([[Entry(i, name, "", datetime.now(UTC), "events", i.encode()) for i in ids]])
        say(str(number))
        time.sleep(0.002)  # gives the other processes their turn


def migrate(database: Database) -> None:
    say("ready")
    sys.stdin.readline()
    database.migrate()
    say("migrated")


def race(database: Database, name: str) -> None:
    leases = Leases(database)
    say("ready")
    sys.stdin.readline()
    try:
        lease = leases.acquire("tables", name)
    except LeaseHeld as error:
        say(f"refused {error}")
    else:
        say(f"won {lease.fence}")
    sys.stdin.readline()


def hold(database: Database) -> None:
    """Take the lease and hang."""
    lease = Leases(database).acquire("tables", "worker")
    say(f"won {lease.fence}")
    time.sleep(600)


def audit(database: Database, name: str, entries: str) -> None:
    log = Audit(database)
    for number in range(int(entries)):
        log.append(OWNER, f"test.{name}", {"limit": number})
    say("done")


def reserve(database: Database) -> None:
    """Take pieces of 3 of a cap of 100 until there is no more, and say how many."""
    ledger = Spending(database)
    say("ready")
    sys.stdin.readline()
    held = {"month": "2026-11", "model": "m", "purpose": "p"}
    for number in range(100):
        try:
            ledger.reserve(Caps(100), held, tokens=1, billionths=3, lasts=timedelta(minutes=1))
        except OverBudget:
            say(str(number))
            return


RUNS: dict[str, Callable[..., None]] = {
    "append": append,
    "migrate": migrate,
    "race": race,
    "hold": hold,
    "audit": audit,
    "reserve": reserve,
}

if __name__ == "__main__":
    what, address, *rest = sys.argv[1:]
    RUNS[what](Database(address), *rest)
