"""What queries are told of people: whose data are restricted, and links newer than the tables."""

from __future__ import annotations

import threading
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from shopkeeper.core.schema import HANDOVERS, IDENTITIES
from shopkeeper.shop.state import dated
from shopkeeper.store import links
from shopkeeper.store.customers import Customers
from shopkeeper.store.database import Database
from shopkeeper.store.restrictions import REVISION, Restrictions
from shopkeeper.store.revisions import Glance, Revisions
from shopkeeper.warehouse.arrow import from_rows
from shopkeeper.warehouse.people import Links


@dataclass(frozen=True)
class Hidden:
    """Restricted customers, and every id under which their texts and traits may have been sent."""

    customers: Collection[str] = ()
    ids: Collection[str] = ()


class Seen:
    """Made once for each shop; asks the store anew for each query, and remembers by revision."""

    def __init__(
        self, database: Database, people: Customers, restrictions: Restrictions, zone: ZoneInfo
    ) -> None:
        self.database = database
        self.people = people
        self.zone = zone
        self.revisions = Revisions(database)
        self._restrictions = restrictions
        self._lock = threading.Lock()
        self._at: tuple[int, int] = (-1, -1)
        self._hidden = Hidden()

    def by(self, live: bool | Sequence[str]) -> _People:
        """The store as a query sees it that is live for all, for some ids, or not."""
        return _People(self, self.at(self.revisions.glance()), live)

    def at(self, seen: Glance) -> Hidden:
        """Whom to hide; worked out again when restrictions or identities have changed."""
        at = (seen.of(REVISION), seen.of("identities"))
        if not at[0]:
            return Hidden()
        with self._lock:
            if at != self._at:
                self._hidden, self._at = self._work_out(), at
            return self._hidden

    def _work_out(self) -> Hidden:
        named = {one.customer_id for one in self._restrictions.list()}
        # After a merge the customer goes by another id: theirs stays hidden under it.
        spans = self.people.periods(named).values()
        customers = named | {span.customer_id for periods in spans for span in periods}
        ids = {sent for one in customers for sent in self.people.sent_ids(one)}
        return Hidden(sorted(customers), sorted(ids | customers))


@dataclass(frozen=True)
class _People:
    seen: Seen
    restricted: Hidden
    live: bool | Sequence[str]

    def hidden(self) -> Collection[str]:
        return self.restricted.customers

    def hidden_ids(self) -> Collection[str]:
        return self.restricted.ids

    def newer(self, revision: int) -> Links | None:
        if self.live is False or (not isinstance(self.live, bool) and not self.live):
            return None
        if self.seen.revisions.of(IDENTITIES.name) <= revision:
            return None
        about = None if self.live is True else list(self.live)
        database = self.seen.database
        known = links.every(database) if about is None else links.of(database, about)
        identities: list[dict[str, Any]] = []
        handovers: list[dict[str, Any]] = []
        for sent_id, periods in known:
            identities.append(links.identity(sent_id, periods))
            changes = links.handovers(sent_id, periods)
            handovers += (dated(row, self.seen.zone) for row in changes)
        rows = {
            IDENTITIES.name: from_rows(identities, IDENTITIES),
            HANDOVERS.name: from_rows(handovers, HANDOVERS),
        }
        return Links(rows, about)
