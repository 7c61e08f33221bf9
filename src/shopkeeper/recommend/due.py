"""What a customer buys again and again, when it is due, and what to do for them next.

The days until the next purchase of an item: the customer's own mean gap and the item's median gap over
all customers, weighed as n own gaps against two: ``(n x own + 2 x usual) / (n + 2)``.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final, Literal

import numpy as np

from shopkeeper.core.settings import Language
from shopkeeper.core.types import CannotSay, Reason
from shopkeeper.recommend.cases import rebought
from shopkeeper.recommend.composing import Asked
from shopkeeper.recommend.history import DAY_MS, STRENGTH, Floats, History
from shopkeeper.recommend.lists import Listing, refuses
from shopkeeper.recommend.model import own
from shopkeeper.recommend.offer import may_offer
from shopkeeper.recommend.types import Again, BuyAgain, NextAction, Slot
from shopkeeper.shop.shop import Shop

Action = Literal["recommend", "remind", "reorder", "nothing"]

_PRIOR: Final = 2
_LEAST_GAPS: Final = 5
_SOON: Final = 3
_CART_DAYS: Final = 7
_LATE: Final = 3.0
"""Who is later than so many of the usual gaps has stopped buying it: it is not due, it is over."""

_WORDS: Final = {
    "en": {
        "due": "Bought {times} times, last on {last}; usually again after {days} days.",
        "cart": "Put into the cart on {day} and not bought since.",
        "refused": "This customer refuses personalisation.",
        "nothing": "Nothing is in the cart, nothing is due, and no item speaks to them.",
        "unknown": "Nothing is known of this customer yet: the list is what is popular.",
    },
    "zh": {
        "due": "买过 {times} 次，最近一次是 {last}；通常 {days} 天后会再买。",
        "cart": "{day} 加入购物车，至今未买。",
        "refused": "该客户拒绝个性化推荐。",
        "nothing": "购物车为空，没有到期需要回购的商品，也没有合适的推荐。",
        "unknown": "对该客户还没有了解：推荐的是热门商品。",
    },
}


def usual_gaps(history: History) -> Floats:
    """The median days between a customer's purchases of an item; not a number where too few repeat it."""
    rows = np.flatnonzero(history.bought & history.known[history.customer])
    order = rows[np.lexsort((history.time[rows], history.item[rows], history.customer[rows]))]
    customer, item, time = history.customer[order], history.item[order], history.time[order]
    same = (customer[1:] == customer[:-1]) & (item[1:] == item[:-1])
    days, item = (time[1:] - time[:-1])[same] / DAY_MS, item[1:][same]
    usual = np.full(len(history.item_ids), np.nan)
    for one in np.flatnonzero(rebought(history)):
        mine = days[item == one]
        if len(mine) >= _LEAST_GAPS:
            usual[one] = float(np.median(mine))
    return usual


def buy_again(shop: Shop, customer_id: str, asked: Asked, lang: Language) -> BuyAgain:
    """What the customer buys repeatedly, what is due soonest first; none to who refuses personal lists."""
    listing = Listing(shop, lang)
    today = shop.now().astimezone(shop.settings.zone).date()
    if refuses(shop, customer_id):
        why = CannotSay(reason=_WORDS[lang]["refused"], needed="the customer's consent")
        return BuyAgain(customer_id=customer_id, as_of=today, items=(), missing=why)
    rows = own(shop, customer_id, live=asked.live)
    found = sorted(_due(shop, listing, rows, today), key=lambda one: (one.due, one.slot.item_id))
    kept = found[: asked.k]
    ranked = tuple(
        one.model_copy(update={"slot": one.slot.model_copy(update={"rank": rank})})
        for rank, one in enumerate(kept, 1)
    )
    why = CannotSay(
        reason="Nothing that this customer bought is known to be bought again and is to be had now.",
        needed="purchases of consumables: at least five repeated ones of an item",
    )
    return BuyAgain(
        customer_id=customer_id, as_of=today, items=ranked, missing=None if ranked else why
    )


def next_action(shop: Shop, customer_id: str, asked: Asked, lang: Language) -> NextAction:
    """Remind of a cart, offer what is due, recommend, or leave alone; the first that has a ground."""
    words, today = _WORDS[lang], shop.now().astimezone(shop.settings.zone).date()

    def action(kind: Action, slots: tuple[Slot, ...], *reasons: Reason) -> NextAction:
        return NextAction(
            customer_id=customer_id, as_of=today, action=kind, slots=slots, reasons=reasons
        )

    if refuses(shop, customer_id):
        return action("nothing", (), Reason(code="consent.refused", text=words["refused"]))
    listing = Listing(shop, lang)
    rows = own(shop, customer_id, live=asked.live)
    if cart := _cart(shop, listing, rows, today, asked.k):
        return action("remind", cart, *cart[0].reasons)
    due = [
        one
        for one in buy_again(shop, customer_id, asked, lang).items
        if one.due <= today + timedelta(days=_SOON)
    ]
    if due:
        return action("reorder", tuple(one.slot for one in due), *due[0].slot.reasons)
    slate, _ = listing.of(customer_id, rows, asked)
    if not slate.slots:
        why = slate.missing.reason if slate.missing else words["nothing"]
        return action("nothing", (), Reason(code="nothing.left", text=why))
    if not len(rows.item):
        return action("recommend", slate.slots, Reason(code="unknown", text=words["unknown"]))
    return action("recommend", slate.slots, *slate.slots[0].reasons)


def _due(shop: Shop, listing: Listing, rows: History, today: date) -> list[Again]:
    model, writer = listing.writer.model, listing.writer
    usual = usual_gaps(model.history)
    positions = {item: n for n, item in enumerate(model.history.item_ids.to_pylist())}
    found = []
    for mine in np.unique(rows.item[rows.bought]):
        item_id = rows.item_ids[int(mine)].as_py()
        place = positions.get(item_id, -1)
        if place < 0 or np.isnan(usual[place]) or not _to_be_had(shop, listing, item_id):
            continue
        times = np.sort(rows.time[rows.bought & (rows.item == mine)])
        between = np.diff(times) / DAY_MS
        days = (between.sum() + _PRIOR * usual[place]) / (len(between) + _PRIOR)
        last = writer.day(int(times[-1]))
        due = last + timedelta(days=max(1, round(days)))
        if (today - last).days > _LATE * days:
            continue
        text = _WORDS[writer.lang]["due"].format(times=len(times), last=last, days=round(days))
        evidence: dict[str, str | float | int | None] = {
            "item_id": item_id,
            "times": len(times),
            "last": str(last),
            "days": round(float(days), 1),
        }
        reason = Reason(code="repeat.due", text=text, evidence=evidence)
        slot = writer.named(item_id, rank=0, head="repeat", score=float(days), reasons=(reason,))
        found.append(Again(slot=slot, last=last, due=due, times=len(times)))
    return found


def _cart(shop: Shop, listing: Listing, rows: History, today: date, k: int) -> tuple[Slot, ...]:
    """What was put into the cart within a week and not bought since, the newest first."""
    writer = listing.writer
    slots: list[Slot] = []
    since = today - timedelta(days=_CART_DAYS)
    for row in np.argsort(-rows.time, kind="stable"):
        day = writer.day(int(rows.time[row]))
        if rows.strength[row] != STRENGTH["add_to_cart"] or day < since or day > today:
            continue
        later = (rows.item == rows.item[row]) & rows.bought & (rows.time >= rows.time[row])
        item_id = rows.item_ids[int(rows.item[row])].as_py()
        if later.any() or not _to_be_had(shop, listing, item_id):
            continue
        text = _WORDS[writer.lang]["cart"].format(day=day)
        reason = Reason(code="cart.left", text=text, evidence={"item_id": item_id, "day": str(day)})
        if item_id not in {slot.item_id for slot in slots}:
            slots.append(
                writer.named(
                    item_id, rank=len(slots) + 1, head="cart", score=0.0, reasons=(reason,)
                )
            )
    return tuple(slots[:k])


def _to_be_had(shop: Shop, listing: Listing, item_id: str) -> bool:
    """Whether the item may be offered, by the store as it is now."""
    if not listing.writer.model.items:
        return True
    return may_offer(shop.catalogue.some([item_id]).get(item_id), shop.now())
