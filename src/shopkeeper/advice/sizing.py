"""How many customers each idea means: all ideas in one pass, once as of now and once two weeks back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

import narwhals as nw
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from shopkeeper.advice.idea import Idea
from shopkeeper.core.errors import NotAllowed
from shopkeeper.core.events import PURCHASE
from shopkeeper.core.period import Days
from shopkeeper.core.types import CannotSay, Estimate
from shopkeeper.customers.segmenting.checking import check, resolved
from shopkeeper.customers.segmenting.compiling import Bools, Plan
from shopkeeper.customers.segmenting.definition import Definition
from shopkeeper.customers.segmenting.library import library
from shopkeeper.customers.traits.scene import Scene
from shopkeeper.shop.shop import Shop
from shopkeeper.stats.intervals import proportion
from shopkeeper.stats.summary import Proportion
from shopkeeper.warehouse.source import Frame, Source

WINDOW: Final = 14
"""Days in which an order counts, before and after."""

_ALSO: Final = ("orders", "revenue")
_CHURN: Final = "churn_"

Floats = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True)
class Group:
    """Who an idea means now: their places among all customers, and what they did so far.

    ``base`` is the share of those in that place two weeks ago who bought in the two weeks since; ``churn``
    the mean predicted chance of staying away, with the prediction's name.
    """

    idea: Idea
    definition: Definition
    held: Bools
    share_of_revenue: float | None
    average_order: float | None
    base: Estimate | CannotSay
    base_days: Days
    churn: tuple[str, float, int] | None

    @property
    def size(self) -> int:
        return int(self.held.sum())


@dataclass(frozen=True)
class Crowd:
    """All customers, in the order in which groups tell who is in, and the groups."""

    ids: Sequence[str]
    groups: Sequence[Group]


def crowd(shop: Shop, ideas: Sequence[Idea], as_of: date) -> Crowd:
    """Every idea's customers; ideas that ask for what is off in this shop are left out."""
    there = library(shop)
    whole: dict[str, tuple[Idea, Definition]] = {}
    for number, idea in enumerate(ideas):
        definition = resolved(idea.group, there.known)
        try:
            check(definition, there.lists, ())  # advice asks for no sensitive topic, allowed or not
        except NotAllowed:
            continue
        whole[str(number)] = (idea, definition)
    if not whole:
        return Crowd((), ())
    plan = Plan.of({key: definition for key, (_, definition) in whole.items()}, there.lists)
    now = _table(shop, plan, as_of)
    held = plan.members(now)
    before = as_of - timedelta(days=WINDOW)
    past = _table(shop, plan, before)
    were = plan.members(past)
    since = Days(before + timedelta(days=1), as_of)
    bought = _bought(shop, since)
    came = _bools(pc.is_in(past["customer_id"], bought))
    revenue = _floats(now["revenue"])
    orders = _floats(now["orders"])
    churn = _churn(shop, now["customer_id"])
    groups = []
    for key, (idea, definition) in whole.items():
        mine = held[key]
        stood = were[key]
        total = float(revenue.sum())
        made = float(orders[mine].sum())
        groups.append(
            Group(
                idea=idea,
                definition=definition,
                held=mine,
                share_of_revenue=float(revenue[mine].sum()) / total if total > 0 else None,
                average_order=float(revenue[mine].sum()) / made if made and total > 0 else None,
                base=proportion(Proportion(int(stood.sum()), int((stood & came).sum()))),
                base_days=since,
                churn=_mean(churn, mine),
            )
        )
    return Crowd(now["customer_id"].to_pylist(), groups)


def _table(shop: Shop, plan: Plan, as_of: date) -> pa.Table:
    zone = shop.settings.zone
    return shop.query(lambda source: plan.frame(Scene(source, as_of, zone), also=_ALSO))


def _bought(shop: Shop, days: Days) -> pa.Array:
    """Who bought on these days."""

    def build(source: Source) -> Frame:
        rows = source.events(days).filter(
            nw.col("name") == PURCHASE, ~nw.col("customer_id").is_null()
        )
        return rows.select("customer_id").unique()

    return shop.query(build)["customer_id"].combine_chunks()


def _churn(shop: Shop, ids: pa.ChunkedArray) -> tuple[str, Floats] | None:
    """The shortest prediction of staying away: its name, and each customer's chance (or not a number)."""
    open_rows = nw.col("valid_to").is_null()

    def build(source: Source) -> Frame:
        rows = source.scores().filter(open_rows, nw.col("prediction").str.starts_with(_CHURN))
        return rows.select("customer_id", "prediction", "value")

    table = shop.query(build)
    names = sorted(set(table["prediction"].to_pylist()), key=lambda name: (len(name), name))
    if not names:
        return None
    mine = table.filter(pc.equal(table["prediction"], names[0]))
    place = pc.index_in(ids, mine["customer_id"].combine_chunks())
    values = mine["value"].combine_chunks().take(pa.chunked_array(place).combine_chunks())
    return names[0], values.fill_null(np.nan).to_numpy(zero_copy_only=False)


def _mean(churn: tuple[str, Floats] | None, mine: Bools) -> tuple[str, float, int] | None:
    if churn is None:
        return None
    values = churn[1][mine]
    known = values[~np.isnan(values)]
    return (churn[0], float(known.mean()), len(known)) if len(known) else None


def overlaps(groups: Sequence[Group]) -> Mapping[tuple[int, int], int]:
    """How many customers each two groups share, by their places."""
    found = {}
    for a, one in enumerate(groups):
        for b, other in enumerate(groups):
            if a != b and (both := int((one.held & other.held).sum())):
                found[a, b] = both
    return found


def _floats(column: pa.ChunkedArray) -> Floats:
    values = pc.fill_null(column.cast(pa.float64()), 0.0)
    found: Floats = values.combine_chunks().to_numpy(zero_copy_only=False)
    return found


def _bools(column: Any) -> Bools:
    whole = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    found: Bools = whole.to_numpy(zero_copy_only=False).astype(bool)
    return found
