"""How often customers come: daily beside weekly and monthly active customers, and days in a week."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any, Final

import narwhals as nw

from shopkeeper.core.operation import Context
from shopkeeper.core.period import Days, Period
from shopkeeper.core.types import CannotSay, EstimateOrCannotSay
from shopkeeper.metrics import calendar
from shopkeeper.metrics.cells import cells
from shopkeeper.metrics.types import ActiveOn, DaysActive, Stickiness
from shopkeeper.metrics.window import Window, span, window
from shopkeeper.stats import intervals
from shopkeeper.stats.summary import Proportion, Ratio
from shopkeeper.warehouse.source import Frame, Source

WEEK: Final = 7
_MONTH: Final = 30
_LENGTHS: Final = (WEEK, _MONTH)


def stickiness(ctx: Context, since: Period) -> Stickiness:
    """See the operation of this name."""
    seen = window(ctx, since)
    if isinstance(seen, CannotSay):
        return Stickiness(
            period=None, dau_wau=seen, dau_mau=seen, days=(), week=None, active_days=(),
            cannot_say=seen,
        )  # fmt: skip
    gaps = ctx.shop.query(lambda source: _gaps(source, seen)).to_pylist()
    sums = ctx.shop.query(lambda source: _sums(source, seen)).to_pylist()
    whole = {length: _whole(seen, length) for length in _LENGTHS}
    week = last_week(seen)
    return Stickiness(
        period=span(seen.days),
        dau_wau=_quotient(sums, WEEK, whole[WEEK]),
        dau_mau=_quotient(sums, _MONTH, whole[_MONTH]),
        days=_course(gaps, seen),
        week=span(week) if week else None,
        active_days=_distribution(sums) if week else (),
    )


def last_week(seen: Window) -> Days | None:
    """The last seven days of the period; None where data do not hold them."""
    first = seen.days.end - timedelta(days=WEEK - 1)
    return Days(first, seen.days.end) if first >= seen.data.start else None


def active(source: Source, days: Days) -> Frame:
    """One row for each customer and active day: customer_id, ``at`` (the day's ordinal)."""
    known = ~nw.col("customer_id").is_null()
    frame = cells(source, days, ["events"]).filter(known, nw.col("events") > 0)
    return frame.group_by("customer_id", calendar.ordinal(nw.col("day")).alias("at")).agg(
        nw.len().alias("cells")
    )


def _until(source: Source, seen: Window) -> Frame:
    """The same with ``gap``: the days until the customer's next active one; null: none within 30."""
    first = max(seen.data.start, seen.days.start - timedelta(days=_MONTH - 1))
    frame = active(source, Days(first, seen.days.end))
    following = nw.col("at").shift(-1).over("customer_id", order_by="at")
    gap = following - nw.col("at")
    frame = frame.with_columns(following=following).with_columns(gap=gap)
    # Left null, not filled: Sail loses track of which columns of a window may be null.
    return frame.with_columns(gap=nw.when(nw.col("gap") < _MONTH).then(nw.col("gap")))


def _gaps(source: Source, seen: Window) -> Frame:
    return _until(source, seen).group_by("at", "gap").agg(nw.len().alias("customers"))


def _whole(seen: Window, length: int) -> Days | None:
    """The period's days before which data reach back so far."""
    first = max(seen.days.start, seen.data.start + timedelta(days=length - 1))
    return Days(first, seen.days.end) if first <= seen.days.end else None


def _sums(source: Source, seen: Window) -> Frame:
    """By days active in the last week, totals and products of what each customer's days come to.

    ``y`` counts a customer's active days, ``x`` the days in whose trailing 7 (30) one of them lies.
    """
    frame = _until(source, seen)
    last = nw.lit(seen.days.end.toordinal())
    made = {"recent": _one(nw.col("at") > last - WEEK)}
    for length in _LENGTHS:
        whole = _whole(seen, length) or Days(seen.days.end, seen.days.end)
        low, high = nw.lit(whole.start.toordinal()), nw.lit(whole.end.toordinal() + 1)
        reach = nw.when(nw.col("gap") < length).then(nw.col("gap")).otherwise(nw.lit(length))
        end = nw.min_horizontal(nw.col("at") + reach, high)
        covered = end - nw.max_horizontal(nw.col("at"), low)
        made[f"x{length}"] = nw.when(covered > 0).then(covered).otherwise(nw.lit(0))
        made[f"y{length}"] = _one(nw.col("at") >= low)
    mine = (
        frame.select("customer_id", **made)
        .group_by("customer_id")
        .agg(*(nw.col(name).sum() for name in made))
    )
    products = {"recent": nw.col("recent")}
    for length in _LENGTHS:
        y, x = nw.col(f"y{length}").cast(nw.Float64), nw.col(f"x{length}").cast(nw.Float64)
        products |= {f"y{length}": y, f"x{length}": x}
        products |= {f"yy{length}": y * y, f"xy{length}": x * y, f"xx{length}": x * x}
        products[f"n{length}"] = _one(x > 0)
    values = [nw.col(name).sum() for name in products if name != "recent"]
    return mine.select(**products).group_by("recent").agg(nw.len().alias("customers"), *values)


def _one(condition: nw.Expr) -> nw.Expr:
    return nw.when(condition).then(nw.lit(1)).otherwise(nw.lit(0))


def _quotient(
    sums: Sequence[dict[str, Any]], length: int, whole: Days | None
) -> EstimateOrCannotSay:
    if whole is None:
        return CannotSay(
            reason=f"Data do not reach back {length} days before any day of the period.",
            needed=f"data of at least {length} days",
            code="history_short_of",
            values={"days": length},
        )
    total = sum(
        (
            Ratio(
                int(row[f"n{length}"]),
                *(float(row[f"{name}{length}"]) for name in ("y", "x", "yy", "xy", "xx")),
            )
            for row in sums
        ),
        Ratio(),
    )
    return intervals.ratio(total)


def _course(gaps: Sequence[dict[str, Any]], seen: Window) -> tuple[ActiveOn, ...]:
    """Customers active on each day and in the days up to it: who came on a day counts until the next."""
    daily: Counter[int] = Counter()
    change: dict[int, Counter[int]] = {length: Counter() for length in _LENGTHS}
    for row in gaps:
        at, customers = int(row["at"]), int(row["customers"])
        gap = _MONTH if row["gap"] is None else int(row["gap"])
        daily[at] += customers
        for length in _LENGTHS:
            change[length][at] += customers
            change[length][at + min(gap, length)] -= customers
    running = dict.fromkeys(_LENGTHS, 0)
    first = seen.days.start.toordinal()
    made = []
    for at in range(min([*daily, first]), seen.days.end.toordinal() + 1):
        for length in _LENGTHS:
            running[length] += change[length][at]
        if at >= first:
            reaches = at - seen.data.start.toordinal() + 1
            weekly, monthly = (running[n] if reaches >= n else None for n in _LENGTHS)
            made.append(
                ActiveOn(day=date.fromordinal(at), daily=daily[at], weekly=weekly, monthly=monthly)
            )
    return tuple(made)


def _distribution(sums: Sequence[dict[str, Any]]) -> tuple[DaysActive, ...]:
    counts = {int(row["recent"]): int(row["customers"]) for row in sums}
    anybody = sum(counts.get(days, 0) for days in range(1, WEEK + 1))
    return tuple(
        DaysActive(
            days=days,
            customers=counts.get(days, 0),
            share=intervals.proportion(Proportion(anybody, counts.get(days, 0))),
        )
        for days in range(1, WEEK + 1)
    )
