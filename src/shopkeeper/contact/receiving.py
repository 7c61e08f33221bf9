"""What comes back: providers' reports, opens and clicks, and customers who say no."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Final, Literal

import orjson
from pydantic import Field, ValidationError

from shopkeeper.contact import addresses, bots
from shopkeeper.contact.channels.base import Surroundings, plug
from shopkeeper.contact.links import Links
from shopkeeper.contact.signatures import secrets, verify
from shopkeeper.core.errors import BadInput, NotFound
from shopkeeper.core.operation import Actor
from shopkeeper.core.types import Value
from shopkeeper.shop.shop import Shop
from shopkeeper.store.consent.statements import Status
from shopkeeper.store.message_events import Happened, MessageEvents
from shopkeeper.store.messages import ERASED, Message
from shopkeeper.store.outbox import Outbox
from shopkeeper.store.suppressions import Cause, Suppressions

Kind = Literal["delivered", "bounced", "complained", "opened", "clicked", "unsubscribed"]

_LINK_LONGEST: Final = 2_000
CUSTOMER: Final = Actor("browser", "unsubscribe link")
"""Who acts by the link in a message; what the link says is all that it may."""


class Data(Value):
    """What a provider tells of one message."""

    message_id: str = Field(min_length=1, max_length=256, description="ours, or the provider's own")
    kind: Literal["hard", "soft", ""] = Field(default="", description="of a bounce")
    link: str = Field(default="", max_length=_LINK_LONGEST)
    user_agent: str | None = Field(default=None, max_length=1_000)
    method: str = Field(default="GET", max_length=10)


class Report(Value):
    """One event of a provider: Standard Webhooks' shape."""

    type: str = Field(
        description="email.delivered, sms.bounced …: the channel, a dot, what happened"
    )
    timestamp: datetime
    data: Data

    def what(self, channel: str) -> Kind:
        """What happened, or :class:`BadInput` where it is nothing known of that channel."""
        prefix, _, kind = self.type.partition(".")
        known: Mapping[str, Kind] = {one: one for one in _KINDS}
        if prefix != channel or kind not in known:
            raise BadInput(
                f"{self.type!r} is no event of {channel}.",
                hint=f"Known: {', '.join(f'{channel}.{one}' for one in _KINDS)}.",
                field="type",
            )
        return known[kind]


_KINDS: Final[tuple[Kind, ...]] = (
    "delivered",
    "bounced",
    "complained",
    "opened",
    "clicked",
    "unsubscribed",
)


@dataclass(frozen=True)
class Received:
    """Whether a report was new, and whether it counts."""

    new: bool
    counted: bool


def provider_report(
    shop: Shop, around: Surroundings, channel: str, headers: Mapping[str, str], body: bytes
) -> Received:
    """Take one signed report; the second of an id changes nothing.

    Raises:
        NotSignedIn: it is not signed by the provider, or too old.
        NotFound: it is about no message of ours.
    """
    plug(channel)
    name = f"SHOPKEEPER_{channel.upper()}_EVENTS_SECRET"
    keys = secrets(around.need(name, "whsec_… as agreed with the provider"), name)
    event_id = verify(keys, headers, body, shop.now())
    report = _parsed(body)
    kind = report.what(channel)
    agent, time = report.data.user_agent, min(report.timestamp, shop.now())
    why = ""
    if kind in bots.OF_PEOPLE and agent is not None:
        why = bots.by_request(report.data.method, agent)
    soft = kind == "bounced" and report.data.kind == "soft"
    if soft:
        why = "soft_bounce"  # the provider itself tries again: neither counted nor suppressed
    happened = Happened(
        f"{channel}:{event_id}",
        "deferred" if soft else kind,
        time,
        why,
        report.data.link or None,
    )
    message, new = MessageEvents(shop.database).note(report.data.message_id, happened, channel)
    if message is None:
        raise NotFound(
            "No message of ours has that id.",
            hint="Send the id that the message was handed over with.",
            field="data.message_id",
        )
    if new and not why:
        _follow(shop, message, kind, time)
    return Received(new, new and not why)


def _parsed(body: bytes) -> Report:
    try:
        report = Report.model_validate(orjson.loads(body))
    except orjson.JSONDecodeError as error:
        raise BadInput("The body is no JSON.", field="body") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise BadInput(f"{where}: {first['msg']}.", field=where) from error
    if report.timestamp.tzinfo is None:
        raise BadInput("timestamp has no time zone.", hint="Write it with Z.", field="timestamp")
    return report


def _follow(shop: Shop, message: Message, kind: Kind, time: datetime) -> None:
    """What a report means for whom may be reached."""
    if kind == "unsubscribed":
        _say_no(
            shop,
            message.customer_id,
            message.channel,
            message.purpose,
            time,
            "provider",
            message.message_id,
        )
    elif kind in ("bounced", "complained"):
        cause = Cause.BOUNCE if kind == "bounced" else Cause.COMPLAINT
        place = addresses.same(plug(message.channel).kind, message.address or "")
        who = message.customer_id if cause is Cause.COMPLAINT else None
        Suppressions(shop.database).add(
            cause, address=place, customer_id=who, channel=message.channel, by="provider"
        )


def unsubscribe(shop: Shop, token: str) -> tuple[str, str]:
    """Take the consent of the token's customer back; the channel and purpose that it was for.

    Safe to repeat. What they grant later counts again.

    Raises:
        BadInput: the shop has not made that token.
    """
    customer, channel, purpose, message_id = Links.of(shop.database).read("unsubscribe", token)
    told = {"customer_id": customer, "channel": channel, "purpose": purpose}
    now = shop.now()
    with shop.audited(CUSTOMER, "contact.unsubscribe", told):
        _say_no(shop, customer, channel, purpose, now, "link in a message", message_id)
    happened = Happened(f"{message_id}:unsubscribed", "unsubscribed", now)
    MessageEvents(shop.database).note(message_id, happened)
    return channel, purpose


def read_unsubscribe(shop: Shop, token: str) -> tuple[str, str]:
    """The channel and purpose of a token, without doing anything."""
    _, channel, purpose, _ = Links.of(shop.database).read("unsubscribe", token)
    return channel, purpose


def _say_no(
    shop: Shop,
    customer: str,
    channel: str,
    purpose: str,
    time: datetime,
    by: str,
    message_id: str,
) -> None:
    """Record it as the customer's word, and suppress the address so that it outlives the customer's data.

    Of an erased customer nothing is kept that could be used, so nothing is recorded either.
    """
    message = Outbox(shop.database).find(message_id)
    if message is None or message.customer_id.startswith(ERASED):
        return
    at = min(time, datetime.now(UTC))
    place = message.address or ""
    proof = {"by": by, "message_id": message_id}
    shop.consent.record(customer, purpose, channel, Status.REVOKED.value, at, proof)
    Suppressions(shop.database).add(
        Cause.UNSUBSCRIBE,
        address=addresses.same(plug(channel).kind, place) if place else "",
        customer_id=customer,
        channel=channel,
        purpose=purpose,
        by=by,
    )


def click(shop: Shop, token: str, method: str, agent: str) -> str:
    """Note a click; where its link leads. Only the shop can have made the link, so it leads nowhere else.

    Raises:
        BadInput: the shop has not made that token.
    """
    message_id, target = Links.of(shop.database).read("click", token)
    _note(shop, message_id, "clicked", bots.by_request(method, agent), target)
    return target


def opened(shop: Shop, token: str, method: str, agent: str) -> None:
    """Note that a message was shown."""
    (message_id,) = Links.of(shop.database).read("open", token)
    _note(shop, message_id, "opened", bots.by_request(method, agent), None)


def _note(shop: Shop, message_id: str, kind: str, why: str, link: str | None) -> None:
    """One click counts for each link and second, so that a double click is one."""
    now = shop.now()
    event_id = f"{message_id}:{kind}:{int(now.timestamp())}:{_short(link or '')}:{why}"
    MessageEvents(shop.database).note(message_id, Happened(event_id, kind, now, why, link))


def _short(link: str) -> str:
    return sha256(link.encode("utf-8", "surrogatepass")).hexdigest()[:12]
