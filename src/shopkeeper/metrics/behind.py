"""The rows behind a metric: which events, orders or customers its number is made of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import narwhals as nw

from shopkeeper.metrics.definitions import Metric, Unit
from shopkeeper.metrics.dimensions import GROUP, Dimension, Grouping
from shopkeeper.metrics.units import BUCKET, Question, units
from shopkeeper.warehouse.source import Frame, Source

_EVENT = (
    "event_id", "time", "day", "name", "customer_id", "item_id", "order_id", "quantity", "price",
    "value", "cost",
)  # fmt: skip
_ORDER = ("day", "customer_id", "order_id", "lines", "units", "revenue")
_CUSTOMER = ("events", "lines", "orders", "units", "revenue", "refunds")
_CUSTOMER_BY_ITEM = _CUSTOMER[1:]  # an event that is not about money is about no sold item


@dataclass(frozen=True)
class Behind:
    """A listing: its frame, what its columns are, by what it is sorted and what it adds up.

    Where groups or buckets are listed beside each other, the frame also has what tells them apart.
    """

    frame: Frame
    columns: tuple[str, ...]
    order: tuple[str, ...]
    descending: tuple[bool, ...]
    sums: Mapping[str, nw.Expr]


@dataclass(frozen=True)
class Chosen:
    """The groups to list, when a breakdown's numbers are opened; a value of None: not known."""

    by: Dimension
    values: tuple[str | None, ...]

    @property
    def condition(self) -> nw.Expr:
        """Whether a row is of one of those groups."""
        named = [value for value in self.values if value is not None]
        group = nw.col(GROUP)
        of_named = ~group.is_null() & group.is_in(named) if named else nw.lit(False)
        return of_named | group.is_null() if None in self.values else of_named


def behind(source: Source, asked: Question, chosen: Chosen | None) -> Behind:
    """The listing behind the question's one metric, over its days."""
    metric = asked.metrics[0]
    if metric.behind == "customers":
        return _customers(source, asked, chosen)
    lines = _lines(source, asked, chosen)
    keys = (GROUP,) if chosen is not None else ()
    return _orders(lines, keys) if metric.behind == "orders" else _events(lines, metric, keys)


def _lines(source: Source, asked: Question, chosen: Chosen | None) -> Frame:
    metric = asked.metrics[0]
    frame = source.events(asked.days).filter(nw.col("name").is_in(list(metric.lines)))
    if metric.costed_lines:
        frame = frame.filter(~nw.col("cost").is_null())
    if chosen is None:
        return frame
    grouping = Grouping(chosen.by)
    if chosen.by.level == "customer":
        return grouping.of_customers(frame, source).filter(chosen.condition)
    return grouping.of_events(frame, source).filter(chosen.condition)


def _events(lines: Frame, metric: Metric, keys: tuple[str, ...]) -> Behind:
    return Behind(
        frame=lines.select(*_EVENT, *keys),
        columns=_EVENT,
        order=("time", "event_id"),
        descending=(False, False),
        sums={
            f"{name}.{column}": nw.when(nw.col("name") == name).then(nw.col(column)).sum()
            for name in metric.lines
            for column in ("quantity", "value", "cost")
        },
    )


def _orders(lines: Frame, keys: tuple[str, ...]) -> Behind:
    """Orders as they are counted: one order id of one sender on one day."""
    frame = (
        lines.filter(~nw.col("order_id").is_null())
        .group_by("day", "customer_id", "user_id", "anonymous_id", "order_id", *keys)
        .agg(
            nw.len().alias("lines"),
            nw.col("quantity").sum().fill_null(0.0).alias("units"),
            nw.col("value").sum().fill_null(0.0).alias("revenue"),
        )
    )
    return Behind(
        frame=frame,
        columns=_ORDER,
        order=("revenue", "day", "order_id", "user_id", "anonymous_id"),
        descending=(True, False, False, False, False),
        sums=_totals(("lines", "units", "revenue")),
    )


def _customers(source: Source, asked: Question, chosen: Chosen | None) -> Behind:
    metric = asked.metrics[0]
    item = asked.by is not None and asked.by.level == "item"
    columns = _CUSTOMER_BY_ITEM if item else _CUSTOMER
    frame = units(source, _listing(asked, columns)).filter(within(metric))
    if chosen is not None:
        frame = frame.filter(chosen.condition)
    if metric.kind == "share":
        frame = frame.with_columns(counts=counts(metric))
    shown = shown_of(metric, columns)
    first = "revenue" if item else "events"
    keys = [*([BUCKET] if asked.cycle else []), *([GROUP] if chosen is not None else [])]
    return Behind(
        frame=frame.select(*shown, *keys),
        columns=shown,
        order=(first, "customer_id"),
        descending=(True, False),
        sums=_totals(shown[1:]),
    )


def customers(source: Source, asked: Question) -> Frame:
    """Every customer with all that listings of the question's metrics show, for many of them at once."""
    return units(source, _listing(asked, _CUSTOMER))


def within(metric: Metric) -> nw.Expr:
    """Whether a unit is one of the customers behind the metric."""
    unit = Unit()
    return unit.known & (metric.over(unit) if metric.over else _counts(metric, unit))


def counts(metric: Metric) -> nw.Expr:
    """1 for a customer who counts in a share, else 0."""
    return nw.when(metric.value(Unit())).then(1.0).otherwise(0.0)


def shown_of(metric: Metric, columns: tuple[str, ...] = _CUSTOMER) -> tuple[str, ...]:
    """The columns of a listing of customers."""
    extra = {"share": ("counts",), "per_day": ("active_days",)}.get(metric.kind, ())
    return ("customer_id", *extra, *columns)


def _totals(columns: Iterable[str]) -> dict[str, nw.Expr]:
    return {column: nw.col(column).cast(nw.Float64).sum() for column in columns}


def _counts(metric: Metric, unit: Unit) -> nw.Expr:
    return unit.has("active_days") if metric.kind == "per_day" else metric.value(unit)


def _listing(asked: Question, columns: tuple[str, ...]) -> Question:
    """The question with every column that the listing shows, as one more need of its metric."""
    shown = Metric(
        "listing", "", "", "count", "sum", lambda u: _all(u, columns), "", "", "customers"
    )
    return replace(asked, metrics=(*asked.metrics, shown))


def _all(unit: Unit, columns: tuple[str, ...]) -> nw.Expr:
    return nw.sum_horizontal(*(unit(column) for column in columns))
