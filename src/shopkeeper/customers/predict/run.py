"""Predicts for every buyer, and writes what was predicted with its reasons into the table of scores."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import narwhals as nw
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from shopkeeper.core.errors import BadInput
from shopkeeper.core.operation import Context
from shopkeeper.core.period import Days
from shopkeeper.core.types import CannotSay
from shopkeeper.customers.predict import reasons
from shopkeeper.customers.predict.activity import Activity, activity
from shopkeeper.customers.predict.churn import Churn
from shopkeeper.customers.predict.health import around, held_out
from shopkeeper.customers.predict.kinds import HORIZONS, MODEL, PREDICTIONS
from shopkeeper.customers.predict.orders import Orders
from shopkeeper.customers.predict.tastes import Tastes, baskets, learned, with_baskets
from shopkeeper.customers.predict.timing import next_order
from shopkeeper.customers.predict.values import Values
from shopkeeper.customers.scoring import Said, keep, refusers, table, version_at
from shopkeeper.customers.types import ChurnHealth, PredictionRun
from shopkeeper.shop.shop import Shop
from shopkeeper.store.models import Model, Models

_LEARN_DAYS = 1100
_SAMPLE = 40_000
_CHUNK = 50_000


@dataclass(frozen=True)
class _Fitted:
    """Everything learned from the sample."""

    days: Days
    churn: dict[int, Churn]
    orders: Orders
    values: Values
    tastes: Tastes | None
    health: tuple[ChurnHealth, ...]

    @property
    def now(self) -> int:
        return self.days.end.toordinal() + 1


def predict(ctx: Context) -> PredictionRun:
    """See the operation ``predict``."""
    with threadpool_limits(limits=1):  # trees of small data only wait for each other's threads
        return _run(ctx)


def _run(ctx: Context) -> PredictionRun:
    shop, span = ctx.shop, ctx.shop.span()
    if span is None:
        return PredictionRun(
            missing=CannotSay(
                reason="Nobody has bought yet.", needed="purchases", code="nobody_bought"
            )
        )
    restricted = shop.state.revision("restrictions")  # first: one that comes meanwhile is seen
    days = Days(max(span.start, span.end - timedelta(days=_LEARN_DAYS - 1)), span.end)
    refused = refusers(shop)
    buyers = [one for one in _buyers(shop, days) if one not in refused]
    at = shop.now()
    try:
        fitted = _fit(ctx, days, buyers)
    except BadInput as error:
        keep(shop, table((), "", at), PREDICTIONS, at, restricted)
        why = CannotSay(reason=str(error), needed=error.hint)
        return _registered(ctx, PredictionRun(as_of=span.end, version=version_at(at), missing=why))
    version, parts = version_at(at), [table((), "", at)]
    for start in range(0, len(buyers), _CHUNK):
        ctx.progress(3 + start / len(buyers), 4, "predicting")
        said = _said(shop, fitted, buyers[start : start + _CHUNK])
        parts.append(table(said, version, at))
    keep(shop, pa.concat_tables(parts), PREDICTIONS, at, restricted)
    reply = PredictionRun(
        as_of=span.end,
        version=version,
        customers=len(buyers),
        refused=len(refused),
        predictions=_made(fitted),
        health=fitted.health,
    )
    return _registered(ctx, reply)


def _registered(ctx: Context, reply: PredictionRun) -> PredictionRun:
    """The reply, kept as the card of the version that is in use now; no customer is named in it."""
    models, version = Models(ctx.shop.database), reply.version
    models.add(Model(MODEL, version, MODEL, "predict", reply.model_dump(mode="json")))
    models.promote(MODEL, version, by=ctx.actor.kind, why="predicted")
    return reply


def _made(fitted: _Fitted) -> tuple[str, ...]:
    """The predictions that this run makes."""
    timing = ("next_order_days",) if len(fitted.churn) == len(HORIZONS) else ()
    worth = ("value_365",) if fitted.values.spend else ()
    return (*(f"churn_{days}" for days in fitted.churn), *timing, "orders_90", *worth)


def _fit(ctx: Context, days: Days, buyers: list[str]) -> _Fitted:
    """Learn from at most 40,000 customers, drawn at random.

    Raises:
        BadInput: nobody has bought twice.
    """
    shop, first, now = ctx.shop, days.start.toordinal(), days.end.toordinal() + 1
    rng = np.random.default_rng(0)
    drawn = buyers
    if len(buyers) > _SAMPLE:
        drawn = [buyers[n] for n in np.sort(rng.choice(len(buyers), _SAMPLE, replace=False))]
    ctx.progress(0, 4, "reading what customers did")
    seen = activity(shop, days, drawn)
    rows = baskets(shop, days, seen)
    tastes = learned(rows)
    whole = with_baskets(seen, rows, tastes)
    ctx.progress(1, 4, "learning who stays away")
    models = {horizon: Churn.fit(whole, first, now, horizon) for horizon in HORIZONS}
    churn = {h: model for h, model in models.items() if not isinstance(model, CannotSay)}
    orders = Orders.fit(seen, now)
    ctx.progress(2, 4, "looking back at what would have been said")
    looked = tuple(held_out(seen, rows, days, horizon) for horizon in HORIZONS)
    return _Fitted(days, churn, orders, Values.fit(seen, orders), tastes, looked)


def _said(shop: Shop, fitted: _Fitted, chunk: list[str]) -> Iterator[Said]:
    """What is predicted of these customers."""
    seen = activity(shop, fitted.days, chunk)
    whole = with_baskets(seen, baskets(shop, fitted.days, seen), fitted.tastes)
    away: dict[int, NDArray[np.float64]] = {}
    bins = {one.horizon: one.bins for one in fitted.health}
    floor = np.ones(len(seen))
    for horizon, model in fitted.churn.items():
        known = model.known(whole, fitted.now)
        # Who stays away longer stays away shorter too.
        floor = away[horizon] = np.minimum(model.chance(known), floor)
        low, high = around(floor, bins[horizon])
        yield Said(
            f"churn_{horizon}", seen.ids, floor, low, high, reasons.of_features(model.blend, known)
        )
    if len(away) == len(HORIZONS):
        yield _timed(whole, fitted, away)
    yield fitted.values.within(seen, fitted.now, 90)
    if fitted.values.spend:
        yield fitted.values.worth(seen, fitted.now, 365)


def _timed(whole: Activity, fitted: _Fitted, away: dict[int, NDArray[np.float64]]) -> Said:
    known = fitted.churn[HORIZONS[0]].known(whole, fitted.now)
    gaps = known.column("order_gap")
    why = [
        reasons.entry("gap", 1.0, order_gap=gap) if np.isfinite(gap) else reasons.entry("once", 1.0)
        for gap in gaps.tolist()
    ]
    found = next_order(fitted.orders.model, known.seen, away)
    return Said("next_order_days", whole.ids, *found, why)


def _buyers(shop: Shop, days: Days) -> list[str]:
    rows = shop.query(
        lambda source: (
            source.daily(days)
            .filter(~nw.col("customer_id").is_null(), nw.col("lines") > 0)
            .select("customer_id")
            .unique()
        )
    )
    return sorted(rows["customer_id"].to_pylist())
