"""Who may not be reached any more, remembered by a keyed hash of the address: it outlives an erasure."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from hashlib import blake2b
from typing import Any

from sqlalchemy import delete, func, or_, select

from shopkeeper.store import tables
from shopkeeper.store.contact_tables import suppressions
from shopkeeper.store.database import Database

_S = suppressions.c
_SECRET = "suppressed addresses"  # noqa: S105 - the secret's name


class Cause(StrEnum):
    """Why an address or a customer is not reached, the strongest first."""

    COMPLAINT = "complaint"
    BOUNCE = "bounce"
    MANUAL = "manual"
    UNSUBSCRIBE = "unsubscribe"


@dataclass(frozen=True, slots=True)
class Suppression:
    """One entry; an empty channel or purpose stands for all of them. The address is not kept."""

    number: int
    channel: str
    purpose: str
    reason: str
    customer_id: str | None
    since: datetime
    by: str


class Suppressions:
    """The shop's list of whom not to reach."""

    def __init__(self, database: Database) -> None:
        self._database = database
        # Now, not when first needed: that may be within a transaction, and a new key needs its own.
        self._key = database.secret(_SECRET, secrets.token_bytes(32))

    def digest(self, address: str) -> str:
        """The keyed hash under which an address is remembered; it cannot be turned back."""
        told = address.encode("utf-8", "surrogatepass")
        return blake2b(told, key=self._key, digest_size=20).hexdigest()

    def digests(self, addresses: Iterable[str]) -> list[str]:
        """The same for many."""
        return [self.digest(one) if one else "" for one in addresses]

    def add(
        self,
        cause: Cause,
        *,
        address: str = "",
        customer_id: str | None = None,
        channel: str = "",
        purpose: str = "",
        by: str,
    ) -> int:
        """Suppress an address, a customer or both; how many entries were new."""
        now = datetime.now(UTC)
        base = {
            "channel": channel,
            "purpose": purpose,
            "reason": cause.value,
            "customer_id": customer_id,
            "since": now,
            "by": by,
        }
        digests = [self.digest(address)] if address else []
        digests += [self.digest(f"customer {customer_id}")] if customer_id else []
        added = 0
        with self._database.begin() as connection:
            for digest in digests:
                new = tables.insert_new(connection, suppressions)
                done = connection.execute(new, {**base, "digest": digest}).rowcount
                added += done
                if not done and cause is Cause.UNSUBSCRIBE:  # said again: it counts from now
                    same = _same(digest, channel, purpose, cause)
                    connection.execute(suppressions.update().where(*same).values(since=now))
        return added

    def lift(self, *, address: str = "", customer_id: str = "", channel: str = "") -> int:
        """Remove what stands against an address or a customer on a channel (empty: on all); how much."""
        wanted = [self.digest(address)] if address else []
        wanted += [self.digest(f"customer {customer_id}")] if customer_id else []
        which: list[Any] = [_S.digest.in_(wanted)]
        if customer_id:
            which.append(_S.customer_id == customer_id)
        gone = delete(suppressions).where(or_(*which))
        if channel:
            gone = gone.where(_S.channel == channel)
        with self._database.begin() as connection:
            return connection.execute(gone).rowcount

    def of(self, *, address: str = "", customer_id: str = "") -> list[Suppression]:
        """What stands against an address or a customer."""
        wanted = [self.digest(address)] if address else []
        wanted += [self.digest(f"customer {customer_id}")] if customer_id else []
        return self._rows(select(suppressions).where(_S.digest.in_(wanted)))

    def latest(self, limit: int) -> list[Suppression]:
        """The newest entries."""
        return self._rows(select(suppressions).order_by(_S.number.desc()).limit(limit))

    def counts(self) -> dict[str, int]:
        """How many entries there are of each cause."""
        query = select(_S.reason, func.count()).group_by(_S.reason)
        with self._database.connect() as connection:
            return {str(row[0]): int(row[1]) for row in connection.execute(query)}

    def _rows(self, query: Any) -> list[Suppression]:
        with self._database.connect() as connection:
            rows: Sequence[Any] = connection.execute(query).mappings().all()
        return [Suppression(**{k: v for k, v in row.items() if k != "digest"}) for row in rows]


def _same(digest: str, channel: str, purpose: str, cause: Cause) -> tuple[Any, ...]:
    return (
        _S.digest == digest,
        _S.channel == channel,
        _S.purpose == purpose,
        _S.reason == cause.value,
    )
