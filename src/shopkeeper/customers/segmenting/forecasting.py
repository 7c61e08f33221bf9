"""How many customers a definition would select, before it is saved: from a sample, or exactly."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import narwhals as nw
import numpy as np
import pyarrow as pa

from shopkeeper.core.schema import EVENTS
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
_SECONDS = 120.0
_PEOPLE = ("customers", "identities", "restrictions")
_COLUMNS = (
    *("customer_id", "name", "day", "time_ms", "item_id", "quantity", "price", "value"),
    *("order_id", "session_id", "channel"),
)
"""What traits and conditions ask of events."""


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
    drawn = _sampled(shop)
    sample = None if exact else drawn.ids
    plan = Plan.of({"": whole}, library(shop).lists)
    zone = shop.settings.zone

    def build(source: Source) -> Frame:
        given = None if sample is None or drawn.events is None else source.arrow(drawn.events)
        return plan.frame(Scene(source, as_of, zone, given=given, sample=sample))

    table = shop.query(build)
    held = int(plan.members(table)[""].sum())
    if sample is None:
        count = table.num_rows
        size = Estimate(value=held, low=held, high=held, n=count, level=1.0)
    else:
        count = drawn.population
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


@dataclass(frozen=True)
class _Sample:
    """Customers drawn from a large shop, with their events; neither in one that is counted whole."""

    people: tuple[int, ...]
    events_version: int
    made_at: float
    population: int
    ids: pa.Table | None
    events: pa.Table | None


_lock = threading.Lock()
_kept: WeakKeyDictionary[Shop, _Sample] = WeakKeyDictionary()


def _sampled(shop: Shop) -> _Sample:
    """The sample, drawn anew when anybody was told of, merged or taken out, and a while after new events.

    While a definition is being written its size is asked for again and again: only the first time is
    everything read, and events that stream in do not make every question the first.
    """
    snapshot = shop.warehouse.tables[EVENTS.name].snapshot()
    version = snapshot.version if snapshot else -1
    people = tuple(shop.state.revision(name) for name in _PEOPLE)
    with _lock:
        known = _kept.get(shop)
        if known is None or known.people != people or _old(known, version):
            known = _kept[shop] = _fresh(shop, people, version)
        return known


def _old(known: _Sample, version: int) -> bool:
    return known.events_version != version and time.monotonic() - known.made_at > _SECONDS


def forget(shop: Shop) -> None:
    """Keep nobody's events in memory."""
    with _lock:
        _kept.pop(shop, None)


def _fresh(shop: Shop, people: tuple[int, ...], version: int) -> _Sample:
    ids, now = customers(shop), time.monotonic()
    if len(ids) <= _WHOLE:
        return _Sample(people, version, now, len(ids), None, None)
    sample = _drawn(ids)

    def theirs(source: Source) -> Frame:
        rows = source.events().select(*_COLUMNS)
        return rows.join(source.arrow(sample), on="customer_id", how="semi")

    return _Sample(people, version, now, len(ids), sample, shop.query(theirs))


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
