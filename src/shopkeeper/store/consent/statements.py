"""Who allowed what, by purpose and channel. Where nothing is recorded the answer is no."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Connection, func, select

from shopkeeper.core.errors import BadInput, UnknownName
from shopkeeper.store import links, tables
from shopkeeper.store.batches import batches
from shopkeeper.store.database import CUSTOMER_LOCK, Database, lock
from shopkeeper.store.revisions import bump

REVISION: Final = "consent"
"""What :class:`~shopkeeper.store.revisions.Revisions` calls it: grows with every statement."""
_PAGE: Final = 900
_MANY: Final = 5_000


class Status(StrEnum):
    """What a customer said: yes, no, or no longer."""

    GRANT = "GRANT"
    DENY = "DENY"
    REVOKED = "REVOKED"


@dataclass(frozen=True, slots=True)
class Decision:
    """One recorded statement of a customer, with what proves it."""

    customer_id: str
    purpose: str
    channel: str
    status: Status
    time: datetime
    proof: Mapping[str, Any]
    recorded_at: datetime


class Consent:
    """Statements are only ever added; the latest by its own time holds, then the last recorded."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def record(
        self,
        customer_id: str,
        purpose: str,
        channel: str,
        status: str,
        time: datetime,
        proof: Mapping[str, Any],
    ) -> None:
        """Keep what the customer said at ``time``; ``proof`` says where (form, text shown, IP …)."""
        if status not in Status.__members__:
            raise UnknownName("consent status", status, Status.__members__, field="status")
        said = Decision(
            customer_id, purpose, channel, Status(status), time, dict(proof), datetime.now(UTC)
        )
        row = _row(said)
        with self._database.begin() as connection:
            connection.execute(tables.consent.insert(), row)
            bump(connection, REVISION)

    def record_all(self, said: Iterable[Decision]) -> int:
        """Keep many statements of an import, a page a transaction; how many."""
        count = 0
        for page in batches(said, _MANY):
            with self._database.begin() as connection:
                connection.execute(tables.consent.insert(), [_row(one) for one in page])
            count += len(page)
        return count

    def record_once(self, said: Decision, *, repeats: bool) -> bool:
        """Keep a statement unless it is known; whether it was new.

        It is known where the same was said at the same time on the same proof; with ``repeats``, where
        the latest statement before it says the same.
        """
        c = tables.consent.c
        about = (
            c.customer_id == said.customer_id,
            c.purpose == said.purpose,
            c.channel == said.channel,
        )
        query = select(c.status, c.proof).where(*about)
        if repeats:
            query = (
                query.where(c.time <= said.time).order_by(c.time.desc(), c.number.desc()).limit(1)
            )
        else:
            query = query.where(c.time == said.time)
        row = _row(said)
        with self._database.begin() as connection:
            if connection.dialect.name == "postgresql":
                lock(connection, CUSTOMER_LOCK)
            known = connection.execute(query).all()
            if any(one.status == said.status and one.proof == said.proof for one in known):
                return False
            connection.execute(tables.consent.insert(), row)
            bump(connection, REVISION)
        return True

    def may(
        self, customer_id: str, purpose: str, channel: str, *, at: datetime | None = None
    ) -> bool:
        """Whether the customer allows this now (or did at ``at``); no, unless they said yes."""
        return customer_id in self.allowed([customer_id], purpose, channel, at=at)

    def allowed(
        self,
        customer_ids: Iterable[str],
        purpose: str,
        channel: str,
        *,
        at: datetime | None = None,
    ) -> set[str]:
        """Those of the customers who allow this now (or did at ``at``).

        What was said under another id that stands for one of them counts as theirs.
        """
        found: set[str] = set()
        with self._database.connect() as connection:
            for page in batches(customer_ids, _PAGE):
                known = links.owners(connection, page)
                said = _latest(connection, sorted(known), (purpose, channel), at)
                newest: dict[str, Any] = {}
                for row in said:  # of all ids of a customer the statement that was made last
                    for owner in known[row.customer_id]:
                        if owner not in newest or row[1:3] > newest[owner][1:3]:
                            newest[owner] = row
                found.update(o for o, row in newest.items() if row.status == Status.GRANT.value)
        return found

    def against(self, purpose: str, channel: str) -> list[str]:
        """The ids under which anybody ever said no to this; some may have said yes since."""
        c = tables.consent.c
        query = select(c.customer_id).distinct()
        query = query.where(c.purpose == purpose, c.channel == channel)
        with self._database.connect() as connection:
            return list(connection.scalars(query.where(c.status != Status.GRANT.value)))

    def concerned(self, purpose: str, channel: str) -> set[str]:
        """:meth:`against`, and every id to which one of them leads: nobody else can have said no."""
        said = self.against(purpose, channel)
        with self._database.connect() as connection:
            return links.ahead(connection, said)

    def history(self, customer_id: str) -> list[Decision]:
        """Everything the customer said, under whichever of their ids, oldest first."""
        c = tables.consent.c
        rows: list[Any] = []
        with self._database.connect() as connection:
            for page in batches(sorted(links.behind(connection, customer_id)), _PAGE):
                query = select(tables.consent).where(c.customer_id.in_(page))
                rows += connection.execute(query).mappings()
        rows.sort(key=lambda row: (row["time"], row["number"]))
        return [
            Decision(
                **{k: v for k, v in row.items() if k not in ("number", "status")},
                status=Status(row["status"]),
            )
            for row in rows
        ]


def _row(said: Decision) -> dict[str, Any]:
    for field in ("customer_id", "purpose", "channel"):
        if not getattr(said, field):
            raise BadInput(f"{field} is empty.", hint="Say whose and what for.", field=field)
    if said.status == Status.GRANT and not said.proof:
        raise BadInput(
            "A grant needs a proof.",
            hint='Say where it was given: {"form": "checkout"}.',
            field="proof",
        )
    return {name: getattr(said, name) for name in Decision.__dataclass_fields__} | {
        "status": said.status.value,
        "proof": dict(said.proof),
    }


def _latest(
    connection: Connection, ids: Sequence[str], about: tuple[str, str], at: datetime | None
) -> list[Any]:
    """The latest statement of each of these ids: whose, when, its number, and what it says."""
    c = tables.consent.c
    place = func.row_number().over(
        partition_by=c.customer_id, order_by=(c.time.desc(), c.number.desc())
    )
    rows: list[Any] = []
    for page in batches(ids, _PAGE):
        said = (
            select(c.customer_id, c.time, c.number, c.status, place.label("place"))
            .where(c.customer_id.in_(page), c.purpose == about[0], c.channel == about[1])
            .where(c.time <= (at or datetime.now(UTC)))
            .subquery()
        )
        query = select(said.c.customer_id, said.c.time, said.c.number, said.c.status)
        rows += connection.execute(query.where(said.c.place == 1)).all()
    return rows
