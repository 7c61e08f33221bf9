"""How sending stands, and what became of each message."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from shopkeeper.contact.channels.base import Surroundings, plug, plugs
from shopkeeper.contact.dispatch import LEASE
from shopkeeper.contact.eligibility import Ask, Why, counts
from shopkeeper.contact.links import PUBLIC_URL
from shopkeeper.contact.policy import current
from shopkeeper.contact.types import (
    ChannelState,
    Checked,
    Count,
    Event,
    Held,
    MessageRecord,
    MessageRow,
    Messages,
    Status,
    Try,
)
from shopkeeper.core.errors import NotFound, ShopkeeperError
from shopkeeper.shop.shop import Shop
from shopkeeper.store.contact_controls import Controls
from shopkeeper.store.lease import Leases
from shopkeeper.store.message_events import MessageEvents
from shopkeeper.store.messages import Message
from shopkeeper.store.outbox import Outbox
from shopkeeper.store.suppressions import Suppressions

_PAGE: Final = 100


def status(shop: Shop) -> Status:
    """How sending stands."""
    outbox = Outbox(shop.database)
    rows = outbox.counts("channel", "state", "reason")
    held = Controls(shop.database).all()
    return Status(
        counts=tuple(Count(channel=c, state=s, reason=r, messages=n) for c, s, r, n in rows),
        oldest_due=outbox.oldest(shop.now()),
        sender=Leases(shop.database).holder(LEASE),
        held=tuple(
            Held(name=c.name, state=c.state, reason=c.reason, since=c.since, until=c.until)
            for c in held
        ),
        channels=tuple(_channel(shop, one.name) for one in plugs()),
        suppressed=Suppressions(shop.database).counts(),
    )


def _channel(shop: Shop, name: str) -> ChannelState:
    one, around, missing = plug(name), Surroundings(shop.folder), ""
    try:
        one.open(around).close()
        if one.kind == "email":
            around.need(PUBLIC_URL, "where customers reach this server")
    except ShopkeeperError as error:
        missing = error.message
    return ChannelState(
        name=name,
        address=one.kind,
        repeatable=one.repeatable,
        ready=not missing,
        missing=missing,
    )


def check(shop: Shop, channel: str, purpose: str, customer_ids: Sequence[str]) -> Checked:
    """How many customers may be reached now, and how many not for which reason."""
    version, ask = asked(shop, channel, purpose)
    whom: Iterable[str] = customer_ids or (row["customer_id"] for row in shop.people.all())
    found = counts(shop.database, ask, whom)
    return Checked(
        customers=found.total(),
        reached=found[Why.OK],
        reasons={why.value: found[why] for why in Why if found[why]},
        policy=version,
    )


def asked(shop: Shop, channel: str, purpose: str) -> tuple[int, Ask]:
    """The question that is asked of each customer now, and the version of the rules."""
    version, policy = current(shop.database)
    one = plug(channel)
    return version, Ask(
        purpose=purpose,
        channel=channel,
        kind=one.kind,
        policy=policy,
        at=shop.now(),
        zone=shop.settings.time_zone,
    )


def outbox(shop: Shop, where: Mapping[str, str], before: int | None) -> Messages:
    """A page of messages, the newest first."""
    found = Outbox(shop.database).page(where, _PAGE + 1, before)
    more = found[_PAGE - 1].number if len(found) > _PAGE else None
    return Messages(messages=tuple(map(_row, found[:_PAGE])), before=more)


def message(shop: Shop, message_id: str) -> MessageRecord:
    """Everything that is known of one message, or :class:`NotFound`."""
    outbox = Outbox(shop.database)
    found = outbox.find(message_id)
    if found is None:
        raise NotFound(
            f"No message {message_id!r}.", hint="See: shopkeeper contact outbox", field="message_id"
        )
    tries = outbox.tries(found.number)
    kept = ("started_at", "finished_at", "outcome", "code", "answer")
    events = MessageEvents(shop.database).of(found.number)
    return MessageRecord(
        message=_row(found),
        address=found.address,
        content=None if found.content is None else dict(found.content),
        labels=dict(found.labels),
        policy=found.policy,
        tries=tuple(Try(**{name: one[name] for name in kept}) for one in tries),
        events=tuple(
            Event(kind=e.kind, time=e.time, counted=e.counted, why=e.why, link=e.link)
            for e in events
        ),
    )


def _row(one: Message) -> MessageRow:
    return MessageRow(**{name: getattr(one, name) for name in MessageRow.model_fields})
