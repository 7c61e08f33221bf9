"""Accepts live calls: durable in the intake log before anybody is told so."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import orjson

from shopkeeper.collect.clock import LocalDays
from shopkeeper.collect.segment import BATCH_LIMIT, Accepted, Refused, Rules, rows, unpack
from shopkeeper.core.errors import TooLarge
from shopkeeper.core.operation import Actor
from shopkeeper.store.customers import Customer, Identity
from shopkeeper.store.log import Entry

if TYPE_CHECKING:
    from shopkeeper.shop.shop import Shop

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass
class Prepared:
    """Calls turned into what the log takes; nothing is stored yet. ``calls`` were good."""

    calls: int = 0
    entries: list[Entry] = field(default_factory=list)
    identities: list[Identity] = field(default_factory=list)
    customers: list[Customer] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    repaired: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Acceptance:
    """What became of the calls: good ones, how many of their rows are new or known, bad ones."""

    accepted: int
    new: int
    duplicate: int
    refused: tuple[Refused, ...]
    repaired: dict[str, int]


def rules(shop: Shop, actor: Actor, *, browser: bool) -> Rules:
    """What holds for the calls of this actor's key; make it once for each key, it caches."""
    settings = shop.settings
    return Rules(
        source=f"key:{actor.name}",
        days=LocalDays(settings.time_zone),
        currency=settings.currency,
        may_identify=not browser,
        may_money=not browser,
    )


def prepare(
    body: object, rules_of: Rules, received_at: datetime, *, kind: str | None = None
) -> Prepared:
    """The body's calls as log entries; bad ones are refused one by one, with their field.

    Raises:
        TooLarge: a batch holds more than 1,000 calls.
    """
    out = Prepared()
    for number, (where, call) in enumerate(unpack(body, kind)):
        if number >= BATCH_LIMIT:
            raise TooLarge(
                f"A batch holds at most {BATCH_LIMIT} calls.", hint="Send several.", field="batch"
            )
        result = rows(call, rules_of, received_at, where=where)
        if isinstance(result, Refused):
            out.refused.append(result)
        else:
            _add(out, result, received_at)
    return out


def accept(
    shop: Shop,
    body: object,
    *,
    actor: Actor,
    received_at: datetime,
    browser: bool = False,
    kind: str | None = None,
) -> Acceptance:
    """Store the calls of one request; durable when this returns."""
    prepared = prepare(body, rules(shop, actor, browser=browser), received_at, kind=kind)
    new = 0
    if prepared.calls:
        new = shop.log.append(
            [prepared.entries], identities=prepared.identities, customers=prepared.customers
        )[0]
    return acceptance(prepared, new)


def acceptance(prepared: Prepared, new: int) -> Acceptance:
    """The answer to a request of whose rows ``new`` were new to the log."""
    return Acceptance(
        accepted=prepared.calls,
        new=new,
        duplicate=len(prepared.entries) - new,
        refused=tuple(prepared.refused),
        repaired=prepared.repaired,
    )


def moment(time: int) -> datetime:
    """A time in microseconds since 1970 as a datetime in UTC."""
    return _EPOCH + timedelta(microseconds=time)


def _add(out: Prepared, call: Accepted, received_at: datetime) -> None:
    out.calls += 1
    user, visitor = call.user_id or "", call.anonymous_id or ""
    for table, event_id, row in call.rows:
        payload = orjson.dumps(row)
        out.entries.append(Entry(event_id, user, visitor, received_at, table, payload))  # type: ignore[arg-type]
    if call.link is not None:
        sent, customer, by = call.link
        out.identities.append(Identity(sent, customer, by, moment(call.time)))
    if call.customer is not None:
        news = {**call.customer, "first_seen": moment(call.customer["first_seen"])}
        out.customers.append(Customer(**news))
    for what in call.repaired:
        out.repaired[what] = out.repaired.get(what, 0) + 1
