"""Who allowed what, by purpose and channel. Where nothing is recorded the answer is no."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import func, select

from shopkeeper.core.errors import BadInput, UnknownName
from shopkeeper.store import tables
from shopkeeper.store.batches import batches
from shopkeeper.store.database import Database


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
        for field, value in (
            ("customer_id", customer_id),
            ("purpose", purpose),
            ("channel", channel),
        ):
            if not value:
                raise BadInput(f"{field} is empty.", hint="Say whose and what for.", field=field)
        if status not in Status.__members__:
            raise UnknownName("consent status", status, Status.__members__, field="status")
        if status == Status.GRANT and not proof:
            raise BadInput(
                "A grant needs a proof.",
                hint='Say where it was given: {"form": "checkout"}.',
                field="proof",
            )
        row = {
            "customer_id": customer_id,
            "purpose": purpose,
            "channel": channel,
            "status": str(status),
            "time": time,
            "proof": dict(proof),
            "recorded_at": datetime.now(UTC),
        }
        with self._database.begin() as connection:
            connection.execute(tables.consent.insert(), row)

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
        """Those of the customers who allow this now (or did at ``at``)."""
        c = tables.consent.c
        place = func.row_number().over(
            partition_by=c.customer_id, order_by=(c.time.desc(), c.number.desc())
        )
        found: set[str] = set()
        with self._database.connect() as connection:
            for page in batches(customer_ids, 900):
                said = (
                    select(c.customer_id, c.status, place.label("place"))
                    .where(c.customer_id.in_(page), c.purpose == purpose, c.channel == channel)
                    .where(c.time <= (at or datetime.now(UTC)))
                    .subquery()
                )
                query = select(said.c.customer_id).where(
                    said.c.place == 1, said.c.status == Status.GRANT.value
                )
                found.update(connection.scalars(query))
        return found

    def history(self, customer_id: str) -> list[Decision]:
        """Everything the customer said, oldest first."""
        c = tables.consent.c
        query = select(tables.consent).where(c.customer_id == customer_id)
        with self._database.connect() as connection:
            rows = connection.execute(query.order_by(c.time, c.number)).mappings().all()
        return [
            Decision(
                **{k: v for k, v in row.items() if k not in ("number", "status")},
                status=Status(row["status"]),
            )
            for row in rows
        ]
