"""Metrics by day, week or month, whole or for the largest groups of a dimension."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from shopkeeper.core.errors import BadInput
from shopkeeper.core.operation import Context
from shopkeeper.core.period import Days, Period
from shopkeeper.core.types import CannotSay
from shopkeeper.metrics import calendar
from shopkeeper.metrics.breakdown import GroupKey, largest
from shopkeeper.metrics.definitions import Metric, metric
from shopkeeper.metrics.dimensions import GROUP, REST, Dimension, dimension, suited
from shopkeeper.metrics.figures import amount
from shopkeeper.metrics.totals import Row, totals
from shopkeeper.metrics.types import Cycle, Line, Point, Series
from shopkeeper.metrics.units import BUCKET, Question
from shopkeeper.metrics.window import Window, span, window

_LONGEST = 4000


def series(
    ctx: Context,
    names: tuple[str, ...],
    since: Period,
    cycle: Cycle,
    by: str | None = None,
    k: int = 5,
    raw: bool = False,
) -> Series:
    """See the operation of this name; ``raw`` answers from events, not from the rollup."""
    metrics, where = _checked(names, by)
    currency = ctx.shop.settings.currency
    seen = window(ctx, since)
    if isinstance(seen, CannotSay):
        return Series(period=None, cycle=cycle, currency=currency, by=by, lines=(), cannot_say=seen)
    if len(list(calendar.between(seen.days, cycle))) > _LONGEST:
        raise BadInput(
            f"{seen.days} has more than {_LONGEST} points by {cycle}.",
            hint="Ask by week or month, or for a shorter period.",
            field="cycle",
        )
    asked = Question(metrics, seen.days, seen.data, cycle=cycle, by=where, raw=raw)
    keys: tuple[GroupKey, ...] = ((None, False),)
    if where is not None:
        found = largest(ctx, replace(asked, metrics=metrics[:1], cycle=None), k)
        asked, keys = replace(asked, kept=found.kept), found.keys
    rows = {
        (row.get(GROUP), bool(row.get(REST)), int(row[BUCKET])): row for row in totals(ctx, asked)
    }
    lines = tuple(_line(m, key, seen, cycle, rows) for key in keys for m in metrics)
    return Series(period=span(seen.days), cycle=cycle, currency=currency, by=by, lines=lines)


def _checked(names: tuple[str, ...], by: str | None) -> tuple[tuple[Metric, ...], Dimension | None]:
    metrics = tuple(metric(name) for name in dict.fromkeys(names))
    if not metrics:
        raise BadInput("No metric is named.", hint="Name at least one.", field="metrics")
    for chosen in metrics:
        if chosen.columns & {"recent_7", "recent_30"}:
            raise BadInput(
                f"{chosen.name!r} is a figure of a whole period, not of each part of it.",
                hint="Ask for active_customers by week or month.",
                field="metrics",
            )
    where = dimension(by) if by else None
    for chosen in metrics:
        if where is not None:
            suited(chosen, where)
    return metrics, where


def _line(
    chosen: Metric,
    key: GroupKey,
    seen: Window,
    cycle: Cycle,
    rows: Mapping[tuple[str | None, bool, int], Row],
) -> Line:
    group, rest = key
    points = []
    for number in calendar.between(seen.days, cycle):
        whole = calendar.days(number, cycle)
        days = Days(max(whole.start, seen.days.start), min(whole.end, seen.days.end))
        value = amount(rows.get((group, rest, number)), chosen, days)
        points.append(Point(start=days.start, end=days.end, partial=days != whole, value=value))
    return Line(metric=chosen.name, group=group, rest=rest, points=tuple(points))
