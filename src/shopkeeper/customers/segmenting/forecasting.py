"""How many customers a definition would select, before it is saved: from a sample, or exactly."""

from __future__ import annotations

import narwhals as nw
import numpy as np
import pyarrow as pa

from shopkeeper.core.seeds import derive
from shopkeeper.core.types import CannotSay, Estimate
from shopkeeper.customers.segmenting.compiling import Plan
from shopkeeper.customers.segmenting.definition import Definition
from shopkeeper.customers.segmenting.library import last_day, library, ready
from shopkeeper.customers.segmenting.refreshing import doubted
from shopkeeper.customers.traits.scene import Scene
from shopkeeper.customers.types import Forecast
from shopkeeper.shop.shop import Shop
from shopkeeper.stats.intervals import proportion
from shopkeeper.stats.summary import Proportion
from shopkeeper.warehouse.source import Frame, Source

_SAMPLE = 4_000
_WHOLE = 20_000
"""A shop with no more customers is counted whole: that takes no longer."""


def forecast(
    shop: Shop, definition: Definition, exact: bool, segment: str | None = None
) -> Forecast:
    """The size with its interval; one of a whole count has no width."""
    whole = ready(shop, definition, segment)
    as_of = last_day(shop)
    if as_of is None:
        nothing = CannotSay(
            reason="The shop has no events yet.", needed="events or orders", code="no_events"
        )
        return Forecast(
            size=nothing, population=0, looked_at=0, exact=True, left_out={}, as_of=None
        )
    ids = customers(shop)
    sample = None if exact or len(ids) <= _WHOLE else _drawn(ids)
    plan = Plan.of({"": whole}, library(shop).lists)
    zone = shop.settings.zone
    table = shop.query(lambda source: plan.frame(Scene(source, as_of, zone, sample=sample)))
    held = int(plan.members(table)[""].sum())
    if sample is None:
        count = table.num_rows
        size = Estimate(value=held, low=held, high=held, n=count, level=1.0)
    else:
        count = len(ids)
        share = proportion(Proportion(sample.num_rows, held))
        assert isinstance(share, Estimate)  # noqa: S101 - a sample is never empty
        size = Estimate(
            value=round(share.value * count),
            low=round(share.low * count),
            high=round(share.high * count),
            n=sample.num_rows,
        )
    return Forecast(
        size=size,
        population=count,
        looked_at=table.num_rows,
        exact=sample is None,
        left_out=doubted(table),
        as_of=as_of,
    )


def customers(shop: Shop) -> pa.Array:
    """The ids of all customers who were ever seen or told of."""

    def build(source: Source) -> Frame:
        seen = source.events().filter(~nw.col("customer_id").is_null()).select("customer_id")
        return nw.concat([seen, source.customers().select("customer_id")]).unique()

    return shop.query(build)["customer_id"].combine_chunks()


def _drawn(ids: pa.Array) -> pa.Table:
    """The same sample for the same customers, so that a definition that is edited is judged by the same."""
    ordered = ids.take(pa.array(np.argsort(ids.to_numpy(zero_copy_only=False))))
    drawn = np.random.default_rng(derive(1, "segments", "sample")).choice(
        len(ordered), _SAMPLE, replace=False
    )
    return pa.table({"customer_id": ordered.take(pa.array(np.sort(drawn)))})
