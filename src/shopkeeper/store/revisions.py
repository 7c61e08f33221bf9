"""A number per kind of row that grows whenever one of them changes: how a copy knows that it is old."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, func, literal, select, update

from shopkeeper.store import tables
from shopkeeper.store.database import Database

_LOG: Final = ""
"""No kind of row has this name: the number is the newest row of the intake log."""


@dataclass(frozen=True, slots=True)
class Glance:
    """What has changed, told by one look at the store: all revisions, and the newest row of the log."""

    revisions: Mapping[str, int]
    logged: int

    def of(self, name: str) -> int:
        """One revision; 0 before the first change."""
        return self.revisions.get(name, 0)


class Revisions:
    """The revisions of items, facts, customers, identities, consent and whatever else is copied."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, name: str) -> int:
        """The revision now; 0 before the first change."""
        r = tables.revisions.c
        with self._database.connect() as connection:
            return connection.scalar(select(r.number).where(r.name == name)) or 0

    def every(self) -> dict[str, int]:
        """All of them at once; one that never changed is left out."""
        return dict(self.glance().revisions)

    def glance(self) -> Glance:
        """All of them and the newest row of the log, in one statement: copies in memory need no other."""
        with self._database.connect() as connection:
            rows = {name: int(number) for name, number in connection.execute(_GLANCE)}
        logged = rows.pop(_LOG)
        return Glance(rows, logged)


_newest = select(literal(_LOG), func.coalesce(func.max(tables.log.c.seq), 0))
_GLANCE: Final = select(tables.revisions.c.name, tables.revisions.c.number).union_all(_newest)


def bump(connection: Connection, *names: str) -> None:
    """Say, in the transaction that changes rows, that it does."""
    r = tables.revisions
    insert = tables.insert_new(connection, r)
    connection.execute(insert, [{"name": name, "number": 0} for name in sorted(names)])
    grown = update(r).where(r.c.name.in_(names)).values(number=r.c.number + 1)
    connection.execute(grown)
