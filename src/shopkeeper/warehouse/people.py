"""What a query must know of people beyond the tables: whom to hide, and links not copied yet."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol

import pyarrow as pa

STORE = "store"
"""The source whose position in the table of identities says which revision of the store it holds."""


@dataclass(frozen=True)
class Links:
    """Rows of ``identities`` and ``handovers`` newer than the tables.

    ``about`` are the sent ids of which these are all rows; None: of every one.
    """

    rows: dict[str, pa.Table]
    about: Collection[str] | None


class People(Protocol):
    """The store as one query sees it."""

    def hidden(self) -> Collection[str]:
        """Customers whose data are restricted."""
        ...

    def hidden_ids(self) -> Collection[str]:
        """Every id under which texts and traits of those customers may have been sent."""
        ...

    def newer(self, revision: int) -> Links | None:
        """What the store knows beyond that revision of the tables; None where nothing is to be added."""
        ...
