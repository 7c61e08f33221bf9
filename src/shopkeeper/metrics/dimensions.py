"""By what a metric can be broken down: traits of customers, columns of events, or what was bought."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import narwhals as nw

from shopkeeper.core.errors import BadInput, UnknownName
from shopkeeper.metrics.definitions import Metric
from shopkeeper.warehouse.source import Frame, Source

Level = Literal["customer", "event", "item"]

GROUP: Final = "grp"
"""The column that holds a row's group; null where it is not known."""

REST: Final = "rest"
"""The column that tells whether a row is of the rest, that is of no group that stays itself."""

_CUSTOMER: Final = ("country", "language")
_EVENT: Final = (
    "channel", "campaign_id", "content_id", "experiment_id", "variant_id", "source",
)  # fmt: skip
_ITEM: Final = ("item_id", "category", "department", "brand", "item_kind")
_MAPS: Final[dict[str, Level]] = {"traits": "customer", "properties": "event"}
_ITEM_COLUMNS: Final = {"item_kind": "kind", "department": "category"}

_IMPORT: Final = r"#[0-9]{8}-[0-9]{6}-[0-9a-f]{6}$"

NAMES: Final = (*_CUSTOMER, "traits.NAME", *_EVENT, "properties.NAME", *_ITEM)


@dataclass(frozen=True)
class Dimension:
    """One way to break down: where its column is, and for a map which key of it."""

    name: str
    level: Level
    column: str
    key: str | None = None

    @property
    def value(self) -> nw.Expr:
        """The group, from the table that has the column."""
        if self.key is not None:
            return nw.col(self.column).map.get(self.key)
        if self.name == "department":  # the widest part of the path
            return nw.col(self.column).str.split(" > ").list.get(0)
        if self.name == "source":  # without the import that brought the row
            return nw.col(self.column).str.replace_all(_IMPORT, "")
        return nw.col(self.column)

    @property
    def on_event(self) -> bool:
        """Whether events carry it themselves."""
        return self.level == "event" or self.name == "item_id"

    def joined(self, frame: Frame, source: Source) -> Frame:
        """The frame with the group of each row, from the customers or items as they are now."""
        if self.level == "customer":
            table, key = source.customers(), "customer_id"
        else:
            table, key = source.items(), "item_id"
        groups = table.select(nw.col(key), self.value.alias(GROUP))
        return frame.join(groups, on=key, how="left")


@dataclass(frozen=True)
class Grouping:
    """A dimension, and which of its groups stay themselves while all others become the rest.

    Without ``kept`` every group stays. Rows are folded before anything is counted: an order with two
    items of the rest is one order of the rest.
    """

    by: Dimension
    kept: tuple[str | None, ...] | None = None

    def of_events(self, events: Frame, source: Source) -> Frame:
        """Events with ``GROUP`` and ``REST``, where the dimension is of events or items."""
        if self.by.on_event:
            return self._folded(events.with_columns(self.by.value.alias(GROUP)))
        return self._folded(self.by.joined(events, source))

    def of_customers(self, cells: Frame, source: Source) -> Frame:
        """Rows of customers with ``GROUP`` and ``REST``, where the dimension is of customers."""
        return self._folded(self.by.joined(cells, source))

    def _folded(self, frame: Frame) -> Frame:
        if self.kept is None:
            return frame.with_columns(nw.lit(False).alias(REST))
        names = [name for name in self.kept if name is not None]
        group = nw.col(GROUP)
        other = ~group.is_in(names) if names else nw.lit(True)
        rest = nw.when(group.is_null()).then(None not in self.kept).otherwise(other)
        frame = frame.with_columns(rest.alias(REST))
        return frame.with_columns(nw.when(~nw.col(REST)).then(group).alias(GROUP))


def dimension(name: str) -> Dimension:
    """The dimension of that name; ``traits.city`` and ``properties.size`` look into maps."""
    column, dot, key = name.partition(".")
    if dot and column in _MAPS and key:
        return Dimension(name, _MAPS[column], column, key)
    levels: tuple[tuple[Level, tuple[str, ...]], ...] = (
        ("customer", _CUSTOMER), ("event", _EVENT), ("item", _ITEM),
    )  # fmt: skip
    for level, names in levels:
        if name in names:
            return Dimension(name, level, _ITEM_COLUMNS.get(name, name))
    raise UnknownName("dimension", name, NAMES, field="by")


def suited(metric: Metric, by: Dimension) -> None:
    """Raise unless the metric has a meaning when broken down so."""
    if by.level == "item" and not metric.by_item:
        raise BadInput(
            f"{metric.name!r} cannot be broken down by {by.name!r}: it is not about what was bought.",
            hint="Take a trait of customers or a column of events, or another metric.",
            field="by",
        )
