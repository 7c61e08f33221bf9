"""Whether an occasion is so: what the catalogue's history and the customers' orders show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final, get_args

import narwhals as nw

from shopkeeper.content.facts import PRICE, STOCK
from shopkeeper.content.types import Occasion
from shopkeeper.core import events
from shopkeeper.shop.shop import Shop
from shopkeeper.store.segments import Segments
from shopkeeper.warehouse.source import Source

OCCASIONS: Final[tuple[Occasion, ...]] = get_args(Occasion)
_BACK: Final = (1, 3, 7, 14, 30)
"""So many days ago the catalogue is looked at."""
_NEW: Final = timedelta(days=45)


@dataclass(frozen=True)
class Ground:
    """What is known around an item and a segment."""

    row: Mapping[str, Any]
    past: tuple[tuple[datetime, Mapping[str, Any]], ...]
    buyers: int
    segment: str
    members: int | None


def ground(shop: Shop, item_id: str, segment_id: str) -> Ground:
    """Look at the item's past, its buyers and the segment.

    Raises:
        NotFound: no such item or segment.
    """
    row = shop.catalogue.item(item_id)
    name = Segments(shop.database).get(segment_id).name if segment_id else ""
    members = _members(shop, segment_id) if segment_id else None
    return Ground(row, _past(shop, item_id), _buyers(shop, item_id, segment_id), name, members)


def missing(occasion: Occasion, there: Ground, now: datetime) -> str:
    """Why the occasion is not so; empty: it is."""
    stock = there.row.get(STOCK)
    if stock is not None and stock <= 0 and occasion != "thanks":
        return "the item is out of stock"
    if occasion == "back_in_stock":
        return _not_back(there)
    if occasion == "price_cut" and not price_proof(there):
        return "the catalogue shows no higher price in the last 30 days"
    if occasion == "new_arrival" and not _new(there, now):
        return "it has been in the catalogue for more than 45 days, or nobody knows since when"
    if occasion == "reorder" and not there.buyers:
        return (
            "nobody in the segment has bought it" if there.segment else "nobody has bought it yet"
        )
    return ""


def _not_back(there: Ground) -> str:
    if there.row.get(STOCK) is None:
        return "the catalogue does not say how much there is"
    past = [one[STOCK] for _, one in there.past if one.get(STOCK) is not None]
    if any(stock <= 0 for stock in past):
        return ""
    return "the catalogue shows no day of the last 30 on which it was out of stock"


def price_proof(there: Ground) -> str:
    """What proves that the price fell: the last higher one of the catalogue, with its day."""
    now = there.row.get(PRICE)
    for day, one in there.past:
        if now is not None and (one.get(PRICE) or 0) > now:
            return f"catalogue: {one[PRICE]:.2f} on {day:%Y-%m-%d}, {now:.2f} now"
    return ""


def _new(there: Ground, now: datetime) -> bool:
    since = there.row.get("available_from")
    return since is not None and now - _NEW <= since <= now


def _past(shop: Shop, item_id: str) -> tuple[tuple[datetime, Mapping[str, Any]], ...]:
    found = []
    for days in _BACK:
        at = shop.now() - timedelta(days=days)
        rows = shop.query(partial(_at, item_id=item_id, at=at)).to_pylist()
        found += [(at, row) for row in rows]
    return tuple(found)


def _at(source: Source, *, item_id: str, at: datetime) -> nw.LazyFrame[Any]:
    return source.items(at).filter(nw.col("item_id") == item_id).select(PRICE, STOCK)


def _members(shop: Shop, segment_id: str) -> int:
    def counted(source: Source) -> nw.LazyFrame[Any]:
        rows = source.memberships().filter(
            nw.col("segment") == segment_id, nw.col("valid_to").is_null()
        )
        return rows.select(nw.len().alias("n"))

    return int(shop.query(counted).to_pylist()[0]["n"])


def _buyers(shop: Shop, item_id: str, segment_id: str) -> int:
    def bought(source: Source) -> nw.LazyFrame[Any]:
        rows = source.events().filter(
            nw.col("name") == events.PURCHASE, nw.col("item_id") == item_id
        )
        ids = rows.select("customer_id").unique()
        if segment_id:
            members = (
                source.memberships()
                .filter(nw.col("segment") == segment_id, nw.col("valid_to").is_null())
                .select("customer_id")
            )
            ids = ids.join(members, on="customer_id", how="semi")
        return ids.select(nw.len().alias("n"))

    return int(shop.query(bought).to_pylist()[0]["n"])
