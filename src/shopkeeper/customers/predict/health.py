"""How good predictions of staying away would have been: the last window whose end is known, held out."""

from __future__ import annotations

from datetime import date
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from scipy.stats import rankdata

from shopkeeper.core.period import Days
from shopkeeper.core.types import CannotSay
from shopkeeper.customers.predict.activity import Activity
from shopkeeper.customers.predict.baseline import RfmLogistic
from shopkeeper.customers.predict.churn import Churn
from shopkeeper.customers.predict.tastes import learned, with_baskets
from shopkeeper.customers.predict.windows import sample
from shopkeeper.customers.types import Bin, ChurnHealth
from shopkeeper.stats import intervals
from shopkeeper.stats.summary import Proportion

Array = NDArray[np.float64]

BINS = 10
_DRAWS = 400


def held_out(seen: Activity, rows: pa.Table, days: Days, horizon: int) -> ChurnHealth:
    """What the method, given only what was known ``horizon`` days ago, said of these days.

    ``rows`` are the customers' baskets (:func:`.tastes.baskets`): tastes are those that one knew then.
    """
    first, now = days.start.toordinal(), days.end.toordinal() + 1
    known = rows.filter(pc.less(rows["day"], pa.scalar(date.fromordinal(now - horizon))))
    return health(with_baskets(seen, rows, learned(known)), first, now, horizon)


def health(activity: Activity, first: int, now: int, horizon: int) -> ChurnHealth:
    """What the same method, given only what was known ``horizon`` days ago, said of these days."""
    start = now - horizon
    model = Churn.fit(activity, first, start, horizon)
    if isinstance(model, CannotSay):
        return ChurnHealth(horizon=horizon, missing=model)
    last = sample(activity.before(now), start, horizon)
    away, chance = last.stayed_away, model.chance(last.known)
    if len(np.unique(away)) < 2:
        why = CannotSay(
            reason="Everybody came back, or nobody did.", needed="some of each", code="all_or_none"
        )
        return ChurnHealth(horizon=horizon, missing=why)
    simple = RfmLogistic.fit(activity, first, start, horizon).chance(last.known)
    low, high = gained(away, chance, simple)
    return ChurnHealth(
        horizon=horizon,
        customers=len(away),
        stayed_away=float(away.mean()),
        auc=auc(away, chance),
        auc_rfm=auc(away, simple),
        gain_low=low,
        gain_high=high,
        ece=expected_calibration_error(away, chance),
        bins=bins(away, chance),
    )


def auc(away: Array, chance: Array) -> float:
    """How often somebody who stayed away had the greater chance of it; ties count half."""
    ranks, positive = rankdata(chance), away > 0
    count, rest = int(positive.sum()), int((~positive).sum())
    return float((ranks[positive].sum() - count * (count + 1) / 2) / (count * rest))


def gained(away: Array, chance: Array, other: Array, *, seed: int = 0) -> tuple[float, float]:
    """The 95 % interval of ``auc(chance) - auc(other)``, by resampling customers with both."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(_DRAWS):
        rows = rng.integers(0, len(away), len(away))
        if 0 < away[rows].sum() < len(rows):
            found.append(auc(away[rows], chance[rows]) - auc(away[rows], other[rows]))
    low, high = np.quantile(found, [0.025, 0.975])
    return float(low), float(high)


def expected_calibration_error(away: Array, chance: Array) -> float:
    """The mean gap between what was said and what came, over tenths of the customers by their chance."""
    parts = np.array_split(np.argsort(chance, kind="stable"), BINS)
    gaps = [len(part) * abs(away[part].mean() - chance[part].mean()) for part in parts if len(part)]
    return float(sum(gaps) / len(away))


def bins(away: Array, chance: Array) -> tuple[Bin, ...]:
    """Tenths of the customers by their chance: what was said, and what came with its interval."""
    found = []
    for part in np.array_split(np.argsort(chance, kind="stable"), BINS):
        came = intervals.proportion(Proportion(len(part), int(away[part].sum())))
        if len(part) and not isinstance(came, CannotSay):
            found.append(
                Bin(
                    said=float(chance[part].mean()),
                    came=came.value,
                    low=came.low,
                    high=came.high,
                    customers=len(part),
                )
            )
    return tuple(found)


def around(chance: Array, known: tuple[Bin, ...]) -> tuple[Array, Array]:
    """The interval of each chance: as far off as chances like it were."""
    if not known:
        return np.full(len(chance), np.nan), np.full(len(chance), np.nan)
    edges = [(a.said + b.said) / 2 for a, b in pairwise(known)]
    place = np.searchsorted(edges, chance)
    down = np.array([max(0.0, one.said - one.low) for one in known])
    up = np.array([max(0.0, one.high - one.said) for one in known])
    return np.maximum(chance - down[place], 0.0), np.minimum(chance + up[place], 1.0)
