"""What rules look at: the shop's goods, demand, orders and texts of late, each read once."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache, cached_property
from typing import Any, Final

import narwhals as nw
import numpy as np
import pyarrow as pa

from shopkeeper.advice.idea import complained, every, never
from shopkeeper.core.events import ADD_TO_CART, ADD_TO_WISHLIST, PURCHASE, VIEW_ITEM
from shopkeeper.core.period import Days
from shopkeeper.customers.ordinal import ordinal
from shopkeeper.customers.segmenting.definition import Definition
from shopkeeper.customers.segmenting.sensitive import topics
from shopkeeper.customers.traits.families.opinions import said
from shopkeeper.customers.traits.scene import Scene
from shopkeeper.recommend.offer import may_offer, out_of_stock
from shopkeeper.shop.shop import Shop
from shopkeeper.warehouse.source import Frame, Source

COMPLAINT_DAYS: Final = 14
"""Whoever complained within so many days is left alone by marketing."""

RECENT: Final = 30
CHANGES: Final = 14
"""Days back with which prices and the range of goods are compared."""

_HEARD: Final = 56
_COLUMNS: Final = ("item_id", "title", "category", "price", "stock", "kind")

Ints = np.ndarray[Any, np.dtype[np.int64]]
Floats = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True)
class Item:
    """An item as it is now; ``before`` is its price two weeks ago, null where it was not there."""

    item_id: str
    title: str
    category: str
    price: float | None
    before: float | None
    known_before: bool
    since: datetime | None
    offered: bool
    sold_out: bool


@dataclass(frozen=True)
class Demand:
    """Different customers who looked at, put into the cart, marked or bought an item within 30 days."""

    views: int = 0
    carts: int = 0
    marks: int = 0
    buyers: int = 0

    @property
    def watchers(self) -> int:
        return max(self.views, self.carts, self.marks)


@dataclass(frozen=True)
class Orders:
    """The days on which customers bought: a row for each customer and day, sorted by both."""

    customer: Ints
    day: Ints
    revenue: Floats

    @cached_property
    def first(self) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """Which rows are a customer's first."""
        begins = np.ones(len(self.customer), dtype=np.bool_)
        begins[1:] = self.customer[1:] != self.customer[:-1]
        return begins

    @cached_property
    def gaps(self) -> Ints:
        """Days since the customer's purchase before, of all but first purchases."""
        between: Ints = np.diff(self.day)
        return between[~self.first[1:]] if len(self.day) else between


@dataclass(frozen=True)
class Spoken:
    """One reading of a customer's text: its theme or its judgement."""

    text_id: str
    customer_id: str
    day: date
    task: str
    label: str


class View:
    """The shop up to its last day with data, as rules see it."""

    def __init__(self, shop: Shop, as_of: date) -> None:
        self.shop = shop
        self.as_of = as_of
        self.now = shop.now()

    def days(self, length: int, *, ago: int = 0) -> Days:
        """So many local days up to the last, or up to ``ago`` days before it."""
        end = self.as_of - timedelta(days=ago)
        return Days(end - timedelta(days=length - 1), end)

    def to_marketing(self, group: Definition) -> Definition:
        """The group without those who complained of late."""
        return every(group, never(complained(COMPLAINT_DAYS))) if self.heard else group

    def titles(self, item_ids: Sequence[str]) -> str:
        """A few items by their titles."""
        return " · ".join(self.items[one].title for one in item_ids if one in self.items)

    def proper(self, *texts: str) -> bool:
        """Whether none of these words tells of health, minors or another sensitive topic.

        Segments may ask for such topics where the owner allowed it; advice never does.
        """
        return _touchy().search(" ".join(texts).lower()) is None

    @cached_property
    def items(self) -> Mapping[str, Item]:
        """The catalogue now, beside two weeks ago."""
        then = self.now - timedelta(days=CHANGES)
        columns = (*_COLUMNS, "available_from", "expires_at")
        rows = self.shop.query(lambda source: source.items().select(*columns)).to_pylist()
        old = self.shop.query(lambda source: source.items(then).select("item_id", "price"))
        before = dict(zip(old["item_id"].to_pylist(), old["price"].to_pylist(), strict=True))
        return {row["item_id"]: _item(row, before, self.now) for row in rows}

    @cached_property
    def demand(self) -> Mapping[str, Demand]:
        """By item, how many different customers wanted it within 30 days."""
        names = (VIEW_ITEM, ADD_TO_CART, ADD_TO_WISHLIST, PURCHASE)

        def build(source: Source) -> Frame:
            rows = source.events(self.days(RECENT)).filter(
                nw.col("name").is_in(list(names)),
                ~nw.col("customer_id").is_null(),
                ~nw.col("item_id").is_null(),
            )
            each = rows.select("item_id", "name", "customer_id").unique()
            return each.group_by("item_id", "name").agg(nw.len().alias("customers"))

        found: dict[str, dict[str, int]] = {}
        for row in self.shop.query(build).to_pylist():
            found.setdefault(row["item_id"], {})[row["name"]] = int(row["customers"])
        return {
            item: Demand(*(told.get(name, 0) for name in names)) for item, told in found.items()
        }

    @cached_property
    def orders(self) -> Orders:
        """Every customer's days with a purchase."""

        def build(source: Source) -> Frame:
            sold = source.daily().filter(
                nw.col("lines") > 0,
                ~nw.col("customer_id").is_null(),
                nw.col("day") <= nw.lit(self.as_of),
            )
            return (
                sold.select("customer_id", "revenue", day=ordinal(nw.col("day")))
                .group_by("customer_id", "day")
                .agg(nw.col("revenue").sum())
            )

        table = self.shop.query(build)
        codes = pa.array(table["customer_id"]).dictionary_encode() if table.num_rows else None
        customer = _whole(codes.indices) if codes is not None else np.zeros(0, np.int64)
        day = _whole(table["day"].combine_chunks())
        revenue = table["revenue"].combine_chunks().fill_null(0.0).to_numpy(zero_copy_only=False)
        order = np.lexsort((day, customer))
        return Orders(customer[order], day[order], revenue.astype(np.float64)[order])

    @cached_property
    def readings(self) -> Sequence[Spoken]:
        """What was read in customers' texts of the last eight weeks: themes and judgements."""
        zone, since = self.shop.settings.zone, self.days(_HEARD).start

        def build(source: Source) -> Frame:
            found = said(Scene(source, self.as_of, zone)).filter(
                nw.col("day") >= nw.lit(since), nw.col("task").is_in(["sentiment", "theme"])
            )
            return found.select("text_id", "customer_id", "day", "task", "label")

        return [Spoken(**row) for row in self.shop.query(build).to_pylist()]

    @cached_property
    def heard(self) -> bool:
        """Whether any text of late was judged negative."""
        return any(one.task == "sentiment" and one.label == "negative" for one in self.readings)

    @cached_property
    def moods(self) -> Mapping[str, str]:
        """The judgement of each text."""
        return {one.text_id: one.label for one in self.readings if one.task == "sentiment"}

    @cached_property
    def by_category(self) -> Counter[str]:
        """How many items of each category were known two weeks ago."""
        return Counter(one.category for one in self.items.values() if one.known_before)


@cache
def _touchy() -> re.Pattern[str]:
    """Sensitive words, those in Latin letters at the beginning of a word: a bracelet tells of no race."""
    words = [re.escape(word) for some in topics().values() for word in some]
    return re.compile(f"(?<![a-z])(?:{'|'.join(words)})")


def _item(row: Mapping[str, Any], before: Mapping[str, float | None], now: datetime) -> Item:
    item_id = row["item_id"]
    return Item(
        item_id=item_id,
        title=row["title"] or item_id,
        category=row["category"] or "",
        price=row["price"],
        before=before.get(item_id),
        known_before=item_id in before,
        since=row["available_from"],
        offered=may_offer(row, now),
        sold_out=out_of_stock(row),
    )


def _whole(values: Any) -> Ints:
    found: Ints = values.to_numpy(zero_copy_only=False).astype(np.int64)
    return found
