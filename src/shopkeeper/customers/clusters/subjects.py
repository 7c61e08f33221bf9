"""What customers are grouped by: what they look at and buy, or how they buy; as comparable columns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import narwhals as nw
import numpy as np
from numpy.typing import NDArray

from shopkeeper.core.events import ADD_TO_CART, PURCHASE, VIEW_ITEM
from shopkeeper.core.period import Days
from shopkeeper.core.types import CannotSay
from shopkeeper.customers.predict.activity import activity, bounds
from shopkeeper.shop.shop import Shop
from shopkeeper.warehouse.source import Frame, Source

Array = NDArray[np.float64]

_YEAR: Final = 365
_WEIGHTS: Final = {VIEW_ITEM: 1.0, ADD_TO_CART: 2.0, PURCHASE: 3.0}
_LEAST_WEIGHT: Final = 6.0  # of looks, baskets and purchases: less says nothing of a taste
_PRIOR: Final = 2.0
_EXTREME: Final = 3.0


@dataclass(frozen=True)
class Subject:
    """Customers with comparable columns; ``shown`` are the same columns as a person would read them."""

    ids: tuple[str, ...]
    names: tuple[str, ...]
    values: Array
    shown: Array


def subject(shop: Shop, by: str) -> Subject | CannotSay:
    """The customers of the last year of data, by ``tastes`` or by ``habits``."""
    span = shop.span()
    if span is None:
        return CannotSay(
            reason="There are no events yet.", needed="events of customers", code="no_events"
        )
    days = Days(max(span.start, span.end - timedelta(days=_YEAR - 1)), span.end)
    make: Callable[[Shop, Days], Subject | CannotSay] = {"tastes": tastes, "habits": habits}[by]
    return make(shop, days)


def tastes(shop: Shop, days: Days) -> Subject | CannotSay:
    """The share of each category in what customers look at, put into baskets and buy.

    Roots of shares, drawn a little towards everybody's: their distance is Hellinger's, which suits shares.
    """

    def build(source: Source) -> Frame:
        goods = source.items().filter(~nw.col("category").is_null()).select("item_id", "category")
        rows = source.events(days).filter(
            nw.col("name").is_in(list(_WEIGHTS)), ~nw.col("customer_id").is_null()
        )
        rows = rows.join(goods, on="item_id", how="inner")
        return rows.group_by("customer_id", "category", "name").agg(count=nw.len())

    rows = shop.query(build)
    paths = rows["category"].to_pylist()
    wide = [path.split(" > ")[0] for path in paths]
    if len(set(wide)) < 2:
        wide = [" > ".join(path.split(" > ")[:2]) for path in paths]
    names, category = np.unique(np.array(wide, dtype=object), return_inverse=True)
    if len(names) < 2:
        return CannotSay(
            reason="Items have fewer than two categories: there are no tastes to compare.",
            needed="the field `category` of items",
            code="no_categories",
        )
    ids, customer = np.unique(
        rows["customer_id"].to_numpy(zero_copy_only=False), return_inverse=True
    )
    weight = np.array([_WEIGHTS[one] for one in rows["name"].to_pylist()])
    weight *= rows["count"].to_numpy().astype(np.float64)
    table = np.zeros((len(ids), len(names)))
    np.add.at(table, (customer, category), weight)
    kept = np.flatnonzero(table.sum(axis=1) >= _LEAST_WEIGHT)
    table = table[kept]
    overall = table.sum(axis=0) / max(table.sum(), 1e-9)
    shares = (table + _PRIOR * overall) / (table.sum(axis=1, keepdims=True) + _PRIOR)
    chosen = tuple(ids[kept].tolist())
    return Subject(chosen, tuple(names.tolist()), np.sqrt(shares), shares)


def habits(shop: Shop, days: Days) -> Subject | CannotSay:
    """How often, how lately, for how much and how customers buy; those who bought at least twice.

    Logarithms, less the median and over the quartiles' distance, cut where they are extreme.
    """
    seen = activity(shop, days)
    bought = seen.buying()
    count = bought.total()
    first, last = bounds(bought)
    now = days.end.toordinal()
    paid = bought.total(bought.sums["revenue"])
    columns = {
        "recency": (now - last).astype(np.float64),
        "gap": (last - first) / np.maximum(count - 1, 1),
        "orders": count,
        "order_value": paid / np.maximum(count, 1),
        "order_lines": bought.total(bought.sums["lines"]) / np.maximum(count, 1),
        "refunds": seen.total(seen.sums["refunds"]) / np.maximum(paid, 1e-9),
        "looks": seen.total(seen.sums["views"]) / np.maximum(count, 1),
    }
    kept = np.flatnonzero(count >= 2)
    if not len(kept):
        return CannotSay(
            reason="Nobody has bought twice.", needed="repeat purchases", code="nobody_twice"
        )
    shown = np.column_stack([one[kept] for one in columns.values()])
    values, told = robust(np.log1p(np.maximum(shown, 0.0)))
    names = tuple(name for name, use in zip(columns, told, strict=True) if use)
    ids = tuple(seen.ids[place] for place in kept.tolist())
    return Subject(ids, names, values, shown[:, told])


def robust(values: Array) -> tuple[Array, NDArray[np.bool_]]:
    """Columns less their median over their quartiles' distance; those in which few differ are left out."""
    low, middle, high = np.quantile(values, [0.25, 0.5, 0.75], axis=0)
    told = high > low
    scaled = (
        (values[:, told] - middle[told]) / (high - low)[told] * 1.349
    )  # 1 for a normal deviation
    return np.clip(scaled, -_EXTREME, _EXTREME), told
