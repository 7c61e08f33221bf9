"""Campaigns as people look at them: the list, one with its history, how sending goes."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from shopkeeper.campaigns.designing import campaign_of
from shopkeeper.campaigns.types import Campaigns, Change, Delivery, Live, Shown
from shopkeeper.shop.shop import Shop
from shopkeeper.store.campaigns import Campaigns as Kept
from shopkeeper.store.campaigns import Stored
from shopkeeper.store.contact_controls import Controls, names
from shopkeeper.store.deliveries import Deliveries
from shopkeeper.store.messages import WAITING, State
from shopkeeper.store.reach import REACHED

_NOT_OVER: Final = (*WAITING, State.SENDING.value)


def listed(shop: Shop) -> Campaigns:
    """All of them, the newest first."""
    return Campaigns(campaigns=tuple(map(campaign_of, Kept(shop.database).all())))


def shown(shop: Shop, campaign_id: str) -> Shown:
    """One, with what was done to it and how sending goes."""
    store = Kept(shop.database)
    stored = store.get(campaign_id)
    changes = (
        Change(time=one.time, actor=one.actor, change=one.change, details=dict(one.details))
        for one in store.changes(campaign_id)
    )
    return Shown(campaign=campaign_of(stored), changes=tuple(changes), live=live(shop, stored))


def live(shop: Shop, stored: Stored) -> Live:
    """How sending goes; what is not drawn yet is taken to get messages as those before did."""
    found, now = deliveries(shop, stored), shop.now()
    messages = sum(one.messages for one in found)
    waiting = sum(one.messages for one in found if one.state in _NOT_OVER)
    pace = Deliveries(shop.database).left(stored.step, now - timedelta(minutes=1))
    held = Controls(shop.database).of(names(stored.channel, stored.step, stored.id), now)
    rest = waiting + _undrawn(stored, messages)
    return Live(
        deliveries=found,
        messages=messages,
        left=sum(one.messages for one in found if one.state in REACHED),
        waiting=waiting,
        per_minute=pace,
        minutes_left=rest / pace if pace and rest else None,
        held_by="" if held is None else f"{held.name}: {held.reason}",
    )


def deliveries(shop: Shop, stored: Stored) -> tuple[Delivery, ...]:
    """Its messages by state and reason."""
    rows = Deliveries(shop.database).states(stored.step)
    return tuple(Delivery(state=state, reason=reason, messages=n) for state, reason, n in rows)


def _undrawn(stored: Stored, messages: int) -> int:
    """Messages that are to be expected of customers who were not handled yet."""
    handled = sum(stored.progress.get("counts", {}).values())
    left = max(0, stored.progress.get("audience", 0) - handled)
    return round(left * messages / handled) if handled and stored.status == "sending" else 0
