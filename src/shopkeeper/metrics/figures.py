"""Sufficient statistics made figures: exact, an estimate with its interval, or why neither."""

from __future__ import annotations

import math
from statistics import NormalDist

from shopkeeper.core.period import Days
from shopkeeper.core.types import CannotSay, Estimate
from shopkeeper.metrics import totals
from shopkeeper.metrics.definitions import Metric
from shopkeeper.metrics.totals import Row
from shopkeeper.metrics.types import Amount, Coverage, Exact, Figure
from shopkeeper.metrics.units import BEFORE, NOW, RECENT
from shopkeeper.stats import intervals

_TWO_SIDED = NormalDist().inv_cdf((1 + intervals.LEVEL) / 2)
_NO_COMPARISON = CannotSay(reason="One of the two periods has no figure.", code="no_comparison")


def amount(row: Row | None, metric: Metric, days: Days, suffix: str = NOW) -> Amount:
    """The metric's figure of one period; ``row`` is None where nothing happened."""
    if unfit := _unfit(row, metric, days, suffix):
        return unfit
    if metric.kind == "per_day":
        return Exact(value=totals.total(row, metric, suffix) / len(days))
    if metric.kind in ("sum", "count"):
        return Exact(value=totals.total(row, metric, suffix))
    return _quotient(row, metric, suffix)


def figure(row: Row | None, metric: Metric, days: Days, before: Days | CannotSay) -> Figure:
    """The metric's figure beside that of the period before, or beside why there is none."""
    value = amount(row, metric, days)
    if isinstance(before, CannotSay):
        return Figure(
            metric=metric.name,
            value=value,
            before=before,
            change=before,
            coverage=_coverage(row, metric),
        )
    earlier = amount(row, metric, before, BEFORE)
    change = _change(row, metric, value, earlier)
    return Figure(
        metric=metric.name,
        value=value,
        before=earlier,
        change=change,
        relative=_relative(change, earlier),
        beyond_chance=_beyond_chance(row, metric, change),
        coverage=_coverage(row, metric),
    )


def weight(row: Row | None, metric: Metric) -> float:
    """How large a group is for this metric: its value, or what its quotient divides by."""
    return totals.divisor(row, metric) if metric.over else totals.total(row, metric)


def _unfit(row: Row | None, metric: Metric, days: Days, suffix: str) -> CannotSay | None:
    length = max((RECENT[c] for c in metric.columns & set(RECENT)), default=0)
    if len(days) < length:
        return CannotSay(
            reason=f"The period has {len(days)} days, fewer than {length}.",
            needed=f"a period of at least {length} days",
            code="period_short",
            values={"days": len(days), "least": length},
        )
    if metric.basis is None:
        return None
    part, whole = totals.basis(row, metric, suffix)
    if whole and not part:
        return CannotSay(
            reason=f"0 % of the data are {metric.basis.en}.",
            needed=metric.basis.lacking,
            code="no_basis",
            values={"en": metric.basis.en, "zh": metric.basis.zh},
        )
    return None


def _quotient(row: Row | None, metric: Metric, suffix: str) -> Amount:
    if totals.divisor(row, metric, suffix) <= 0:
        return CannotSay(
            reason=f"{metric.en} is {metric.formula_en}: it would be divided by 0 or less.",
            needed="a longer period or a larger group",
            code="nothing_to_divide_by",
        )
    if metric.kind == "quotient":
        top, bottom = totals.total(row, metric, suffix), totals.divisor(row, metric, suffix)
        return Exact(value=top / bottom)
    if metric.kind == "share":
        return intervals.proportion(totals.proportion(row, metric, suffix))
    if metric.kind == "mean":
        return intervals.mean(totals.mean(row, metric, suffix))
    return _bounded(intervals.ratio(totals.ratio(row, metric, suffix)), metric.least)


def _bounded(found: Estimate | CannotSay, least: float | None) -> Estimate | CannotSay:
    if least is None or isinstance(found, CannotSay):
        return found
    return found.model_copy(update={"low": max(least, found.low)})


def _change(row: Row | None, metric: Metric, value: Amount, earlier: Amount) -> Amount:
    if isinstance(value, Estimate) and isinstance(earlier, Estimate):
        first, second = totals.ratio(row, metric, NOW), totals.ratio(row, metric, BEFORE)
        correlation = totals.products(row, metric).correlation(first, second)
        return intervals.difference(value, earlier, correlation)
    if isinstance(value, Exact) and isinstance(earlier, Exact):
        return Exact(value=value.value - earlier.value)
    return _NO_COMPARISON


def _relative(change: Amount, earlier: Amount) -> float | None:
    if isinstance(change, CannotSay) or isinstance(earlier, CannotSay) or not earlier.value:
        return None
    relative = change.value / abs(earlier.value)
    return relative if math.isfinite(relative) else None


def _beyond_chance(row: Row | None, metric: Metric, change: Amount) -> bool:
    """Whether chance alone would hardly make such a change.

    A sum or count is compared with what swapping each unit's two periods at random would give: the
    swapped difference has mean 0 and variance Σ(now_i - before_i)². For counts of customers this is
    McNemar's test, for customers who are in one period only the Poisson test of two counts.
    Source: Pitman, "Significance tests which may be applied to samples from any populations" (1937).
    """
    if isinstance(change, Estimate):
        return change.low > 0 or change.high < 0
    if isinstance(change, CannotSay) or metric.kind == "quotient":
        return False
    gap = totals.total(row, metric, NOW) - totals.total(row, metric, BEFORE)
    return abs(gap) > _TWO_SIDED * math.sqrt(totals.swap_variance(row, metric))


def _coverage(row: Row | None, metric: Metric) -> Coverage | None:
    if metric.basis is None:
        return None
    part, whole = totals.basis(row, metric)
    share = part / whole if whole else None
    return Coverage(share=share, of_zh=metric.basis.zh, of_en=metric.basis.en)
