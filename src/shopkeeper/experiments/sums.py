"""Sums of measures over customers, by variant and by the day of their first exposure.

A customer is counted once the whole window after the first exposure has passed, with what happened in it.
So the sums of a day stand once its windows are over, each look adds customers who were not there before,
and that is what the boundaries of sequential tests presume.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import narwhals as nw
import pyarrow as pa

from shopkeeper.core.events import EXPERIMENT_VIEWED
from shopkeeper.core.period import Days
from shopkeeper.experiments.types import Counted, Metric
from shopkeeper.stats.moments import PRODUCTS, VALUES, Moments
from shopkeeper.warehouse.source import Frame, Source

DAY_MS = 86_400_000
_ORDER = "#order"
_OF_MESSAGES = "contact"
"""The source of events that tell what became of messages."""

_rel = nw.col("rel_ms")


@dataclass(frozen=True)
class Cohort:
    """The customers of one variant who were first exposed on one day."""

    variant_id: str
    day: date
    units: int
    moments: dict[str, Moments]


def exposed(source: Source, experiment_id: str, days: Days, among: Frame | None = None) -> Frame:
    """Each exposed customer: first exposure (``first_ms``, ``cohort``), variant, ``mixed``, propensity.

    ``among`` has the only ``customer_id`` that are wanted; None: everybody.
    """
    name, of = nw.col("name"), nw.col("experiment_id")
    seen = source.events(days).filter(
        name == EXPERIMENT_VIEWED,
        of == experiment_id,
        ~nw.col("customer_id").is_null(),
        ~nw.col("variant_id").is_null(),
    )
    if among is not None:
        seen = seen.join(among, on="customer_id", how="semi")
    frame = seen.group_by("customer_id").agg(
        nw.col("time_ms").min().alias("first_ms"),
        nw.col("day").min().alias("cohort"),
        nw.col("variant_id").min().alias("variant_id"),
        nw.col("variant_id").max().alias("other"),
        nw.col("propensity").min().alias("propensity"),
    )
    mixed = (nw.col("variant_id") != nw.col("other")).alias("mixed")
    return frame.with_columns(mixed).drop("other")


def active(source: Source, days: Days) -> Frame:
    """As :func:`exposed`, for an experiment that everybody would enter on their first event of these days."""
    seen = source.events(days).filter(~nw.col("customer_id").is_null())
    frame = seen.group_by("customer_id").agg(
        nw.col("time_ms").min().alias("first_ms"), nw.col("day").min().alias("cohort")
    )
    return frame.with_columns(nw.lit("all").alias("variant_id"))


def sums(source: Source, units: Frame, metrics: Sequence[Metric], days: Days) -> Frame:
    """A row a variant and cohort of these days: their sums, without customers who did nothing.

    What those add is 0; how many they are must be known besides.
    """
    units = units.filter(nw.col("cohort") >= days.start, nw.col("cohort") <= days.end)
    span = _span(metrics, days)
    low = -DAY_MS * max(metric.before_days for metric in metrics)
    high = DAY_MS * max(metric.from_day + metric.days for metric in metrics)
    rows = _rows(source, metrics, span).join(
        units.select("customer_id", "first_ms", "variant_id", "cohort"), on="customer_id"
    )
    rows = rows.with_columns((nw.col("time_ms") - nw.col("first_ms")).alias("rel_ms"))
    rows = rows.filter(_rel >= low, _rel < high)
    terms = _terms(metrics)
    each = rows.group_by("customer_id", "variant_id", "cohort").agg(
        *(expression.alias(name) for name, expression in terms.items())
    )
    values = [one for i, metric in enumerate(metrics) for one in _values(i, metric)]
    each = each.select("variant_id", "cohort", *values)
    made = [one for i, metric in enumerate(metrics) for one in _products(i, metric)]
    return each.group_by("variant_id", "cohort").agg(*made)


def doing(source: Source, metrics: Sequence[Metric], days: Days) -> Frame:
    """The customers (``customer_id``) who did anything that the measures count, for cohorts of these days."""
    return _events(source, metrics, _span(metrics, days)).select("customer_id").unique()


def _span(metrics: Sequence[Metric], days: Days) -> Days:
    """The days whose events the cohorts of ``days`` take in."""
    back = max(metric.before_days for metric in metrics)
    on = max(metric.from_day + metric.days for metric in metrics)
    return Days(days.start - timedelta(days=back), days.end + timedelta(days=on))


def _events(source: Source, metrics: Sequence[Metric], span: Days) -> Frame:
    events = source.events(span).filter(~nw.col("customer_id").is_null())
    names = {one.event for metric in metrics for one in _counted(metric)}
    if "*" in names:
        # To be shown a variant is nothing that a customer does; to get a message neither, and who is held
        # out could not open one.
        theirs = nw.col("source") != _OF_MESSAGES
        return events.filter(nw.col("name") != EXPERIMENT_VIEWED, theirs)
    return events.filter(nw.col("name").is_in(sorted(names)))


def _rows(source: Source, metrics: Sequence[Metric], span: Days) -> Frame:
    """The events that count, and a row of its own for each order, at the time of its first line."""
    counted = {one for metric in metrics for one in _counted(metric)}
    values = ["value", "quantity"]
    events = _events(source, metrics, span)
    if any(one.of == "margin" for one in counted):  # null where a line's cost is not known
        events = events.with_columns((nw.col("value") - nw.col("cost")).alias("margin"))
        values.append("margin")
    columns = ("customer_id", "time_ms", "name", *values)
    ordered = sorted({one.event for one in counted if one.of == "orders"})
    rows = events.select(*columns)
    if not ordered:
        return rows
    lines = events.filter(nw.col("name").is_in(ordered), ~nw.col("order_id").is_null())
    orders = lines.group_by("customer_id", "name", "order_id").agg(nw.col("time_ms").min())
    absent = nw.lit(None, nw.Float64)
    marked = nw.concat_str(nw.col("name"), nw.lit(_ORDER)).alias("name")
    made = orders.with_columns(marked, *(absent.alias(name) for name in values))
    return nw.concat([rows, made.select(*columns)])


def cohorts(
    summed: pa.Table, units: Mapping[tuple[str, date], int], metrics: Sequence[Metric]
) -> Iterator[Cohort]:
    """The rows of :func:`sums` as moments, for all these units; cohorts in which nothing happened too."""
    rows = {(row["variant_id"], row["cohort"]): row for row in summed.to_pylist()}
    for (variant, day), n in units.items():
        row = rows.get((variant, day), {})
        moments = {metric.name: _moments(row, i, n) for i, metric in enumerate(metrics)}
        yield Cohort(variant, day, n, moments)


def _counted(metric: Metric) -> tuple[Counted, ...]:
    return (metric.what,) if metric.over is None else (metric.what, metric.over)


def _terms(metrics: Sequence[Metric]) -> dict[str, nw.Expr]:
    """What is added up for a customer, each once however many measures use it."""
    orders = any(one.of == "orders" for metric in metrics for one in _counted(metric))
    return {
        name: _term(what, low, high, orders=orders)
        for metric in metrics
        for name, what, low, high in _windows(metric)
    }


def _windows(metric: Metric) -> Iterator[tuple[str, Counted, int, int]]:
    """Name, what, and window (in days from the exposure) of each of a measure's values: y, x, a, b."""
    now = (metric.from_day, metric.from_day + metric.days)
    spans = [now, (-metric.before_days, 0)] if metric.before_days else [now]
    for low, high in spans:
        for what in _counted(metric):
            yield f"t_{what.event}_{what.of}_{low}_{high}".replace("*", "any"), what, low, high


def _term(what: Counted, low: int, high: int, *, orders: bool) -> nw.Expr:
    inside = (_rel >= low * DAY_MS) & (_rel < high * DAY_MS)
    if what.of == "orders":
        inside = inside & (nw.col("name") == what.event + _ORDER)
    elif what.event != "*":
        inside = inside & (nw.col("name") == what.event)
    elif orders:
        inside = inside & ~nw.col("name").str.ends_with(_ORDER)
    counts = what.of in ("events", "orders")
    value = nw.lit(1.0) if counts else nw.col(what.of).fill_null(0.0)
    return nw.when(inside).then(value).otherwise(0.0).sum()


def _values(place: int, metric: Metric) -> list[nw.Expr]:
    """The customer's values of one measure, as m<place>_y and so on."""
    each = []
    for letter, (name, _, low, _) in zip(_letters(metric), _windows(metric), strict=True):
        value = nw.col(name)
        if metric.kind in ("proportion", "retention") and low >= 0:
            value = nw.when(value > 0).then(1.0).otherwise(0.0)
        each.append(value.alias(f"m{place}_{letter}"))
    return each


def _letters(metric: Metric) -> str:
    now = "y" if metric.over is None else "yx"
    before = ("a" if metric.over is None else "ab") if metric.before_days else ""
    return now + before


def _products(place: int, metric: Metric) -> Iterator[nw.Expr]:
    letters = _letters(metric)
    for letter in letters:
        yield nw.col(f"m{place}_{letter}").sum().alias(f"m{place}_{letter}")
    for first, second in PRODUCTS:
        if first in letters and second in letters:
            product = nw.col(f"m{place}_{first}") * nw.col(f"m{place}_{second}")
            yield product.sum().alias(f"m{place}_{first}{second}")


def _moments(row: dict[str, float], place: int, n: int) -> Moments:
    totals = tuple(float(row.get(f"m{place}_{one}") or 0.0) for one in VALUES)
    products = tuple(float(row.get(f"m{place}_{pair}") or 0.0) for pair in PRODUCTS)
    return Moments(n, totals, products)  # type: ignore[arg-type]
