"""One row per unit (a customer, or one day of lines without customer), group and bucket.

A period's columns bear its suffix: none for the period itself, ``_b`` for the one before, so that
one row holds both and what a customer did in one is seen beside what they did in the other.
"""

from __future__ import annotations

from collections.abc import Iterable
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
_ACTIVE: Final = nw.col("events") > 0
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
    if asked.before and not asked.by and not asked.cycle:
        return _side_by_side(source, asked)
    flags = sorted(asked.columns & set(_FIRST))
    at_once = bool(flags) and _at_once(asked)
    scanned = _history(asked) if at_once else _span(asked)
    columns = _columns(asked) | {_FIRST[flag][1] for flag in flags if at_once}
    by = Grouping(asked.by, asked.kept) if asked.by else None
    frame = cells(source, scanned, columns, by, asked.raw)
    frame = frame.with_columns(
        nw.when(nw.col("customer_id").is_null()).then(ordinal(_day)).alias(_LOOSE)
    )
    if asked.cycle:
        frame = frame.with_columns(bucket(_day, asked.cycle).alias(BUCKET))
    if "active_days" in asked.columns:
        frame = _by_day(frame, columns, asked.keys)
    made = [
        expression
        for suffix, days in asked.periods.items()
        for expression in (
            *_sums(asked.columns, suffix, days, split=days != scanned),
            *_rows_as_days(asked.columns, suffix, days),
        )
    ]
    made += _first_days(flags) if at_once else []
    frame = frame.group_by("customer_id", _LOOSE, *asked.keys).agg(*made)
    if flags and not at_once:
        frame = frame.join(firsts(source, asked, flags), on="customer_id", how="left")
    return _flagged(frame, asked, flags) if flags else frame


def _side_by_side(source: Source, asked: Question) -> Frame:
    """Units of both periods, each worked out from its own days alone, then joined.

    Engines hold every sum of every unit in memory while they group; most units are in one period only,
    so two groupings of half the width cost about half of one that holds both periods.
    """
    assert asked.before is not None  # noqa: S101 - the caller looked
    now = _alone(source, asked, NOW, asked.days)
    before = _alone(source, asked, BEFORE, asked.before)
    other = nw.col("customer_id").alias("other_id")
    made = [name for name in before.collect_schema().names() if name != "customer_id"]
    frame = now.join(
        before.select(other, *made), how="full", left_on="customer_id", right_on="other_id"
    )
    sums = [name for name in now.collect_schema().names() if name != "customer_id"]
    frame = frame.select(
        nw.coalesce("customer_id", "other_id").alias("customer_id"),
        *(nw.col(name).fill_null(0.0) for name in (*sums, *made)),
    )
    flags = sorted(asked.columns & set(_FIRST))
    return _new(source, asked, frame, flags) if flags else frame


def _alone(source: Source, asked: Question, suffix: str, days: Days) -> Frame:
    """The units of one period."""
    counted = {_FIRST[flag][1] for flag in asked.columns & set(_FIRST)}
    columns = _columns(asked) | counted
    frame = cells(source, days, columns, None, asked.raw)
    loose = nw.when(nw.col("customer_id").is_null()).then(ordinal(_day)).alias(_LOOSE)
    made = _sums(asked.columns | counted, suffix, days, split=False)
    if "active_days" in asked.columns:
        days_with = nw.when(_ACTIVE).then(_day).n_unique().cast(nw.Float64)
        idle = nw.when(_ACTIVE).then(0.0).otherwise(1.0).max()  # null counts as one more day
        made.append((days_with - idle).alias("active_days" + suffix))
    frame = frame.with_columns(loose).group_by("customer_id", _LOOSE).agg(*made)
    return frame.drop(_LOOSE)


def _new(source: Source, asked: Question, frame: Frame, flags: list[str]) -> Frame:
    """With ``new`` and ``first_buy``: in a period, and in none of the days before it."""
    counted = {flag: _FIRST[flag][1] for flag in flags}
    older = {flag: nw.lit(False) for flag in flags}
    assert asked.before is not None  # noqa: S101 - the caller looked
    if asked.data.start < asked.before.start:
        days = Days(asked.data.start, asked.before.start - timedelta(days=1))
        known = cells(source, days, sorted(set(counted.values())), None, asked.raw)
        known = known.filter(~nw.col("customer_id").is_null())
        known = known.group_by("customer_id").agg(
            *(nw.col(column).sum().alias(f"older_{flag}") for flag, column in counted.items())
        )
        frame = frame.join(known, on="customer_id", how="left")
        older = {flag: (nw.col(f"older_{flag}") > 0).fill_null(False) for flag in flags}
    made = []
    for flag, column in counted.items():
        now, before = nw.col(column + NOW) > 0, nw.col(column + BEFORE) > 0
        for suffix, began in ((NOW, now & ~before & ~older[flag]), (BEFORE, before & ~older[flag])):
            made.append(nw.when(began).then(1.0).otherwise(0.0).alias(flag + suffix))
    return frame.with_columns(*made)


def _columns(asked: Question) -> frozenset[str]:
    """The columns that cells need."""
    of_days = asked.columns & {"active_days", *RECENT}
    return (asked.columns & COLUMNS) | ({"events"} if of_days else frozenset())


def _by_day(frame: Frame, columns: Iterable[str], keys: list[str]) -> Frame:
    """One row per unit and day: days are then counted as rows.

    Twice as fast as counting distinct days: engines do each distinct count in a grouping of its own.
    """
    sums = (nw.col(column).sum().alias(column) for column in sorted(columns))
    return frame.group_by("customer_id", _LOOSE, "day", *keys).agg(*sums)


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
    for name, length in RECENT.items():
        if name in wanted:
            last = Days(max(days.start, days.end - timedelta(days=length - 1)), days.end)
            hit = nw.when(_inside(last) & _ACTIVE).then(1.0).otherwise(0.0)
            made.append(hit.max().alias(name + suffix))
    return made


def _rows_as_days(wanted: frozenset[str], suffix: str, days: Days) -> list[nw.Expr]:
    """Active days of a period, in an aggregation over what :func:`_by_day` made."""
    if "active_days" not in wanted:
        return []
    hit = nw.when(_inside(days) & _ACTIVE).then(1.0).otherwise(0.0)
    return [hit.sum().alias("active_days" + suffix)]


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
