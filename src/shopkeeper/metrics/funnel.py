"""How many customers took each step after the one before."""

from __future__ import annotations

import narwhals as nw

from shopkeeper.core import events
from shopkeeper.core.errors import BadInput
from shopkeeper.core.operation import Context
from shopkeeper.core.period import Days, Period
from shopkeeper.core.types import CannotSay
from shopkeeper.metrics.types import Funnel, Step
from shopkeeper.metrics.window import span, window
from shopkeeper.stats import intervals
from shopkeeper.stats.summary import Proportion
from shopkeeper.warehouse.source import Frame, Source

_MOST = 10
_name, _time = nw.col("name"), nw.col("time_ms")


def funnel(ctx: Context, since: Period, steps: tuple[str, ...]) -> Funnel:
    """See the operation of this name."""
    names = checked(steps)
    seen = window(ctx, since)
    if isinstance(seen, CannotSay):
        return Funnel(period=None, steps=(), cannot_say=seen)
    days = seen.days
    reached = ctx.shop.query(lambda source: reach(source, days, names)).to_pylist()[0]
    counted = ctx.shop.query(lambda source: _counted(source, days, names)).to_pylist()
    seen_events = {row["name"]: (int(row["events"]), int(row["nobody"])) for row in counted}
    customers = [int(reached[column(i)] or 0) for i in range(len(names))]
    made = []
    for i, name in enumerate(names):
        total, nobody = seen_events.get(name, (0, 0))
        made.append(
            Step(
                name=name,
                customers=customers[i],
                of_first=intervals.proportion(Proportion(customers[0], customers[i])),
                of_previous=intervals.proportion(
                    Proportion(customers[max(0, i - 1)], customers[i])
                ),
                events=total,
                without_customer=nobody,
            )
        )
    return Funnel(period=span(days), steps=tuple(made))


def reach(source: Source, days: Days, names: tuple[str, ...]) -> Frame:
    """How many customers took each step at or after the time of the one before, in one row."""
    frame = taken(source, days, names)
    return frame.select(*(nw.col(column(i)).count() for i in range(len(names))))


def taken(source: Source, days: Days, names: tuple[str, ...]) -> Frame:
    """One row for each customer who took the first step: when each step was taken (ms), null if not.

    The earliest time at which each step can be taken after the one before is found step by step:
    who can take all steps at all can take each at that earliest time, so nobody is missed.
    """
    rows = source.events(days).filter(_name.is_in(list(names)), ~nw.col("customer_id").is_null())
    rows = rows.select("customer_id", "name", "time_ms")
    frame = rows.filter(_name == names[0]).group_by("customer_id").agg(_time.min().alias(column(0)))
    for i, name in enumerate(names[1:], 1):
        passed = [column(j) for j in range(i)]
        later = nw.when(_time >= nw.col(column(i - 1))).then(_time).min()
        step = rows.filter(_name == name).select("customer_id", "time_ms")
        frame = (
            frame.join(step, on="customer_id", how="left")
            .group_by("customer_id", *passed)
            .agg(later.alias(column(i)))
        )
    return frame


def _counted(source: Source, days: Days, names: tuple[str, ...]) -> Frame:
    nobody = nw.when(nw.col("customer_id").is_null()).then(1).otherwise(0).sum()
    return (
        source.events(days)
        .filter(_name.is_in(list(names)))
        .group_by("name")
        .agg(nw.len().alias("events"), nobody.alias("nobody"))
    )


def column(step: int) -> str:
    """The column of the time at which a step was taken."""
    return f"step_{step}"


def checked(steps: tuple[str, ...]) -> tuple[str, ...]:
    """The steps by their usual names.

    Raises:
        BadInput: too few, too many, or one that is there twice.
    """
    names = tuple(events.canonical(step) for step in steps)
    if not 2 <= len(names) <= _MOST:
        raise BadInput(
            f"A funnel has 2 to {_MOST} steps, not {len(names)}.",
            hint=f"For example: {', '.join(events.FUNNEL)}.",
            field="steps",
        )
    if repeated := sorted({name for name in names if names.count(name) > 1}):
        raise BadInput(
            f"The step {repeated[0]!r} is there twice.",
            hint="Each event may be one step; for buying again, ask for repeat_rate.",
            field="steps",
        )
    return names
