"""One row per unit (a customer, or one day of lines without customer), group and bucket.

A period's columns bear its suffix: none for the period itself, ``_b`` for the one before, so that
one row holds both and what a customer did in one is seen beside what they did in the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import narwhals as nw

from shopkeeper.core.period import Days
from shopkeeper.metrics.calendar import bucket, ordinal
from shopkeeper.metrics.cells import COLUMNS, cells
from shopkeeper.metrics.definitions import Metric
from shopkeeper.metrics.dimensions import GROUP, REST, Dimension, Grouping
from shopkeeper.metrics.types import Cycle
from shopkeeper.warehouse.source import Frame, Source

NOW: Final = ""
BEFORE: Final = "_b"
BUCKET: Final = "bucket"

_day = nw.col("day")
_LOOSE: Final = "loose"  # tells units without a customer apart: the day's number
RECENT: Final = {"recent_7": 7, "recent_30": 30}
_FIRST: Final = {"new": ("first_active", "events"), "first_buy": ("first_bought", "lines")}


@dataclass(frozen=True)
class Question:
    """What is asked: metrics over days, perhaps beside earlier days, by bucket or by group.

    ``kept`` names the groups that stay themselves; all others become the rest. Without it every
    group stays. ``data`` are all days there are, to tell who is new.
    """

    metrics: tuple[Metric, ...]
    days: Days
    data: Days
    before: Days | None = None
    cycle: Cycle | None = None
    by: Dimension | None = None
    kept: tuple[str | None, ...] | None = None
    raw: bool = False

    @property
    def periods(self) -> dict[str, Days]:
        """The periods by suffix."""
        return {NOW: self.days} | ({BEFORE: self.before} if self.before else {})

    @property
    def columns(self) -> frozenset[str]:
        """The unit columns that the metrics read."""
        return frozenset().union(*(metric.columns for metric in self.metrics))

    @property
    def keys(self) -> list[str]:
        """What tells rows of the answer apart."""
        bucketed = [BUCKET] if self.cycle else []
        return [*bucketed, *([GROUP, REST] if self.by else [])]


def units(source: Source, asked: Question) -> Frame:
    """The units that answer a question, with every column that its metrics read."""
    flags = sorted(asked.columns & set(_FIRST))
    at_once = bool(flags) and _at_once(asked)
    scanned = _history(asked) if at_once else _span(asked)
    columns = (asked.columns & COLUMNS) | {_FIRST[flag][1] for flag in flags if at_once}
    by = Grouping(asked.by, asked.kept) if asked.by else None
    frame = cells(source, scanned, columns, by, asked.raw)
    frame = frame.with_columns(
        nw.when(nw.col("customer_id").is_null()).then(ordinal(_day)).alias(_LOOSE)
    )
    if asked.cycle:
        frame = frame.with_columns(bucket(_day, asked.cycle).alias(BUCKET))
    made = [
        expression
        for suffix, days in asked.periods.items()
        for expression in _sums(asked.columns, suffix, days, split=days != scanned)
    ]
    made += _first_days(flags) if at_once else []
    frame = frame.group_by("customer_id", _LOOSE, *asked.keys).agg(*made)
    if flags and not at_once:
        frame = frame.join(firsts(source, asked, flags), on="customer_id", how="left")
    return _flagged(frame, asked, flags) if flags else frame


def firsts(source: Source, asked: Question, flags: list[str]) -> Frame:
    """Per customer the first day ever with an event and, where wanted, with a purchase."""
    frame = cells(source, _history(asked), [_FIRST[flag][1] for flag in flags], None, asked.raw)
    known = frame.filter(~nw.col("customer_id").is_null())
    return known.group_by("customer_id").agg(*_first_days(flags))


def _at_once(asked: Question) -> bool:
    """Whether first days are found in the same pass.

    Units must be whole customers, and the days asked about at least half of the history: then one
    pass over all of it costs less than a second one.
    """
    whole = asked.cycle is None and (asked.by is None or asked.by.level == "customer")
    return whole and 2 * len(_span(asked)) >= len(_history(asked))


def _first_days(flags: list[str]) -> list[nw.Expr]:
    return [
        nw.when(nw.col(counted) > 0).then(_day).min().alias(first)
        for first, counted in (_FIRST[flag] for flag in flags)
    ]


def _history(asked: Question) -> Days:
    return Days(asked.data.start, asked.days.end)


def _span(asked: Question) -> Days:
    return Days(asked.before.start if asked.before else asked.days.start, asked.days.end)


def _sums(wanted: frozenset[str], suffix: str, days: Days, *, split: bool) -> list[nw.Expr]:
    """The columns of one period, in an aggregation over cells; ``split``: of other days as well."""
    inside = _inside(days)
    made = []
    for column in sorted(wanted & COLUMNS):
        value = nw.col(column).cast(nw.Float64)
        part = nw.when(inside).then(value).otherwise(0.0) if split else value
        made.append(part.sum().alias(column + suffix))
    if "active_days" in wanted:
        made.append(_distinct_days(inside, split).alias("active_days" + suffix))
    for name, length in RECENT.items():
        if name in wanted:
            last = Days(max(days.start, days.end - timedelta(days=length - 1)), days.end)
            hit = nw.when(_inside(last)).then(1.0).otherwise(0.0)
            made.append(hit.max().alias(name + suffix))
    return made


def _distinct_days(inside: nw.Expr, split: bool) -> nw.Expr:
    if not split:
        return _day.n_unique()
    marked = nw.when(inside).then(ordinal(_day)).otherwise(0)  # one more value for all days outside
    return marked.n_unique() - nw.when(inside).then(0).otherwise(1).max()


def _inside(days: Days) -> nw.Expr:
    return (_day >= days.start) & (_day <= days.end)


def _flagged(frame: Frame, asked: Question, flags: list[str]) -> Frame:
    """With ``new`` and ``first_buy``: whether the customer began in the period (and bucket)."""
    made = []
    for name in flags:
        first = nw.col(_FIRST[name][0])
        for suffix, days in asked.periods.items():
            began = (first >= days.start) & (first <= days.end)
            if asked.cycle:
                began = began & (bucket(first, asked.cycle) == nw.col(BUCKET))
            made.append(nw.when(began).then(1.0).otherwise(0.0).alias(name + suffix))
    return frame.with_columns(*made)
