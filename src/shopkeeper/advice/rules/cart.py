"""Customers who put something into the cart this week and bought nothing since they did."""

from __future__ import annotations

from typing import Final

import narwhals as nw

from shopkeeper.advice.idea import Idea, count, did, events_of, every, line, money, never, text
from shopkeeper.advice.view import View
from shopkeeper.core.events import ADD_TO_CART, PURCHASE
from shopkeeper.warehouse.source import Frame, Source

_WEEK: Final = 7
_SHOWN: Final = 3


def ideas(view: View) -> list[Idea]:
    """One group; the items are those left by most."""
    days = view.days(_WEEK)

    def left(source: Source) -> Frame:
        rows = source.events(days).filter(~nw.col("customer_id").is_null())
        bought = rows.filter(nw.col("name") == PURCHASE).select("customer_id").unique()
        carts = rows.filter(nw.col("name") == ADD_TO_CART, ~nw.col("item_id").is_null())
        kept = carts.join(bought, on="customer_id", how="anti")
        each = kept.select("customer_id", "item_id").unique()
        return each.group_by("item_id").agg(nw.len().alias("customers"))

    rows = view.shop.query(left).to_pylist()
    there = {row["item_id"]: int(row["customers"]) for row in rows}
    fit = [
        one
        for one in sorted(there, key=lambda item: (-there[item], item))
        if one in view.items and view.items[one].offered and view.proper(view.items[one].title)
    ]
    if not fit:
        return []
    worth = sum(there[one] * (view.items[one].price or 0.0) for one in fit)
    carts = line(
        "carts",
        days,
        events_of(days, [ADD_TO_CART]),
        carts=count(sum(there[one] for one in fit)),
        items=count(len(fit)),
        worth=money(worth),
        most=text(view.titles(fit[:_SHOWN])),
    )
    group = every(did(ADD_TO_CART, _WEEK), never(did(PURCHASE, _WEEK)))
    return [Idea("cart", view.to_marketing(group), [carts], occasion="cart")]
