"""The first rows behind many numbers at once: what the report shows, in a few passes over the data.

Each function answers what :func:`~shopkeeper.metrics.rows.rows` would for every one of its numbers,
first page.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import partial
from typing import Any, Final

import narwhals as nw

from shopkeeper.core.operation import Context
from shopkeeper.core.period import Days, Period
from shopkeeper.core.types import CannotSay
from shopkeeper.metrics import calendar
from shopkeeper.metrics.behind import Behind, Chosen, behind, counts, customers, shown_of, within
from shopkeeper.metrics.definitions import Metric, metric
from shopkeeper.metrics.dimensions import GROUP, dimension, suited
from shopkeeper.metrics.types import Cycle, Rows
from shopkeeper.metrics.units import BUCKET, Question
from shopkeeper.metrics.window import Window, span, window
from shopkeeper.warehouse.source import Frame, Source

Row = Mapping[str, Any]
_ALL: Final = "all"
_ORDER: Final = ("events", "customer_id")


def of_metrics(ctx: Context, names: Sequence[str], since: Period, size: int) -> dict[str, Rows]:
    """The first rows behind each of these metrics; empty in a shop without events."""
    seen = window(ctx, since)
    if isinstance(seen, CannotSay):
        return {}
    chosen = [metric(name) for name in names]
    found = _of_customers(ctx, [m for m in chosen if m.behind == "customers"], seen, size)
    listed: dict[object, Rows] = {}
    for one in chosen:
        if one.behind == "customers":
            continue
        same = (one.behind, one.lines, one.costed_lines)  # metrics over the same rows list the same
        if same not in listed:
            asked = Question((one,), seen.days, seen.data)
            [rows] = _keyed(
                ctx, one, partial(behind, asked=asked, chosen=None), None, [_ALL], seen, size
            )
            listed[same] = rows
        found[one.name] = listed[same].model_copy(update={"metric": one.name})
    return {name: found[name] for name in names}


def of_groups(
    ctx: Context, name: str, by: str, values: Sequence[str | None], since: Period, size: int
) -> dict[str | None, Rows]:
    """The first rows behind a metric's number of each of these groups of a dimension."""
    listed, where = metric(name), dimension(by)
    suited(listed, where)
    seen = window(ctx, since)
    if isinstance(seen, CannotSay) or not values:
        return {}
    asked = Question((listed,), seen.days, seen.data, by=where)
    chosen = Chosen(where, tuple(values))
    rows = _keyed(
        ctx, listed, partial(behind, asked=asked, chosen=chosen), GROUP, values, seen, size
    )
    return dict(zip(values, rows, strict=True))


def of_buckets(
    ctx: Context, name: str, cycle: Cycle, starts: Sequence[date], size: int
) -> dict[date, Rows]:
    """The first customers behind a metric's number of the weeks or months that start on these days."""
    listed = metric(name)
    seen = window(ctx, Period("all"))
    if isinstance(seen, CannotSay) or not starts:
        return {}
    asked = Question((listed,), seen.days, seen.data, cycle=cycle)
    numbers = [calendar.number(start, cycle) for start in starts]
    rows = _keyed(
        ctx, listed, partial(behind, asked=asked, chosen=None), BUCKET, numbers, seen, size
    )
    periods = (_clipped(calendar.days(number, cycle), seen.data) for number in numbers)
    return {
        start: one.model_copy(update={"period": span(days)})
        for start, days, one in zip(starts, periods, rows, strict=True)
    }


def _clipped(days: Days, data: Days) -> Days:
    return Days(max(days.start, data.start), min(days.end, data.end))


def _keyed(
    ctx: Context,
    listed: Metric,
    build: Callable[[Source], Behind],
    key: str | None,
    values: Sequence[Any],
    seen: Window,
    size: int,
) -> list[Rows]:
    """The listing of each value of the key in two queries; without a key of all there is."""
    kept: list[Behind] = []

    def top(source: Source) -> Frame:
        found = build(source)
        kept[:] = [found]
        if key is None:
            ordered = found.frame.sort(
                *found.order, descending=list(found.descending), nulls_last=True
            )
            return ordered.select(*found.columns).head(size)
        order = _sortable(found)
        place = nw.col("one").cum_sum().over(key, order_by=list(order))
        frame = found.frame.with_columns(one=nw.lit(1), **order).with_columns(place=place)
        return frame.filter(nw.col("place") <= size).select(key, "place", *found.columns)

    def added_up(source: Source) -> Frame:
        found = build(source)
        sums = [
            nw.len().alias("rows_in_all"),
            *(summed.alias(f"sum_{i}") for i, summed in enumerate(found.sums.values())),
        ]
        return found.frame.group_by(key).agg(*sums) if key else found.frame.select(*sums)

    shown: dict[Any, list[Row]] = defaultdict(list)
    for row in ctx.shop.query(top).to_pylist():
        shown[row[key] if key else _ALL].append(row)
    whole = {row[key] if key else _ALL: row for row in ctx.shop.query(added_up).to_pylist()}
    [found] = kept
    return [
        Rows(
            metric=listed.name,
            period=span(seen.days),
            behind=listed.behind,
            columns=found.columns,
            rows=tuple(
                tuple(row[column] for column in found.columns)
                for row in sorted(shown[value], key=lambda row: row.get("place", 0))
            ),
            total=int(whole[value]["rows_in_all"]) if value in whole else 0,
            sums={
                name: float((whole.get(value) or {}).get(f"sum_{i}") or 0.0)
                for i, name in enumerate(found.sums)
            },
            page=1,
            size=size,
        )
        for value in values
    ]


def _sortable(found: Behind) -> dict[str, nw.Expr]:
    """Columns by which ascending order is the listing's: nulls last, the largest first where it is so."""
    made: dict[str, nw.Expr] = {}
    for i, (column, descending) in enumerate(zip(found.order, found.descending, strict=True)):
        made[f"order_{i}_null"] = nw.when(nw.col(column).is_null()).then(1).otherwise(0)
        made[f"order_{i}"] = -nw.col(column) if descending else nw.col(column)
    return made


def _of_customers(
    ctx: Context, chosen: Sequence[Metric], seen: Window, size: int
) -> dict[str, Rows]:
    """The listings of metrics that are made of customers: one order, and each takes its own from it."""
    if not chosen:
        return {}
    asked = Question(tuple(chosen), seen.days, seen.data)
    flags = {f"in_{i}": nw.when(within(m)).then(1).otherwise(0) for i, m in enumerate(chosen)}
    shares = {f"counts_{i}": counts(m) for i, m in enumerate(chosen) if m.kind == "share"}

    def flagged(source: Source) -> Frame:
        frame = customers(source, asked).with_columns(**flags, **shares)
        return frame.filter(nw.sum_horizontal(*map(nw.col, flags)) > 0)

    def top(source: Source) -> Frame:
        first, then = _ORDER
        frame = flagged(source).with_columns(order_0=-nw.col(first))
        places = {
            f"place_{i}": nw.col(f"in_{i}").cum_sum().over(order_by=["order_0", then])
            for i in range(len(chosen))
        }
        frame = frame.with_columns(**places)
        early = (
            (nw.col(f"in_{i}") == 1) & (nw.col(f"place_{i}") <= size) for i in range(len(chosen))
        )
        return frame.filter(nw.any_horizontal(*early, ignore_nulls=True))

    def added_up(source: Source) -> Frame:
        return flagged(source).select(
            *(
                nw.when(nw.col(f"in_{i}") == 1)
                .then(nw.col(held).cast(nw.Float64))
                .sum()
                .alias(name)
                for i, m in enumerate(chosen)
                for name, held in _held(i, m).items()
            ),
            *(nw.col(flag).sum().alias(f"n_{flag}") for flag in flags),
        )

    rows = ctx.shop.query(top).to_pylist()
    whole = ctx.shop.query(added_up).to_pylist()[0]
    return {
        m.name: Rows(
            metric=m.name,
            period=span(seen.days),
            behind=m.behind,
            columns=shown_of(m),
            rows=_first(rows, i, m, size),
            total=int(whole[f"n_in_{i}"] or 0),
            sums={
                column: float(whole[name] or 0.0)
                for column, name in zip(shown_of(m)[1:], _held(i, m), strict=True)
            },
            page=1,
            size=size,
        )
        for i, m in enumerate(chosen)
    }


def _held(number: int, listed: Metric) -> dict[str, str]:
    """By the name of its sum, the frame's column that a listing shows and adds up."""
    return {
        f"sum_{number}_{column}": f"counts_{number}" if column == "counts" else column
        for column in shown_of(listed)[1:]
    }


def _first(
    rows: Sequence[Row], number: int, listed: Metric, size: int
) -> tuple[tuple[Any, ...], ...]:
    mine = [row for row in rows if row[f"in_{number}"] and row[f"place_{number}"] <= size]
    mine.sort(key=lambda row: row[f"place_{number}"])
    columns = ("customer_id", *_held(number, listed).values())
    return tuple(tuple(row[column] for column in columns) for row in mine)
