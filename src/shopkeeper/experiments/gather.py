"""The sums of an experiment: those of days that have not changed as they are kept, the rest worked out."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import narwhals as nw

from shopkeeper.core.period import Days
from shopkeeper.experiments.sums import Cohort, cohorts, doing, exposed, sums
from shopkeeper.experiments.types import Design, Metric
from shopkeeper.shop.shop import Shop
from shopkeeper.stats.moments import Moments
from shopkeeper.store.experiments import DaySum, Experiments, Stored
from shopkeeper.warehouse.source import Frame, Source

_TOTALS = 4
_ALIKE = 5e-4  # clients send a propensity with a few digits


@dataclass(frozen=True)
class Exposures:
    """Customers by variant and day of first exposure; ``mixed`` and ``earlier`` are left out of them."""

    by_day: dict[date, Counter[str]]
    mixed: int
    earlier: int


@dataclass(frozen=True)
class Gathered:
    """What is known up to ``as_of``, the last whole day; cohorts are of whole windows alone."""

    as_of: date
    exposures: Exposures
    cohorts: dict[str, list[Cohort]]
    """By measure, in order of days."""


def gather(
    shop: Shop, stored: Stored, design: Design, metrics: Sequence[Metric]
) -> Gathered | None:
    """The sums that the experiment's data allow; None where nobody was exposed."""
    span = shop.span()
    if span is None or stored.started_at is None:
        return None
    zone = shop.settings.zone
    as_of = min(span.end, shop.now().astimezone(zone).date() - timedelta(days=1))
    ends = [as_of, *([stored.stopped_at.astimezone(zone).date()] if stored.stopped_at else [])]
    days = Days(min(span.start, as_of), max(as_of, span.start))
    found = _exposures(shop, stored, design, days, min(ends))
    if not found.by_day:
        return None
    by_metric: dict[str, list[Cohort]] = {}
    for group in _by_wait(metrics):
        last = as_of - timedelta(days=_wait(group[0]))
        inside = {day: found.by_day[day] for day in found.by_day if day <= last}
        for metric in group:
            by_metric[metric.name] = []
        if inside:
            for cohort in _of(shop, stored, design, group, inside):
                for metric in group:
                    by_metric[metric.name].append(cohort)
    return Gathered(as_of, found, by_metric)


def _exposures(shop: Shop, stored: Stored, design: Design, days: Days, last: date) -> Exposures:
    def build(source: Source) -> Frame:
        frame = exposed(source, stored.experiment_id, days).filter(nw.col("cohort") <= last)
        keys = ("variant_id", "cohort", "mixed", "propensity")
        return frame.group_by(*keys).agg(nw.len().alias("units"))

    shares = _shares(design)
    by_day: dict[date, Counter[str]] = {}
    mixed = earlier = 0
    for row in shop.query(build).to_pylist():
        if row["mixed"] or row["variant_id"] not in shares:
            mixed += row["units"]
        elif _differs(row["propensity"], shares[row["variant_id"]]):
            earlier += row["units"]
        else:
            by_day.setdefault(row["cohort"], Counter())[row["variant_id"]] += row["units"]
    return Exposures(dict(sorted(by_day.items())), mixed, earlier)


def _of(
    shop: Shop,
    stored: Stored,
    design: Design,
    metrics: Sequence[Metric],
    inside: dict[date, Counter[str]],
) -> list[Cohort]:
    """The cohorts of these days in order; those whose events have not changed since are not read again."""
    store = Experiments(shop.database)
    stamps = _stamps(shop, design, metrics, list(inside))
    kept: dict[tuple[str, str], dict[str, DaySum]] = {}
    for one in store.sums(stored.experiment_id):
        kept.setdefault((one.cohort, one.variant_id), {})[one.metric] = one
    known: dict[date, list[Cohort]] = {}
    for day, units in inside.items():
        found = [_kept(kept, day, variant, n, metrics, stamps[day]) for variant, n in units.items()]
        if all(one is not None for one in found):
            known[day] = [one for one in found if one is not None]
    missing = [day for day in inside if day not in known]
    if missing:
        wanted = {day: inside[day] for day in missing}
        fresh = _worked_out(shop, stored, design, metrics, wanted)
        names = {metric.name for metric in metrics}
        store.keep_sums(
            stored.experiment_id, [d.isoformat() for d in missing], names, _rows(fresh, stamps)
        )
        for cohort in fresh:
            known.setdefault(cohort.day, []).append(cohort)
    return [cohort for day in sorted(known) for cohort in known[day]]


def _worked_out(
    shop: Shop,
    stored: Stored,
    design: Design,
    metrics: Sequence[Metric],
    days: dict[date, Counter[str]],
) -> list[Cohort]:
    span = Days(min(days), max(days))
    first = shop.span()
    seen = Days(first.start if first else span.start, span.end)
    shares = _shares(design)

    def units(source: Source) -> Frame:
        among = doing(source, metrics, span)
        frame = exposed(source, stored.experiment_id, seen, among)
        frame = frame.filter(~nw.col("mixed"), nw.col("cohort").is_in(list(days)))
        alike = nw.col("propensity").is_null()
        for variant, share in shares.items():
            near = (nw.col("propensity") - share).abs() < _ALIKE
            alike = alike | ((nw.col("variant_id") == variant) & near)
        return frame.filter(alike, nw.col("variant_id").is_in(sorted(shares)))

    summed = shop.query(lambda source: sums(source, units(source), metrics, span))
    known = {(variant, day): n for day, found in days.items() for variant, n in found.items()}
    return list(cohorts(summed, known, metrics))


def _kept(
    kept: dict[tuple[str, str], dict[str, DaySum]],
    day: date,
    variant: str,
    units: int,
    metrics: Sequence[Metric],
    stamp: str,
) -> Cohort | None:
    rows = kept.get((day.isoformat(), variant), {})
    moments: dict[str, Moments] = {}
    for metric in metrics:
        row = rows.get(metric.name)
        if row is None or row.stamp != stamp or row.units != units:
            return None
        totals, products = row.sums[:_TOTALS], row.sums[_TOTALS:]
        moments[metric.name] = Moments(units, tuple(totals), tuple(products))  # type: ignore[arg-type]
    return Cohort(variant, day, units, moments)


def _rows(fresh: Sequence[Cohort], stamps: dict[date, str]) -> list[DaySum]:
    return [
        DaySum(
            name,
            cohort.day.isoformat(),
            cohort.variant_id,
            stamps[cohort.day],
            cohort.units,
            [*moments.totals, *moments.products],
        )
        for cohort in fresh
        for name, moments in cohort.moments.items()
    ]


def _stamps(
    shop: Shop, design: Design, metrics: Sequence[Metric], days: Sequence[date]
) -> dict[date, str]:
    """What each cohort's sums rest on: the measures, the shares, and the state of its days' events."""
    snapshot = shop.warehouse.tables["events"].snapshot()
    marks = snapshot.stamps() if snapshot else {}
    base = "|".join([m.model_dump_json() for m in metrics] + [str(_shares(design))])
    back = max(m.before_days for m in metrics)
    on = _wait(metrics[0])
    found = {}
    for day in days:
        around = (day + timedelta(days=i) for i in range(-back, on + 1))
        text = base + "|".join(marks.get(one, "") for one in around)
        found[day] = hashlib.sha256(text.encode()).hexdigest()[:16]
    return found


def _by_wait(metrics: Sequence[Metric]) -> list[list[Metric]]:
    """Measures whose windows end together: they are summed in one pass."""
    groups: dict[int, list[Metric]] = {}
    for metric in metrics:
        groups.setdefault(_wait(metric), []).append(metric)
    return list(groups.values())


def _wait(metric: Metric) -> int:
    return metric.from_day + metric.days


def _shares(design: Design) -> dict[str, float]:
    whole = sum(v.share for v in design.variants)
    return {v.variant_id: v.share / whole for v in design.variants}


def _differs(propensity: float | None, share: float) -> bool:
    return propensity is not None and abs(propensity - share) > _ALIKE
