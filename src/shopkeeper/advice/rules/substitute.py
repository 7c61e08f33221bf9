"""Customers who wanted what is sold out: offer them the nearest thing that is there."""

from __future__ import annotations

from typing import Final

from shopkeeper.advice.idea import Idea, count, did, either, events_of, every, line, never, text
from shopkeeper.advice.types import Opens
from shopkeeper.advice.view import RECENT, Demand, Item, View
from shopkeeper.core.events import ADD_TO_CART, PURCHASE, VIEW_ITEM

_WANTED: Final = 14
_NEAR: Final = 0.5
_GROUPS: Final = 2


def ideas(view: View) -> list[Idea]:
    """A group for each of the two sold-out items that most customers wanted."""
    out = [one for one in view.items.values() if one.sold_out and one.item_id in view.demand]
    out.sort(key=lambda one: (-view.demand[one.item_id].watchers, one.item_id))
    found: list[Idea] = []
    for item in out:
        if len(found) < _GROUPS and (instead := _instead(view, item)) is not None:
            found.append(_idea(view, item, instead))
    return found


def _instead(view: View, item: Item) -> Item | None:
    """What is bought most of the same category, at a price not far off."""
    if not item.category or not view.proper(item.title, item.category):
        return None
    near = [
        one
        for one in view.items.values()
        if one.item_id != item.item_id
        and one.offered
        and one.category == item.category
        and _close(one.price, item.price)
        and view.demand.get(one.item_id, Demand()).buyers
    ]
    return max(near, key=lambda one: (view.demand[one.item_id].buyers, one.item_id), default=None)


def _close(price: float | None, other: float | None) -> bool:
    return not price or not other or abs(price - other) <= _NEAR * other


def _idea(view: View, item: Item, instead: Item) -> Idea:
    days, wanted = view.days(RECENT), view.demand[item.item_id]
    lines = [
        line("stock", None, Opens(what="items", item_ids=(item.item_id,)), item=text(item.title)),
        line(
            "wanted",
            days,
            events_of(days, [VIEW_ITEM, ADD_TO_CART], [item.item_id]),
            item=text(item.title),
            views=count(wanted.views),
            carts=count(wanted.carts),
        ),
        line(
            "instead",
            days,
            events_of(days, [PURCHASE], [instead.item_id]),
            item=text(instead.title),
            buyers=count(view.demand[instead.item_id].buyers),
        ),
    ]
    looked = either(
        did(VIEW_ITEM, _WANTED, item=item.item_id), did(ADD_TO_CART, _WANTED, item=item.item_id)
    )
    group = every(
        looked,
        never(did(PURCHASE, RECENT, item=item.item_id)),
        never(did(PURCHASE, RECENT, item=instead.item_id)),
    )
    return Idea(
        "substitute",
        view.to_marketing(group),
        lines,
        occasion="substitute",
        subject=item.item_id,
        item_ids=(instead.item_id,),
        category=item.category,
        names={"item": text(item.title), "instead": text(instead.title)},
    )
