"""What an experiment would cost, from how customers behaved lately as if it had run then."""

from __future__ import annotations

import math
from collections import Counter
from datetime import date, timedelta

import narwhals as nw

from shopkeeper.core.period import Days
from shopkeeper.core.settings import Language
from shopkeeper.core.types import CannotSay, Estimate
from shopkeeper.experiments import catalogue
from shopkeeper.experiments.sums import Cohort, active, cohorts, sums
from shopkeeper.experiments.types import Metric, Planning, Price, Rule
from shopkeeper.experiments.wording import say
from shopkeeper.shop.shop import Shop
from shopkeeper.stats import power
from shopkeeper.stats.effects import Effect, effect
from shopkeeper.stats.moments import Moments
from shopkeeper.stats.stopping import NEEDS_END
from shopkeeper.warehouse.source import Frame, Source

_WINDOW = 28
_LEAST = 50
_ALPHA = 0.05
_Z = 1.959964


def plan(
    shop: Shop,
    name: str,
    hoped: float,
    size: tuple[int, float],
    end_known: bool | None,
    lang: Language,
) -> Planning:
    """The price of every rule for a relative effect of ``hoped``; ``size`` is how many arms, and the power.

    Raises:
        UnknownName: the measure is not one of the ready ones.
    """
    metric = catalogue.metric(name)
    arms, wished = size
    found = _lately(shop, metric)
    total = sum((one.moments[name] for one in found), Moments())
    empty = Planning(
        metric=metric, base=CannotSay(reason=""), saved=0.0, arrivals=None, effect=hoped,
        power=wished, alpha=_ALPHA, question=say(lang, "question"), prices=(), recommended=None,
        why="", cannot_say=None,
    )  # fmt: skip
    alone = effect(total, total, catalogue.shape(metric), adjusted=metric.before_days > 0)
    if isinstance(alone, CannotSay) or total.n < _LEAST or not alone.control.raw:
        why = CannotSay(
            reason=say(lang, "lately", units=total.n),
            needed=say(lang, "lately_needed", units=_LEAST),
        )
        return empty.model_copy(update={"base": why, "cannot_say": why})
    arrivals = _arrivals(found)
    # The error is shared among the variants that are compared with the control.
    spread = alone.control.variance * arms * 2
    difference = abs(hoped) * alone.control.raw
    looks = _WINDOW // 2
    error = _ALPHA / (arms - 1)
    priced = power.prices(spread=spread, effect=difference, power=wished, alpha=error, looks=looks)
    month = sum(arrivals.values())
    made = tuple(
        Price(
            rule=one.rule,
            units=one.units,
            if_true=one.if_true,
            if_none=one.if_none,
            days=_days(one.units, arrivals, metric),
            days_if_true=_days(one.if_true, arrivals, metric),
            days_if_none=_days(one.if_none, arrivals, metric),
            needs_end=one.rule in NEEDS_END,
            least_effect=power.detectable(
                one.rule, month, spread=spread, power=wished, alpha=error, looks=looks
            )
            / alone.control.raw,
            what=say(lang, f"price.{one.rule}"),
        )
        for one in priced
    )
    rule, why_so = _recommended(made, end_known, lang)
    return empty.model_copy(
        update={
            "base": _base(alone),
            "saved": alone.saved,
            "arrivals": month / _WINDOW,
            "prices": made,
            "recommended": rule,
            "why": why_so,
        }
    )


def _lately(shop: Shop, metric: Metric) -> list[Cohort]:
    """Customers by the day of their first event in the last four weeks whose windows are over."""
    span = shop.span()
    if span is None:
        return []
    today = shop.now().astimezone(shop.settings.zone).date()
    last = min(span.end, today - timedelta(days=1))
    end = last - timedelta(days=metric.from_day + metric.days)
    days = Days(end - timedelta(days=_WINDOW - 1), end)

    def entered(source: Source) -> Frame:
        return active(source, days).group_by("variant_id", "cohort").agg(nw.len().alias("units"))

    rows = shop.query(entered).to_pylist()
    units = {(row["variant_id"], row["cohort"]): int(row["units"]) for row in rows}
    summed = shop.query(lambda source: sums(source, active(source, days), [metric], days))
    return sorted(cohorts(summed, units, [metric]), key=lambda one: one.day)


def _arrivals(found: list[Cohort]) -> dict[date, int]:
    """Customers by the day on which they would have entered: fewer as the days go by, who came is in."""
    days: Counter[date] = Counter()
    for cohort in found:
        days[cohort.day] += cohort.units
    return dict(sorted(days.items()))


def _days(units: int, arrivals: dict[date, int], metric: Metric) -> int | None:
    """Days until so many have entered and their windows are over; None where it would take over a year.

    After four weeks the arrivals of their last week go on.
    """
    wait = metric.from_day + metric.days
    entered = 0
    for place, count in enumerate(arrivals.values(), 1):
        entered += count
        if entered >= units:
            return place + wait
    recent = list(arrivals.values())[-7:]
    pace = sum(recent) / len(recent) if recent else 0.0
    if not pace:
        return None
    days = len(arrivals) + math.ceil((units - entered) / pace) + wait
    return days if days <= 365 else None


def _base(alone: Effect) -> Estimate:
    side = alone.control
    half = _Z * math.sqrt(side.raw_variance / side.n)
    return Estimate(value=side.raw, low=side.raw - half, high=side.raw + half, n=side.n)


def _recommended(
    prices: tuple[Price, ...], end_known: bool | None, lang: Language
) -> tuple[Rule | None, str]:
    if end_known is None:
        return None, say(lang, "why.ask")
    if not end_known:
        return "anytime", say(lang, "why.no")
    by = {one.rule: one for one in prices}
    chosen = by["obrien_fleming"]
    dearer = f"{chosen.units / by['fixed'].units - 1:.1%}"
    share = f"{chosen.if_true / chosen.units:.0%}"
    return "obrien_fleming", say(lang, "why.yes", dearer=dearer, share=share)
