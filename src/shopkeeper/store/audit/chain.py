"""A log of writes in which each entry carries the hash of the one before.

What it shows: an entry that was changed, removed from the middle, moved or added out of turn breaks
the chain; removing the last ones leaves a chain shorter than its head says. What it cannot show by
itself: somebody who may write to the database can rewrite every entry and the head. Against that,
keep the ``head`` that :meth:`Audit.verify` answers outside the shop (print it, mail it) and give it
to a later check as ``anchor``.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from sqlalchemy import Connection, Row, func, select, update

from shopkeeper.core.errors import BadInput, Corrupt
from shopkeeper.core.operation import Actor
from shopkeeper.store import tables
from shopkeeper.store.audit.pseudonyms import Pseudonyms
from shopkeeper.store.audit.types import AuditEntry, Entries, Verified
from shopkeeper.store.columns import microseconds
from shopkeeper.store.database import Database

START = "0" * 64
"""What the first entry names as the hash before it."""

_PSEUDONYMS = "audit pseudonyms"
_PAGE = 2_000
_ANCHOR_LENGTH = 64


class Audit:
    """The shop's log of writes. Entries are only ever added, one process at a time."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @cached_property
    def _pseudonyms(self) -> Pseudonyms:
        return Pseudonyms(self._database.secret(_PSEUDONYMS, secrets.token_bytes(32)))

    def append(self, actor: Actor, operation: str, details: Mapping[str, Any]) -> int:
        """The number of the new entry; the details are stripped of personal data."""
        pseudonyms = self._pseudonyms
        with self._database.begin() as connection:
            entries, previous = _head(connection, lock=True)
            row: dict[str, Any] = {
                "seq": entries + 1,
                "time": datetime.now(UTC),
                "actor": pseudonyms.actor(connection, actor.kind, actor.name),
                "operation": operation,
                "details": _canonical(pseudonyms.details(connection, details)),
                "previous": previous,
            }
            row["hash"] = _hash(**row)
            connection.execute(tables.audit.insert(), row)
            connection.execute(
                update(tables.audit_head).values(entries=entries + 1, hash=row["hash"])
            )
        return entries + 1

    def verify(self, anchor: str = "") -> Verified:
        """Whether every entry is in its place and unchanged, and which is the first that is not.

        Args:
            anchor: the head of an earlier check: the log must still hold that entry.
        """
        if anchor and len(anchor) != _ANCHOR_LENGTH:
            raise BadInput(
                "The anchor is not a head of the audit log.",
                hint="Give the 64 characters that `shopkeeper audit verify` showed as head.",
                field="anchor",
            )
        anchored = anchor in ("", START)
        seq, previous = 0, START
        with self._database.connect() as connection:
            head_entries, head_hash = _head(connection, lock=False)
            while page := _page(connection, seq):
                for row in page:
                    problem = _problem(row, seq + 1, previous)
                    if problem:
                        return _broken(seq + 1, previous, seq, problem)
                    seq, previous = row.seq, row.hash
                    anchored = anchored or row.hash == anchor
        if (seq, previous) != (head_entries, head_hash):
            what = f"the log holds {seq} entries, its head counts {head_entries}"
            return _broken(min(seq, head_entries) + 1, previous, seq, what)
        if not anchored:
            return _broken(None, previous, seq, "no entry has the anchor's hash: it was rewritten")
        return Verified(ok=True, entries=seq, head=previous)

    def entries(self, limit: int = 50, before: int | None = None) -> Entries:
        """The newest entries first, optionally only those numbered below ``before``."""
        if not 1 <= limit <= 1_000:
            raise BadInput(f"limit is {limit}.", hint="Choose 1 to 1000.", field="limit")
        query = select(tables.audit).order_by(tables.audit.c.seq.desc()).limit(limit)
        if before is not None:
            query = query.where(tables.audit.c.seq < before)
        with self._database.connect() as connection:
            rows = connection.execute(query).all()
            total = connection.scalar(select(func.count()).select_from(tables.audit)) or 0
        return Entries(entries=tuple(map(_entry, rows)), total=total)

    def pseudonym(self, kind: str, subject: str) -> str | None:
        """By which name the log knows a ``customer`` or ``person``; None if it does not."""
        with self._database.connect() as connection:
            return self._pseudonyms.known(connection, kind, subject)

    def forget(self, kind: str, subject: str) -> None:
        """Unlink a ``customer`` or ``person`` from their entries for good; the chain stays whole."""
        pseudonyms = self._pseudonyms  # made by a transaction of its own where the log is new
        with self._database.begin() as connection:
            pseudonyms.forget(connection, kind, subject)


def _head(connection: Connection, *, lock: bool) -> tuple[int, str]:
    query = select(tables.audit_head.c.entries, tables.audit_head.c.hash)
    # On PostgreSQL the row's lock lets one process append at a time; SQLite has one writer anyway.
    row = connection.execute(query.with_for_update() if lock else query).first()
    if row is None:
        raise Corrupt("The audit log has lost its head.", hint="Restore a backup.")
    return row.entries, row.hash


def _page(connection: Connection, after: int) -> list[Row[Any]]:
    a = tables.audit
    query = select(a).where(a.c.seq > after).order_by(a.c.seq).limit(_PAGE)
    return list(connection.execute(query).all())


def _problem(row: Row[Any], expected: int, previous: str) -> str:
    if row.seq != expected:
        return f"entry {expected} is missing"
    if row.previous != previous:
        return f"entry {expected} does not follow the one before it"
    known = {name: value for name, value in row._mapping.items() if name != "hash"}
    return "" if _hash(**known) == row.hash else f"entry {expected} was changed"


def _broken(first: int | None, head: str, entries: int, problem: str) -> Verified:
    return Verified(ok=False, entries=entries, head=head, first_broken=first, problem=problem)


def _hash(
    *, seq: int, time: datetime, actor: str, operation: str, details: str, previous: str
) -> str:
    fields = [seq, microseconds(time), actor, operation, details, previous]
    return hashlib.sha256(_canonical(fields).encode()).hexdigest()


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def _entry(row: Row[Any]) -> AuditEntry:
    try:
        details = json.loads(row.details)
    except ValueError as error:
        raise Corrupt(
            f"Audit entry {row.seq} cannot be read.", hint="Run: shopkeeper audit verify"
        ) from error
    return AuditEntry(
        seq=row.seq,
        time=row.time,
        actor=row.actor,
        operation=row.operation,
        details=details,
        hash=row.hash,
    )
