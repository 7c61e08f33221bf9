"""Customers whose data are kept but not used: by their own wish, or because an erasure is under way."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import delete, select

from shopkeeper.core.errors import BadInput, NotFound
from shopkeeper.store import tables
from shopkeeper.store.database import Database
from shopkeeper.store.revisions import bump

REVISION = "restrictions"


@dataclass(frozen=True, slots=True)
class Restriction:
    """Since when and why a customer's data are not used."""

    customer_id: str
    since: datetime
    reason: str


class Restrictions:
    """The shop's restricted customers; every query asks, so a restriction holds at once."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, customer_ids: Iterable[str], reason: str) -> int:
        """Restrict these customers; how many were not yet."""
        now = datetime.now(UTC)
        rows = [{"customer_id": one, "since": now, "reason": reason} for one in customer_ids]
        if not all(row["customer_id"] for row in rows):
            raise BadInput("customer_id is empty.", hint="Say whose.", field="customer_id")
        added = 0
        with self._database.begin() as connection:
            for row in rows:
                new = tables.insert_new(connection, tables.restrictions)
                added += connection.execute(new, row).rowcount
            bump(connection, REVISION)
        return added

    def lift(self, customer_id: str) -> None:
        """Use the customer's data again, or :class:`NotFound`."""
        r = tables.restrictions
        with self._database.begin() as connection:
            gone = connection.execute(delete(r).where(r.c.customer_id == customer_id)).rowcount
            if not gone:
                raise NotFound(
                    f"{customer_id!r} is not restricted.", hint="Check the id.", field="customer_id"
                )
            bump(connection, REVISION)

    def list(self) -> list[Restriction]:
        """Every restriction, in order of customer."""
        query = select(tables.restrictions).order_by(tables.restrictions.c.customer_id)
        with self._database.connect() as connection:
            return [Restriction(**row) for row in connection.execute(query).mappings()]
