"""The store's rows that the tables keep copies of."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any
from zoneinfo import ZoneInfo

from shopkeeper.store.catalogue import Catalogue
from shopkeeper.store.customers import Customers
from shopkeeper.store.revisions import Glance, Revisions

_SOURCE = {"handovers": "identities"}  # two tables made of the same rows of the store


class State:
    """Items, facts, customers and identities as they are now, and whether they have changed."""

    def __init__(
        self, catalogue: Catalogue, people: Customers, revisions: Revisions, zone: ZoneInfo
    ) -> None:
        self._revisions = revisions
        self._rows: dict[str, Callable[[], Iterator[dict[str, Any]]]] = {
            "items": catalogue.items,
            "facts": catalogue.facts,
            "customers": people.all,
            "identities": people.identities,
            "handovers": lambda: (dated(row, zone) for row in people.handovers()),
        }

    def rows(self, table: str) -> Iterator[dict[str, Any]]:
        """The current rows of a table that is snapshotted."""
        return self._rows[table]()

    def revision(self, table: str) -> int:
        """A number that grows whenever those rows change."""
        return self._revisions.of(_SOURCE.get(table, table))

    def revisions(self) -> dict[str, int]:
        """All of these numbers at once; 0 where one is left out."""
        return self._revisions.every()

    def glance(self) -> Glance:
        """All of these numbers and the newest row of the intake log, in one statement."""
        return self._revisions.glance()


def dated(row: Mapping[str, Any], zone: ZoneInfo) -> dict[str, Any]:
    """A row of handovers with the local days of its times."""
    days = {
        day: row[at].astimezone(zone).date() if row[at] is not None else None
        for day, at in (("starts_on", "starts_at"), ("ends_on", "ends_at"))
    }
    return {**row, **days}
