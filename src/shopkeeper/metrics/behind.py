"""The rows behind a metric: which events, orders or customers its number is made of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import narwhals as nw

from shopkeeper.metrics.definitions import Metric, Unit
from shopkeeper.metrics.dimensions import GROUP, Dimension, Grouping
from shopkeeper.metrics.units import Question, units
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
    """A listing: its frame, what its columns are, by what it is sorted and what it adds up."""

    frame: Frame
    columns: tuple[str, ...]
    order: tuple[str, ...]
    descending: tuple[bool, ...]
    sums: Mapping[str, nw.Expr]


@dataclass(frozen=True)
class Chosen:
    """The one group to list, when a breakdown's number is opened; a value of None: not known."""

    by: Dimension
    value: str | None

    @property
    def condition(self) -> nw.Expr:
        """Whether a row is of that group."""
        group = nw.col(GROUP)
        return group.is_null() if self.value is None else group == self.value


def behind(source: Source, asked: Question, chosen: Chosen | None) -> Behind:
    """The listing behind the question's one metric, over its days."""
    metric = asked.metrics[0]
    if metric.behind == "customers":
        return _customers(source, asked, chosen)
    lines = _lines(source, asked, chosen)
    return _orders(lines) if metric.behind == "orders" else _events(lines, metric)


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


def _events(lines: Frame, metric: Metric) -> Behind:
    return Behind(
        frame=lines.select(*_EVENT),
        columns=_EVENT,
        order=("time", "event_id"),
        descending=(False, False),
        sums={
            f"{name}.{column}": nw.when(nw.col("name") == name).then(nw.col(column)).sum()
            for name in metric.lines
            for column in ("quantity", "value", "cost")
        },
    )


def _orders(lines: Frame) -> Behind:
    """Orders as they are counted: one order id of one sender on one day."""
    frame = (
        lines.filter(~nw.col("order_id").is_null())
        .group_by("day", "customer_id", "user_id", "anonymous_id", "order_id")
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
    frame = units(source, _listing(asked, columns))
    unit = Unit()
    within = metric.over(unit) if metric.over else _counts(metric, unit)
    frame = frame.filter(within, unit.known)
    if chosen is not None:
        frame = frame.filter(chosen.condition)
    shown = ["customer_id", *columns]
    if metric.kind == "share":
        flag = nw.when(metric.value(unit)).then(1.0).otherwise(0.0)
        frame, shown = frame.with_columns(counts=flag), ["customer_id", "counts", *columns]
    if metric.kind == "per_day":
        shown.insert(1, "active_days")
    first = "revenue" if item else "events"
    return Behind(
        frame=frame.select(*shown),
        columns=tuple(shown),
        order=(first, "customer_id"),
        descending=(True, False),
        sums=_totals(shown[1:]),
    )


def _totals(columns: Iterable[str]) -> dict[str, nw.Expr]:
    return {column: nw.col(column).cast(nw.Float64).sum() for column in columns}


def _counts(metric: Metric, unit: Unit) -> nw.Expr:
    return unit.has("active_days") if metric.kind == "per_day" else metric.value(unit)


def _listing(asked: Question, columns: tuple[str, ...]) -> Question:
    """The question with every column that the listing shows, as one more need of its metric."""
    metric = asked.metrics[0]
    shown = Metric(
        "listing", "", "", "count", "sum", lambda u: _all(u, columns), "", "", "customers"
    )
    return Question((metric, shown), asked.days, asked.data, by=asked.by, raw=asked.raw)


def _all(unit: Unit, columns: tuple[str, ...]) -> nw.Expr:
    return nw.sum_horizontal(*(unit(column) for column in columns))
