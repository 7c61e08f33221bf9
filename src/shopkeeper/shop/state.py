"""The store's rows that the tables keep copies of."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from shopkeeper.store.catalogue import Catalogue
from shopkeeper.store.customers import Customers
from shopkeeper.store.revisions import Revisions


class State:
    """Items, facts, customers and identities as they are now, and whether they have changed."""

    def __init__(self, catalogue: Catalogue, people: Customers, revisions: Revisions) -> None:
        self._revisions = revisions
        self._rows: dict[str, Callable[[], Iterator[dict[str, Any]]]] = {
            "items": catalogue.items,
            "facts": catalogue.facts,
            "customers": people.all,
            "identities": people.identities,
        }

    def rows(self, table: str) -> Iterator[dict[str, Any]]:
        """The current rows of a table that is snapshotted."""
        return self._rows[table]()

    def revision(self, table: str) -> int:
        """A number that grows whenever those rows change."""
        return self._revisions.of(table)
