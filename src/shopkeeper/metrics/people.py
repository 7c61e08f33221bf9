"""The customers behind a number: of a funnel's step, a cohort's cell, a day count, a path, a metric."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import singledispatch
from typing import Any, Final

import narwhals as nw

from shopkeeper.core import events
from shopkeeper.core.errors import BadInput
from shopkeeper.core.operation import Context
from shopkeeper.core.period import Days
from shopkeeper.core.types import CannotSay
from shopkeeper.metrics import calendar, cohorts, paths
from shopkeeper.metrics.behind import Chosen, behind
from shopkeeper.metrics.definitions import metric
from shopkeeper.metrics.dimensions import dimension, suited
from shopkeeper.metrics.funnel import checked, column, taken
from shopkeeper.metrics.rows import DEEPEST
from shopkeeper.metrics.stickiness import active, last_week
from shopkeeper.metrics.types import (
    ActiveDays,
    AtStep,
    CohortCell,
    Number,
    OfMetric,
    OnPath,
    Rows,
)
from shopkeeper.metrics.units import Question
from shopkeeper.metrics.window import Window, span, window
from shopkeeper.warehouse.source import Frame, Source

_MS: Final = 1000


@dataclass(frozen=True)
class Found:
    """How to ask for the customers, over which days, and what is told of each beside the id."""

    frame: Callable[[Source], Frame]
    days: Days
    told: str


def people(ctx: Context, number: Number, page: int, size: int) -> Rows:
    """See the operation of this name."""
    if page * size > DEEPEST:
        raise BadInput(
            f"Page {page} of {size} customers lies beyond the {DEEPEST:,}th.",
            hint="Make a segment of them instead.",
            field="page",
        )
    found = _asked(ctx, number)
    if isinstance(found, CannotSay):
        return Rows(
            metric=number.kind, period=None, behind="customers", columns=(), rows=(), total=0, sums={},
            page=page, size=size, cannot_say=found,
        )  # fmt: skip

    def one_page(source: Source) -> Frame:
        rows = found.frame(source).select("customer_id", found.told)
        rows = rows.sort(found.told, "customer_id", descending=[True, False], nulls_last=True)
        return rows.head(page * size)

    shown = ctx.shop.query(one_page).slice((page - 1) * size).to_pylist()
    counted = ctx.shop.query(lambda source: found.frame(source).select(nw.len().alias("n")))
    return Rows(
        metric=number.kind,
        period=span(found.days),
        behind="customers",
        columns=("customer_id", found.told),
        rows=tuple((row["customer_id"], _cell(found.told, row[found.told])) for row in shown),
        total=int(counted.to_pylist()[0]["n"]),
        sums={},
        page=page,
        size=size,
    )


def ids(ctx: Context, number: Number, most: int) -> list[str]:
    """The ids of the customers behind the number, in order.

    Raises:
        BadInput: there are more than ``most``, or none.
    """
    found = _asked(ctx, number)
    if isinstance(found, CannotSay):
        raise BadInput(found.reason, hint=found.needed, field="number")
    rows = ctx.shop.query(
        lambda source: found.frame(source).select("customer_id").sort("customer_id").head(most + 1)
    ).to_pylist()
    if not 0 < len(rows) <= most:
        said = f"More than {most:,} customers are" if rows else "No customer is"
        raise BadInput(
            f"{said} behind this number.",
            hint="Ask for a shorter period or one group." if rows else "Ask for a longer period.",
            field="number",
        )
    return [row["customer_id"] for row in rows]


def _cell(told: str, value: Any) -> Any:
    if told != "time" or value is None:
        return value
    return datetime.fromtimestamp(int(value) / _MS, UTC)


def _asked(ctx: Context, number: Number) -> Found | CannotSay:
    return _found(number, ctx)


@singledispatch
def _found(number: object, ctx: Context) -> Found | CannotSay:  # noqa: ARG001 - by its kind
    raise TypeError(f"{type(number).__name__} is no number that opens")


@_found.register
def _(number: ActiveDays, ctx: Context) -> Found | CannotSay:
    seen = window(ctx, number.since)
    if isinstance(seen, CannotSay):
        return seen
    week = last_week(seen)
    if week is None:
        return CannotSay(
            reason="The period has no seven days of data.",
            needed="more days of data",
            code="history_short_of",
            values={"days": 7},
        )

    def frame(source: Source) -> Frame:
        rows = active(source, week).group_by("customer_id").agg(nw.len().alias("active_days"))
        return rows.filter(nw.col("active_days") == number.days)

    return Found(frame, week, "active_days")


@_found.register
def _(number: AtStep, ctx: Context) -> Found | CannotSay:
    names = checked(number.steps)
    last = len(names) - (1 if number.went == "reached" else 2)
    if number.step > last:
        raise BadInput(
            f"A funnel of {len(names)} steps has no step {number.step} to ask that of.",
            hint=f"Steps count from 0; name one of 0 to {last}.",
            field="number",
        )
    seen = window(ctx, number.since)
    if isinstance(seen, CannotSay):
        return seen

    def frame(source: Source) -> Frame:
        rows = taken(source, seen.days, names)
        here = nw.col(column(number.step))
        rows = rows.filter(~here.is_null())
        if number.went != "reached":
            gone = nw.col(column(number.step + 1)).is_null()
            rows = rows.filter(gone if number.went == "left" else ~gone)
        return rows.select("customer_id", time=here)

    return Found(frame, seen.days, "time")


@_found.register
def _(number: CohortCell, ctx: Context) -> Found | CannotSay:
    seen = ctx.shop.span()
    if seen is None:
        return CannotSay(reason="The shop has no events yet.", needed="events", code="no_events")
    first = calendar.number(number.cohort, number.cycle)
    later = number.later or 0

    def frame(source: Source) -> Frame:
        rows = cohorts.came(source, seen, number.cycle, number.start)
        rows = rows.filter(
            nw.col("first") == first, nw.col("bucket") == first + later, nw.col("came") == 1
        )
        return rows.select("customer_id", net_revenue=nw.col("net"))

    return Found(frame, calendar.days(first + later, number.cycle), "net_revenue")


@_found.register
def _(number: OnPath, ctx: Context) -> Found | CannotSay:
    seen = window(ctx, number.since)
    if isinstance(seen, CannotSay):
        return seen
    around = events.canonical(number.around)
    kept = paths.kept_names(ctx, seen.days, around)
    wanted = _places(number, around)

    def frame(source: Source) -> Frame:
        rows = paths.visits(source, seen.days, around, number.direction, number.depth, kept)
        for place, name in wanted.items():
            here = nw.col(paths.step(place))
            rows = rows.filter(here == name)
        return rows.group_by("customer_id").agg(nw.len().alias("sessions"))

    return Found(frame, seen.days, "sessions")


def _places(number: OnPath, around: str) -> dict[int, str]:
    """What stands at which distance from the event."""
    sign = -1 if number.direction == "before" else 1
    wanted: dict[int, str] = {}
    for offset, name in enumerate(number.steps, number.at):
        if offset == 0 and name == around:
            continue
        if not 1 <= offset * sign <= number.depth:
            raise BadInput(
                f"Step {name!r} lies {abs(offset)} places {number.direction} the event, not 1 to "
                f"{number.depth}.",
                hint="`at` is the place of the first step: -1 is the one before the event.",
                field="number",
            )
        wanted[offset * sign] = name
    if not wanted:
        raise BadInput("The path names no step beside the event.", field="number")
    return wanted


@_found.register
def _(number: OfMetric, ctx: Context) -> Found | CannotSay:
    listed = metric(number.metric)
    where = dimension(number.by) if number.by else None
    if where is not None:
        suited(listed, where)
    seen = window(ctx, number.since)
    if isinstance(seen, CannotSay):
        return seen
    return Found(lambda source: _of_metric(source, number, seen), seen.days, "rows")


def _of_metric(source: Source, number: OfMetric, seen: Window) -> Frame:
    where = dimension(number.by) if number.by else None
    asked = Question((metric(number.metric),), seen.days, seen.data, by=where)
    chosen = Chosen(where, (number.value,)) if where is not None else None
    rows = behind(source, asked, chosen).frame.filter(~nw.col("customer_id").is_null())
    return rows.group_by("customer_id").agg(nw.len().alias("rows"))
