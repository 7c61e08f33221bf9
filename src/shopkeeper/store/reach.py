"""What decides whether customers may be reached, read for many at once from one state of the store."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final, Literal, NamedTuple

import orjson
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Text,
    func,
    literal,
    select,
    type_coerce,
)
from sqlalchemy.dialects.postgresql import ARRAY

from shopkeeper.store import links, tables
from shopkeeper.store.contact_tables import messages, suppressions
from shopkeeper.store.database import Database

REACHED: Final = ("sending", "accepted", "delivered", "bounced", "complained", "unknown")
"""States of a message that counts towards a cap: it reached the customer, or may have."""


class Said(NamedTuple):
    """What a customer said last about a purpose and channel: status, and when (µs since 1970)."""

    status: str
    time: int
    number: int = 0

    @property
    def order(self) -> tuple[int, int]:
        return self.time, self.number


class Barred(NamedTuple):
    """One entry of the suppression list: its cause, and since when (µs since 1970)."""

    cause: str
    since: int


class Reach:
    """The reads, over one connection: consistent with each other, and with a write beside them."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def owners(self, ids: Sequence[str]) -> dict[str, set[str]]:
        """Each id that stands for one of the customers, their own among them, and for whom."""
        c = tables.identities.c
        query = select(c.customer_id).where(self._among(c.customer_id, ids)).distinct()
        several = self._connection.scalars(query).all()
        found = {one: {one} for one in ids}
        return found | links.owners(self._connection, several) if several else found

    def traits(self, ids: Sequence[str]) -> dict[str, dict[str, str]]:
        """The traits of those customers that are known."""
        c = tables.customers.c
        query = select(c.customer_id, type_coerce(c.traits, Text)).where(
            self._among(c.customer_id, ids)
        )
        rows = self._connection.execute(query).all()
        return {customer: _parsed(traits) for customer, traits in rows}

    def restricted(self, ids: Sequence[str]) -> set[str]:
        """Those whose data are not to be used."""
        c = tables.restrictions.c
        query = select(c.customer_id).where(self._among(c.customer_id, ids))
        return set(self._connection.scalars(query))

    def consent(
        self, ids: Sequence[str], purpose: str, channel: str, at: datetime
    ) -> dict[str, Said]:
        """What each of those who ever said something said last."""
        c = tables.consent.c
        query = (
            select(c.customer_id, c.status, type_coerce(c.time, BigInteger), c.number)
            .where(self._among(c.customer_id, ids), c.purpose == purpose, c.channel == channel)
            .where(c.time <= at)
            .order_by(c.customer_id, c.time, c.number)
        )
        rows = self._connection.execute(query).all()
        return {customer: Said(status, time, number) for customer, status, time, number in rows}

    def barred(
        self,
        by: Literal["digest", "customer_id"],
        values: Sequence[str],
        channel: str,
        purpose: str,
    ) -> dict[str, list[Barred]]:
        """What stands against each digest of an address, or each customer, on that channel and purpose."""
        s = suppressions.c
        query = (
            select(s[by], s.reason, type_coerce(s.since, BigInteger))
            .where(self._among(s[by], values))
            .where(s.channel.in_(["", channel]), s.purpose.in_(["", purpose]))
        )
        found: dict[str, list[Barred]] = {}
        for value, cause, since in self._connection.execute(query).all():
            found.setdefault(value, []).append(Barred(cause, since))
        return found

    def sent(
        self, ids: Sequence[str], since: datetime, *, free: Sequence[str], but: int = 0
    ) -> dict[str, list[tuple[str, int]]]:
        """For each customer the channel and time (µs) of what reached them since then.

        Messages of the purposes ``free`` do not count, nor does the message numbered ``but``.
        """
        m = messages.c
        query = (
            select(m.customer_id, m.channel, type_coerce(m.sent_at, BigInteger))
            .where(self._among(m.customer_id, ids), m.sent_at >= since, m.state.in_(REACHED))
            .where(m.purpose.not_in(free), m.number != but)
        )
        found: dict[str, list[tuple[str, int]]] = {}
        for customer, channel, time in self._connection.execute(query).all():
            found.setdefault(customer, []).append((channel, time))
        return found

    def _among(self, column: ColumnElement[Any], values: Sequence[str]) -> ColumnElement[bool]:
        """Whether a column is one of the values, of which there may be many."""
        if len(values) == 1:
            return column == values[0]
        if self._connection.dialect.name == "postgresql":
            return column == func.any(literal(list(values), ARRAY(Text)))
        listed = func.json_each(json.dumps(list(values))).table_valued("value")
        return column.in_(select(listed.c.value))


def _parsed(traits: str) -> dict[str, str]:
    try:
        found: dict[str, str] = orjson.loads(traits)
    except orjson.JSONDecodeError:  # a lone surrogate, which JSON's own reader takes
        found = json.loads(traits)
    return found


@contextmanager
def reading(database: Database) -> Iterator[Reach]:
    """The reads over a connection of their own."""
    with database.connect() as connection:
        yield Reach(connection)
