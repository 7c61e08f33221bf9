"""Customers who looked at something before it became cheaper, and have not bought it."""

from __future__ import annotations

from typing import Final

from shopkeeper.advice.idea import (
    Idea,
    count,
    did,
    either,
    events_of,
    every,
    line,
    money,
    never,
    share,
    text,
)
from shopkeeper.advice.types import Line, Opens
from shopkeeper.advice.view import CHANGES, RECENT, Item, View
from shopkeeper.core.events import ADD_TO_CART, ADD_TO_WISHLIST, PURCHASE, VIEW_ITEM
from shopkeeper.customers.segmenting.definition import Definition

_LEAST: Final = 0.05
_BOUGHT: Final = 90
_MOST: Final = 5
_WATCHED: Final = (VIEW_ITEM, ADD_TO_CART, ADD_TO_WISHLIST)


def ideas(view: View) -> list[Idea]:
    """One group for the cut items that most customers watched."""
    cut = [
        one
        for one in view.items.values()
        if _fell(one) and one.item_id in view.demand and view.proper(one.title, one.category)
    ]
    cut.sort(key=lambda one: (-view.demand[one.item_id].watchers, one.item_id))
    if not (chosen := cut[:_MOST]):
        return []
    items = tuple(one.item_id for one in chosen)
    days = view.days(RECENT)
    lines = [_cut(view, one) for one in chosen]
    lines.append(
        line(
            "watched",
            days,
            events_of(days, _WATCHED, items),
            watchers=count(sum(view.demand[one].watchers for one in items)),
        )
    )
    group = either(*(_watched(one) for one in items))
    return [
        Idea(
            "price_cut",
            view.to_marketing(group),
            lines,
            occasion="price_cut",
            item_ids=items,
            names={"items": text(view.titles(items))},
        )
    ]


def _fell(one: Item) -> bool:
    if not one.offered or not one.price or not one.before:
        return False
    return one.price <= one.before * (1 - _LEAST)


def _cut(view: View, one: Item) -> Line:
    before, now = one.before or 0.0, one.price or 0.0
    return line(
        "cut",
        view.days(CHANGES),
        Opens(what="items", item_ids=(one.item_id,)),
        item=text(one.title),
        before=money(before),
        now=money(now),
        less=share(1 - now / before),
    )


def _watched(item: str) -> Definition:
    looked = either(*(did(name, RECENT, item=item) for name in _WATCHED))
    return every(looked, never(did(PURCHASE, _BOUGHT, item=item)))
