"""Whether groups of customers are treated alike, by a segment or by a prediction.

How often each group is chosen, against the group that is chosen most, and whether what was said of it came
true; with intervals, and nothing of groups that are too small to say.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import narwhals as nw
import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from shopkeeper.core.errors import BadInput, NotFound
from shopkeeper.core.operation import Context
from shopkeeper.core.period import Days
from shopkeeper.core.types import CannotSay, Estimate
from shopkeeper.customers.fairness.groups import UNKNOWN, groups
from shopkeeper.customers.predict.activity import activity
from shopkeeper.customers.predict.churn import Churn
from shopkeeper.customers.predict.health import auc
from shopkeeper.customers.predict.tastes import baskets, learned, with_baskets
from shopkeeper.customers.predict.windows import sample
from shopkeeper.customers.types import Fairness, GroupFairness
from shopkeeper.shop.shop import Shop
from shopkeeper.stats import intervals
from shopkeeper.stats.summary import Proportion

FOUR_FIFTHS: Final = 0.8
"""A group that is chosen less often than this, of the group chosen most, is flagged (29 CFR 1607.4 D)."""

_DRAWS: Final = 1000

Array = NDArray[np.float64]


def of_segment(shop: Shop, segment: str, trait: str, least: int) -> Fairness:
    """Which share of each group is in the segment now."""
    span = shop.span()
    if span is None:
        return _nothing(f"segment {segment}", trait, least)
    members = set(
        shop.query(
            lambda source: source.memberships().filter(
                nw.col("segment") == segment, nw.col("valid_to").is_null()
            )
        )["customer_id"].to_pylist()
    )
    by = groups(shop, trait, span.end)
    if not members:
        raise NotFound(
            f"Nobody is in a segment {segment!r}.", hint="Refresh it first.", field="segment"
        )
    chosen = np.array([one in members for one in by], np.float64)
    return _report(f"segment {segment}", trait, least, np.array(list(by.values()), object), chosen)


def of_prediction(ctx: Context, horizon: int, trait: str, threshold: float, least: int) -> Fairness:
    """Which share of each group would have been called likely to stay away, and what then came."""
    shop, span = ctx.shop, ctx.shop.span()
    if span is None:
        return _nothing(f"churn_{horizon}", trait, least)
    ctx.progress(0, 2, "predicting the last days again")
    days, now = Days(span.start, span.end), span.end.toordinal() + 1
    seen = activity(shop, days)
    whole = with_baskets(seen, (rows := baskets(shop, days, seen)), learned(rows))
    with threadpool_limits(limits=1):  # trees of small data only wait for each other's threads
        model = Churn.fit(whole, days.start.toordinal(), now - horizon, horizon)
    if isinstance(model, CannotSay):
        return Fairness(of=f"churn_{horizon}", trait=trait, least=least, missing=model)
    last = sample(whole, now - horizon, horizon)
    chance, away = model.chance(last.known), last.stayed_away
    ctx.progress(1, 2, "comparing groups")
    by = groups(shop, trait, span.end)
    names = [by.get(seen.ids[place], UNKNOWN) for place in last.known.places.tolist()]
    chosen = (chance >= threshold).astype(np.float64)
    group = np.array(names, object)
    return _report(f"churn_{horizon} ≥ {threshold:g}", trait, least, group, chosen, (chance, away))


def _report(
    of: str,
    trait: str,
    least: int,
    group: NDArray[np.object_],
    chosen: Array,
    outcome: tuple[Array, Array] | None = None,
) -> Fairness:
    names, count = np.unique(group.astype(str), return_counts=True)
    told = [str(name) for name, size in zip(names, count, strict=True) if size >= least]
    small = [size for size in count.tolist() if size < least]
    if len(told) < 2:
        why = CannotSay(
            reason="There are no two groups to compare.",
            needed=f"two groups of at least {least} customers",
            code="no_two_groups",
            values={"least": least},
        )
        return Fairness(of=of, trait=trait, least=least, left_out=sum(small), missing=why)
    rates = {name: float(chosen[group == name].mean()) for name in told}
    best = max(told, key=lambda name: rates[name])
    drawn = {name: _drawn(chosen[group == name], n) for n, name in enumerate(told)}
    rows = []
    for name in told:
        mine = group == name
        rows.append(
            GroupFairness(
                group=name,
                customers=int(mine.sum()),
                rate=_rate(chosen[mine]),
                ratio=_ratio(rates, drawn, name, best, int(mine.sum())),
                said=None if outcome is None else float(outcome[0][mine].mean()),
                came=None if outcome is None else _rate(outcome[1][mine]),
                auc=None if outcome is None else _auc(outcome[0][mine], outcome[1][mine]),
            )
        )
    rows.sort(key=lambda one: -rates[one.group])
    flagged = tuple(
        one.group
        for one in rows
        if isinstance(one.ratio, Estimate) and one.ratio.high < FOUR_FIFTHS
    )
    return Fairness(
        of=of, trait=trait, least=least, left_out=sum(small), groups=tuple(rows), flagged=flagged
    )


def _rate(chosen: Array) -> Estimate:
    found = intervals.proportion(Proportion(len(chosen), int(chosen.sum())))
    assert isinstance(found, Estimate)  # noqa: S101 - a group has at least one customer
    return found


def _drawn(chosen: Array, seed: int) -> Array:
    """Rates of the group in a posterior with Jeffreys' prior: the ratio's interval comes from these."""
    hits = chosen.sum()
    rng = np.random.default_rng(seed)
    found: Array = rng.beta(hits + 0.5, len(chosen) - hits + 0.5, _DRAWS)
    return found


def _ratio(
    rates: Mapping[str, float], drawn: Mapping[str, Array], name: str, best: str, n: int
) -> Estimate | CannotSay:
    if not rates[best]:
        return CannotSay(
            reason="Nobody is chosen at all.", needed="some who are", code="nobody_chosen"
        )
    if name == best:
        return Estimate(value=1.0, low=1.0, high=1.0, n=n)
    low, high = np.quantile(drawn[name] / drawn[best], [0.025, 0.975])
    return Estimate(value=rates[name] / rates[best], low=float(low), high=float(high), n=n)


def _auc(chance: Array, away: Array) -> float | None:
    return auc(away, chance) if 0 < away.sum() < len(away) else None


def _nothing(of: str, trait: str, least: int) -> Fairness:
    why = CannotSay(
        reason="There are no events yet.", needed="events of customers", code="no_events"
    )
    return Fairness(of=of, trait=trait, least=least, missing=why)


def checked(segment: str, horizon: int | None) -> None:
    """Raise unless exactly one of the two is asked about."""
    if bool(segment) == (horizon is not None):
        raise BadInput(
            "Ask about a segment or about a prediction.",
            hint="Give `segment`, or `horizon` for the chance of staying away.",
            field="segment",
        )
