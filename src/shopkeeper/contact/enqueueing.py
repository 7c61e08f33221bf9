"""Putting messages into the outbox: checked against the channel, judged now and again as they leave."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final

from pydantic import ValidationError

from shopkeeper.contact.channels.base import Plug, plug
from shopkeeper.contact.eligibility import Why, judge
from shopkeeper.contact.letter import Content
from shopkeeper.contact.looking import asked
from shopkeeper.contact.types import Sent
from shopkeeper.core.errors import BadInput
from shopkeeper.core.plan import Step
from shopkeeper.shop.shop import Shop
from shopkeeper.store.batches import batches
from shopkeeper.store.messages import Draft
from shopkeeper.store.outbox import Outbox
from shopkeeper.store.reach import reading
from shopkeeper.store.suppressions import Suppressions

_PAGE: Final = 2_000
_LASTS: Final = timedelta(days=3)


@dataclass(frozen=True)
class Order:
    """What is sent to each of an audience: a step of a campaign, or one message by itself.

    ``labels`` go to the events of what came of it: content_id, experiment_id, variant_id, propensity.
    """

    step: str
    channel: str
    purpose: str
    campaign_id: str = ""
    labels: Mapping[str, Any] = field(default_factory=dict)
    due_at: datetime | None = None
    not_after: datetime | None = None


def content_of(one: Plug, told: Mapping[str, Any]) -> Content:
    """The content, if the channel takes it.

    Raises:
        BadInput: names the part that is missing or not taken.
    """
    try:
        content = Content.model_validate(dict(told))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(("content", *map(str, first["loc"])))
        raise BadInput(f"{where}: {first['msg']}.", field=where) from error
    one.check(content)
    return content


def enqueue(
    shop: Shop,
    order: Order,
    letters: Iterable[tuple[str, Mapping[str, Any]]],
    control: Sequence[str] = (),
) -> Counter[str]:
    """Queue each customer's content; how many by reason, ``queued`` for those who get a message.

    Customers in ``control`` are held out. A quiet hour does not hold a message back here: it waits in the
    outbox. A customer who has a message of this step already counts as ``already``.
    """
    one, now = plug(order.channel), shop.now()
    _, ask = asked(shop, order.channel, order.purpose)
    ask = replace(ask, control=frozenset(control))
    suppressions, outbox = Suppressions(shop.database), Outbox(shop.database)
    found: Counter[str] = Counter()
    for page in batches(letters, _PAGE):
        contents = {customer: content_of(one, told) for customer, told in page}
        with reading(shop.database) as reach:
            verdicts = judge(reach, suppressions, ask, list(contents))
        going = [v.customer_id for v in verdicts if v.why in (Why.OK, Why.QUIET)]
        found.update(v.why.value for v in verdicts if v.why not in (Why.OK, Why.QUIET))
        drafts = [_draft(order, one_id, contents[one_id], now) for one_id in going]
        new = outbox.put(drafts, now=now)
        found.update({"queued": new, "already": len(drafts) - new})
    return +found


def _draft(order: Order, customer: str, content: Content, now: datetime) -> Draft:
    due = order.due_at or now
    return Draft(
        step=order.step,
        customer_id=customer,
        channel=order.channel,
        purpose=order.purpose,
        content=content.model_dump(mode="json", exclude_defaults=True),
        due_at=due,
        not_after=order.not_after or due + _LASTS,
        campaign_id=order.campaign_id,
        labels=order.labels,
    )


def planned(
    shop: Shop,
    step: str,
    channel: str,
    content: Mapping[str, Any],
    customer_ids: Sequence[str],
    purpose: str,
) -> list[Step]:
    """How many would get the message, and how many not for which reason."""
    content_of(plug(channel), content)
    _, ask = asked(shop, channel, purpose)
    ids = list(dict.fromkeys(customer_ids))
    had = Outbox(shop.database).had(step, ids)
    with reading(shop.database) as reach:
        verdicts = judge(reach, Suppressions(shop.database), ask, ids)
    found = Counter("already" if v.customer_id in had else v.why.value for v in verdicts)
    return [
        Step(where=f"{channel}, step {step}", what=_told(reason), count=count)
        for reason, count in sorted(found.items())
    ]


def _told(reason: str) -> str:
    if reason == Why.OK:
        return "message queued"
    if reason == Why.QUIET:
        return "message queued until quiet hours end"
    return f"not reached: {reason}"


def send(
    shop: Shop,
    step: str,
    channel: str,
    content: Mapping[str, Any],
    customer_ids: Sequence[str],
    purpose: str,
) -> Sent:
    """Queue them."""
    letters = [(one, content) for one in dict.fromkeys(customer_ids)]
    found = enqueue(shop, Order(step, channel, purpose), letters)
    return Sent(queued=found["queued"])
