"""A number per kind of row that grows whenever one of them changes: how a copy knows that it is old."""

from __future__ import annotations

from sqlalchemy import Connection, select, update

from shopkeeper.store import tables
from shopkeeper.store.database import Database


class Revisions:
    """The revisions of items, facts, customers and identities."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, name: str) -> int:
        """The revision now; 0 before the first change."""
        r = tables.revisions.c
        with self._database.connect() as connection:
            return connection.scalar(select(r.number).where(r.name == name)) or 0

    def every(self) -> dict[str, int]:
        """All of them at once; one that never changed is left out."""
        r = tables.revisions.c
        with self._database.connect() as connection:
            return dict(connection.execute(select(r.name, r.number)).all())


def bump(connection: Connection, *names: str) -> None:
    """Say, in the transaction that changes rows, that it does."""
    r = tables.revisions
    insert = tables.insert_new(connection, r)
    connection.execute(insert, [{"name": name, "number": 0} for name in sorted(names)])
    grown = update(r).where(r.c.name.in_(names)).values(number=r.c.number + 1)
    connection.execute(grown)
