"""What the store holds on sent ids, as statements and as periods with chains resolved."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, func, literal, or_, select, tuple_

from shopkeeper.store import tables
from shopkeeper.store.batches import batches
from shopkeeper.store.database import Database
from shopkeeper.store.timeline import Chains, Span, Statement, spans

_PAGE = 5_000
_IDS = 900
_i = tables.identities.c


Periods = tuple[str, list[Span]]


def every(database: Database) -> Iterator[Periods]:
    """Each sent id with its periods, chains resolved, in order; one page in memory at a time."""
    with database.connect() as connection:
        chains = _all_chains(connection)
    for sent_id, said in groupby(_every(database), key=lambda one: one.sent_id):
        if periods := _periods(sent_id, said, chains):
            yield sent_id, periods


def changing(database: Database) -> list[str]:
    """The ids that may have several periods: much was said about them, or about whom they lead to."""
    several = select(_i.sent_id).where(_holds()).group_by(_i.sent_id).having(func.count() > 1)
    inner = tables.identities.alias()
    chained = select(_i.sent_id).where(_holds(), _i.customer_id.in_(select(inner.c.sent_id)))
    with database.connect() as connection:
        return sorted({*connection.scalars(several), *connection.scalars(chained)})


def of(database: Database, sent_ids: Iterable[str]) -> Iterator[Periods]:
    """Those of these sent ids that stand for somebody."""
    with database.connect() as connection:
        said, wanted = _beyond(connection, sent_ids)
    chains = Chains(one for known in said.values() for one in known)
    for sent_id in wanted:
        if periods := _periods(sent_id, said.get(sent_id, ()), chains):
            yield sent_id, periods


def identity(sent_id: str, periods: list[Span]) -> dict[str, Any]:
    """The row of ``core.schema.IDENTITIES``: for whom the id stands now."""
    now = periods[-1]
    return {"sent_id": sent_id, "customer_id": now.customer_id, "since": now.since, "by": now.by}


def handovers(sent_id: str, periods: list[Span]) -> Iterator[dict[str, Any]]:
    """The rows of ``core.schema.HANDOVERS`` without local days; none for an id of one customer."""
    for span in periods if len(periods) > 1 else ():
        yield {
            "sent_id": sent_id,
            "customer_id": span.customer_id,
            "starts_at": span.start,
            "ends_at": span.until,
        }


def behind(connection: Connection, customer_id: str) -> set[str]:
    """The id itself and all ids that lead to it, at whatever time."""
    found, new = {customer_id}, {customer_id}
    while new:
        nearer: set[str] = set()
        for page in batches(sorted(new), _IDS):
            query = select(_i.sent_id).where(_i.customer_id.in_(page), _holds())
            nearer.update(connection.scalars(query))
        new = nearer - found
        found |= new
    return found


def ahead(connection: Connection, sent_ids: Iterable[str]) -> set[str]:
    """The ids themselves and all that they lead to, at whatever time: who has one of them behind."""
    found = set(sent_ids)
    new = set(found)
    while new:
        further: set[str] = set()
        for page in batches(sorted(new), _IDS):
            query = select(_i.customer_id).where(_i.sent_id.in_(page), _holds())
            further.update(connection.scalars(query))
        new = further - found
        found |= new
    return found


def owners(connection: Connection, customer_ids: Iterable[str]) -> dict[str, set[str]]:
    """:func:`behind` of several customers at once, the other way round: each id, and whose it is."""
    found = {one: {one} for one in customer_ids}
    new = set(found)
    while new:
        nearer: set[str] = set()
        for page in batches(sorted(new), _IDS):
            query = select(_i.sent_id, _i.customer_id).where(_i.customer_id.in_(page), _holds())
            for sent_id, customer_id in connection.execute(query):
                known = found.setdefault(sent_id, set())
                if not found[customer_id] <= known:
                    known |= found[customer_id]
                    nearer.add(sent_id)
        new = nearer
    return found


def current(connection: Connection, sent_id: str) -> Any:
    """The latest statement about the id, unless it was undone."""
    query = select(_i.number, _i.customer_id, _i.by, _i.since)
    return connection.execute(query.where(_i.sent_id == sent_id, _i.ended_at.is_(None))).first()


def latest(connection: Connection, sent_id: str) -> Any:
    """Of the statements that others replaced, the latest."""
    query = (
        select(_i.number, _i.customer_id, _i.by, _i.since)
        .where(_i.sent_id == sent_id, _i.ended_by.like("link:%"))
        .order_by(_i.since.desc(), _i.number.desc())
    )
    return connection.execute(query.limit(1)).first()


def said_at(connection: Connection, sent_id: str, moment: datetime) -> str | None:
    """Whom the id itself is said to stand for at that time, chains not followed."""
    about = select(_i.customer_id).where(_i.sent_id == sent_id, _holds())
    before = about.where(_i.since <= moment).order_by(_i.since.desc(), _i.number.desc()).limit(1)
    found: str | None = connection.scalar(before)
    if found is None:  # what was said first holds for the time before as well
        found = connection.scalar(about.order_by(_i.since, _i.number).limit(1))
    return found


def _holds() -> ColumnElement[bool]:
    """Statements that nobody took back; one that another replaced still holds for its own time."""
    return or_(_i.ended_by.is_(None), _i.ended_by.like("link:%"))


def _statements() -> Select[Any]:
    return select(_i.sent_id, _i.customer_id, _i.since, _i.by, _i.number).where(_holds())


def _every(database: Database) -> Iterator[Statement]:
    order = tuple_(_i.sent_id, _i.since, _i.number)
    query = _statements().order_by(_i.sent_id, _i.since, _i.number).limit(_PAGE)
    page_of = query
    while True:
        with database.connect() as connection:
            page = [Statement(*row) for row in connection.execute(page_of)]
        yield from page
        if len(page) < _PAGE:
            return
        last = page[-1]
        bound = (literal(last.sent_id), literal(last.since, _i.since.type), literal(last.number))
        page_of = query.where(order > tuple_(*bound))


def _all_chains(connection: Connection) -> Chains:
    inner = tables.identities.alias()
    targets = select(inner.c.customer_id)
    query = _statements().where(_i.sent_id.in_(targets))
    return Chains(Statement(*row) for row in connection.execute(query))


def _beyond(
    connection: Connection, sent_ids: Iterable[str]
) -> tuple[dict[str, list[Statement]], list[str]]:
    """The statements about these ids and about all that they lead to."""
    wanted = sorted(set(sent_ids))
    said: dict[str, list[Statement]] = {}
    seen, new = set(wanted), set(wanted)
    while new:
        further: set[str] = set()
        for page in batches(sorted(new), _IDS):
            for row in connection.execute(_statements().where(_i.sent_id.in_(page))):
                one = Statement(*row)
                said.setdefault(one.sent_id, []).append(one)
                further.add(one.customer_id)
        new = further - seen
        seen |= new
    return said, wanted


def _periods(sent_id: str, said: Iterable[Statement], chains: Chains) -> list[Span]:
    own = chains.own(sent_id)
    return own if own is not None else chains.resolved(spans(said))
