"""Customers with their traits, and which sent ids stand for them; every link can be undone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, delete, or_, select, update

from shopkeeper.core.errors import BadInput, NotFound
from shopkeeper.store import links, tables
from shopkeeper.store.batches import batches
from shopkeeper.store.database import CUSTOMER_LOCK, Database, lock
from shopkeeper.store.revisions import bump
from shopkeeper.store.timeline import Span

_PAGE = 5_000
_IDS = 900


@dataclass(frozen=True, slots=True)
class Customer:
    """What the shop knows of one customer; empty fields leave what was known before."""

    customer_id: str
    first_seen: datetime | None = None
    language: str | None = None
    country: str | None = None
    traits: Mapping[str, str | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Identity:
    """Since ``since``, the sent id (a user_id or anonymous_id) stands for the customer."""

    sent_id: str
    customer_id: str
    by: str
    since: datetime


class Customers:
    """The shop's customers and identities, as they are now; identities keep their history."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def upsert(self, rows: Iterable[Customer | Mapping[str, Any]]) -> int:
        """Add or change customers; how many rows were given.

        Traits are merged by name (None removes one); the earliest ``first_seen`` stays.
        """
        count = 0
        customers = (row if isinstance(row, Customer) else Customer(**row) for row in rows)
        for batch in batches(customers, _PAGE):
            with self._database.begin() as connection:
                merge(connection, batch)
            count += len(batch)
        return count

    def get(self, customer_id: str) -> Customer:
        """The customer, or :class:`NotFound`."""
        with self._database.connect() as connection:
            known = _known(connection, [customer_id])
        if not known:
            raise NotFound(f"No customer {customer_id!r}.", hint="Check the id.")
        return known[customer_id]

    def some(self, customer_ids: Iterable[str]) -> dict[str, Customer]:
        """Those of these customers that are known, by id."""
        with self._database.connect() as connection:
            return _known(connection, list(customer_ids))

    def all(self) -> Iterator[dict[str, Any]]:
        """Every customer in order of id, one page in memory at a time."""
        c = tables.customers.c
        query = select(tables.customers).order_by(c.customer_id).limit(_PAGE)
        last = ""
        while True:
            with self._database.connect() as connection:
                page = connection.execute(query.where(c.customer_id > last)).mappings().all()
            yield from map(dict, page)
            if len(page) < _PAGE:
                return
            last = page[-1]["customer_id"]

    def identify(self, sent_id: str, customer_id: str, by: str, since: datetime) -> bool:
        """Let ``sent_id`` stand for the customer from ``since`` on; False when it already did.

        What that means for the time before, for shared devices and for chains: ``store.timeline``.
        """
        with self._database.begin() as connection:
            return identify(connection, Identity(sent_id, customer_id, by, since))

    def link(self, links: Iterable[Identity]) -> int:
        """Let many sent ids stand for their customers, a page a transaction; how many were new."""
        new = 0
        for page in batches(links, _PAGE):
            with self._database.begin() as connection:
                new += link(connection, page)
        return new

    def undo(self, sent_id: str, by: str) -> Identity | None:
        """Take back what was last said about ``sent_id``; what it stands for now, if anything."""
        i = tables.identities.c
        with self._database.begin() as connection:
            _queue(connection)
            current = links.current(connection, sent_id)
            if current is None:
                raise NotFound(f"{sent_id!r} stands for no customer.", hint="Check the id.")
            _end(connection, sent_id, f"undo:{by}", datetime.now(UTC))
            bump(connection, "identities")
            back = links.latest(connection, sent_id)
            if back is None:
                return None
            # The link before comes back as a new row, so that the history shows the detour.
            connection.execute(
                update(tables.identities)
                .where(i.number == back.number)
                .values(ended_by=f"back:{by}")
            )
            found = Identity(sent_id, back.customer_id, back.by, back.since)
            connection.execute(tables.identities.insert().values(**asdict(found)))
            return found

    def identities(self) -> Iterator[dict[str, Any]]:
        """For whom each sent id stands now, chains followed to the end: rows of ``IDENTITIES``."""
        for sent_id, periods in links.every(self._database):
            yield links.identity(sent_id, periods)

    def handovers(self) -> Iterator[dict[str, Any]]:
        """The periods of ids that stood for several customers: rows of ``HANDOVERS``, days left out."""
        for sent_id, periods in links.of(self._database, links.changing(self._database)):
            yield from links.handovers(sent_id, periods)

    def periods(self, sent_ids: Iterable[str]) -> dict[str, list[Span]]:
        """For whom each of these ids stood when, chains followed to the end; only known ids."""
        return dict(links.of(self._database, sent_ids))

    def history(self, sent_id: str) -> list[dict[str, Any]]:
        """Every link that ``sent_id`` ever had, oldest first, with when and by whom it ended."""
        query = select(tables.identities).where(tables.identities.c.sent_id == sent_id)
        with self._database.connect() as connection:
            rows = connection.execute(query.order_by(tables.identities.c.number)).mappings()
            return [{k: v for k, v in row.items() if k != "number"} for row in rows]

    def customer_of(self, sent_id: str) -> str | None:
        """The customer that the sent id stands for now, chains followed to the end."""
        periods = self.periods([sent_id]).get(sent_id)
        return periods[-1].customer_id if periods else None

    def sent_ids(self, customer_id: str) -> list[str]:
        """The customer's own id and every id that stands for it at some time: whose events may be theirs."""
        with self._database.connect() as connection:
            return sorted(links.behind(connection, customer_id))

    def delete(self, customer_id: str) -> None:
        """Remove the customer with traits, links (past ones too) and consent records."""
        i = tables.identities.c
        with self._database.begin() as connection:
            connection.execute(
                delete(tables.identities).where(
                    or_(i.customer_id == customer_id, i.sent_id == customer_id)
                )
            )
            for table in (tables.customers, tables.consent):
                connection.execute(delete(table).where(table.c.customer_id == customer_id))
            bump(connection, "customers", "identities")


def merge(connection: Connection, customers: Sequence[Customer]) -> None:
    """Merge each customer into what is known, later ones over earlier ones."""
    if not customers:
        return
    ids = [_required(customer.customer_id, "customer_id") for customer in customers]
    _queue(connection)
    merged = _known(connection, ids)
    for customer in customers:
        known = merged.get(customer.customer_id)
        merged[customer.customer_id] = _merged(known or Customer(customer.customer_id), customer)
    rows = [_row(merged[customer_id]) for customer_id in sorted(merged)]
    changed = ["first_seen", "language", "country", "traits"]
    statement = tables.upsert(connection, tables.customers, ["customer_id"], changed)
    connection.execute(statement, rows)
    bump(connection, "customers")


def identify(connection: Connection, identity: Identity) -> bool:
    """Let the sent id stand for the customer; False when it already did at that time."""
    sent = _required(identity.sent_id, "sent_id")
    if _required(identity.customer_id, "customer_id") == sent:
        return False
    _queue(connection)
    if links.said_at(connection, sent, identity.since) == identity.customer_id:
        return False
    row: dict[str, Any] = asdict(identity)
    current = links.current(connection, sent)
    if current is not None and current.since > identity.since:  # told late: the later one stays
        row |= {"ended_at": current.since, "ended_by": f"link:{current.by}"}
    else:
        _end(connection, sent, f"link:{identity.by}", identity.since)
    connection.execute(tables.identities.insert().values(**row))
    bump(connection, "identities")
    return True


def link(connection: Connection, links: Sequence[Identity]) -> int:
    """:func:`identify` for many at once: ids that never stood for anybody go in together."""
    if not links:
        return 0
    _queue(connection)
    i = tables.identities.c
    taken: set[str] = set()
    for page in batches(sorted({one.sent_id for one in links}), _IDS):
        query = select(i.sent_id).where(i.sent_id.in_(page), i.ended_at.is_(None))
        taken.update(connection.scalars(query))
    first: dict[str, Identity] = {}
    later: list[Identity] = []
    for one in links:
        _required(one.customer_id, "customer_id")
        if _required(one.sent_id, "sent_id") in taken or one.sent_id in first:
            later.append(one)
        elif one.sent_id == one.customer_id:
            continue
        else:
            first[one.sent_id] = one
    if first:
        connection.execute(tables.identities.insert(), [asdict(one) for one in first.values()])
        bump(connection, "identities")
    return len(first) + sum(identify(connection, one) for one in later)


def _queue(connection: Connection) -> None:
    """Let one transaction change customers at a time: each reads what is known and adds to it."""
    if connection.dialect.name == "postgresql":
        lock(connection, CUSTOMER_LOCK)


def _end(connection: Connection, sent_id: str, by: str, at: datetime) -> None:
    i = tables.identities.c
    connection.execute(
        update(tables.identities)
        .where(i.sent_id == sent_id, i.ended_at.is_(None))
        .values(ended_at=at, ended_by=by)
    )


def _known(connection: Connection, ids: Sequence[str]) -> dict[str, Customer]:
    found: dict[str, Customer] = {}
    for page in batches(sorted(set(ids)), _IDS):
        query = select(tables.customers).where(tables.customers.c.customer_id.in_(page))
        for row in connection.execute(query).mappings():
            found[row["customer_id"]] = Customer(**row)
    return found


def _merged(known: Customer, new: Customer) -> Customer:
    traits = {k: v for k, v in {**known.traits, **new.traits}.items() if v is not None}
    seen = [time for time in (known.first_seen, new.first_seen) if time is not None]
    return Customer(
        known.customer_id,
        min(seen, default=None),
        new.language or known.language,
        new.country or known.country,
        traits,
    )


def _row(customer: Customer) -> dict[str, Any]:
    # `asdict` copies deeply, which is most of the time of a large import's customers.
    return {column.name: getattr(customer, column.name) for column in fields(customer)}


def _required(value: str, field: str) -> str:
    if not value:
        raise BadInput(f"{field} is empty.", hint="Give each customer an id.", field=field)
    return value
