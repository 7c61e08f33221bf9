"""What traits and conditions are computed from, and the one pass over the events that they share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Literal, cast

import narwhals as nw
import pyarrow as pa

from shopkeeper.core.events import PASSIVE
from shopkeeper.core.period import Days
from shopkeeper.warehouse.source import Frame, Source

DAY_MS = 86_400_000
_MONDAY = 3  # days from a Monday to the first day of 1970
_YEARS = 15


@dataclass(frozen=True)
class Tally:
    """One figure of the shared pass, from an expression per event that is null where it does not count.

    Counted rather than summed: engines add up in numbers three times as wide, and of a million customers
    the pass would no longer fit into memory.
    """

    name: str
    how: Literal["count", "min", "max"]
    of: nw.Expr
    goods: bool = False  # whether the expression asks for columns of the item
    days: int | None = None  # only events of the last so many local days count; None: all do


@dataclass(frozen=True)
class Scene:
    """Up to and including the local day ``as_of``. ``given`` stands for the events where it is set."""

    source: Source
    as_of: date
    zone: tzinfo = UTC
    given: Frame | None = None
    about: tuple[str, ...] = ()
    """Where only these customers are asked for, their ids."""
    sample: pa.Table | None = None
    """Where only a sample of customers is looked at, their ids in a column ``customer_id``."""
    goods_flags: dict[str, nw.Expr] = field(default_factory=dict)
    """Further columns of items, by name: what conditions ask of category, brand and so on."""

    def events(self, days: int | None = None) -> Frame:
        """Events with a known customer, of the last ``days`` local days or of all.

        ``acts`` says whether the customer did it: not what happened to them, such as a message sent.
        """
        first = date.min if days is None else self.as_of - timedelta(days=days - 1)
        if self.given is not None:
            rows = self.given.filter(nw.col("day") <= nw.lit(self.as_of))
            rows = rows if days is None else rows.filter(nw.col("day") >= nw.lit(first))
        else:
            rows = self.source.events(Days(first, self.as_of))
        rows = rows.with_columns(acts=~nw.col("name").is_in(sorted(PASSIVE)))
        if self.sample is not None:
            return rows.join(self.source.arrow(self.sample), on="customer_id", how="semi")
        return rows.filter(~nw.col("customer_id").is_null())

    def within(self, days: int) -> nw.Expr:
        """Whether an event is of the last ``days`` local days."""
        return nw.col("day") > nw.lit(self.as_of - timedelta(days=days))

    def clocked(self, events: Frame) -> Frame:
        """Events with the milliseconds since midnight (``in_day``) and since Monday's (``in_week``) there."""
        rows = events.with_columns(in_week=self._local_ms() + _MONDAY * DAY_MS)
        in_week = nw.col("in_week")
        return rows.with_columns(in_day=in_week % DAY_MS, in_week=in_week % (7 * DAY_MS))

    def _local_ms(self) -> nw.Expr:
        """Milliseconds since 1970 on the shop's clock, changes to summer time included."""
        changes = _offsets(self.zone, self.as_of)
        first = changes[0][1]
        offset = nw.lit(first)
        for start_ms, ms in changes[1:]:
            offset = nw.when(nw.col("time_ms") >= start_ms).then(nw.lit(ms)).otherwise(offset)
        return nw.col("time_ms") + offset

    def theirs(self, frame: Frame) -> Frame:
        """The rows of the customers asked for, or all."""
        if self.sample is not None:
            return frame.join(self.source.arrow(self.sample), on="customer_id", how="semi")
        return frame.filter(nw.col("customer_id").is_in(self.about)) if self.about else frame

    def resolved(self, frame: Frame) -> Frame:
        """Rows whose ``customer_id`` is as sent, with the customer that it stands for."""
        links = self.source.identities().select("sent_id", known="customer_id")
        joined = frame.join(links, left_on="customer_id", right_on="sent_id", how="left")
        told = nw.coalesce(nw.col("known"), nw.col("customer_id")).alias("customer_id")
        return self.theirs(joined.with_columns(told).drop("known"))


def goods(scene: Scene) -> Frame:
    """Items with their category, brand, the mean price of that category, and the scene's flags."""
    if scene.about:  # a few customers' items alone would give other means: they bring them
        columns = ("item_id", "category", "brand", "usual_price")
        return scene.source.items().select(*columns, **scene.goods_flags)
    columns = ("item_id", "category", "brand", "price")
    items = scene.source.items().select(*columns, **scene.goods_flags)
    usual = items.group_by("category").agg(nw.col("price").mean().alias("usual_price"))
    usual = usual.filter(~nw.col("category").is_null())
    return items.join(usual, on="category", how="left").drop("price")


def aggregated(events: Frame, tallies: Sequence[Tally]) -> Frame:
    """One row per customer with every tally, in one pass."""
    columns = {one.name: one.of for one in tallies}
    aggregates = [getattr(nw.col(one.name), one.how)() for one in tallies]
    return events.select("customer_id", **columns).group_by("customer_id").agg(*aggregates)


def counted(name: str, when: nw.Expr, *, goods: bool = False, days: int | None = None) -> Tally:
    """How many events are so."""
    return Tally(name, "count", nw.when(when).then(nw.lit(1)), goods, days)


def ratio(top: nw.Expr, bottom: nw.Expr) -> nw.Expr:
    """``top`` by ``bottom``; null where that is not above 0. Sail divides whole numbers alone."""
    return top * nw.when(bottom > 0).then(bottom).cast(nw.Float64) ** -1.0


def favourite(rows: Frame, of: str, points: str, name: str) -> Frame:
    """By customer the value of ``of`` with most points; of two with as many, the later by letter.

    Points and value are packed into one text whose greatest is wanted: engines differ in arg-max.
    """
    most = rows.filter(~nw.col(of).is_null()).group_by("customer_id", of).agg(nw.col(points).sum())
    packed = nw.concat_str((nw.col(points).cast(nw.Int64) + 10**9).cast(nw.String), nw.col(of))
    best = (
        most.select("customer_id", packed=packed)
        .group_by("customer_id")
        .agg(nw.col("packed").max())
    )
    return best.select("customer_id", nw.col("packed").str.slice(10).alias(name))


def joined(frames: Iterable[Frame]) -> Frame:
    """The first frame with the columns of the others, to the left, by customer."""
    whole, *rest = frames
    for frame in rest:
        whole = whole.join(frame, on="customer_id", how="left")
    return whole


def side_by_side(frames: Iterable[Frame]) -> Frame:
    """As :func:`joined`, of frames in memory about one customer: a row each at most, so none is matched."""
    first, *rest = (frame.collect().to_arrow() for frame in frames)
    columns = {name: first[name] for name in first.column_names}
    for table in rest:
        there = table.num_rows == first.num_rows
        for name in table.column_names[1:]:
            column = table[name]
            columns[name] = column if there else pa.nulls(first.num_rows, column.type)
    return cast("Frame", nw.from_native(pa.table(columns)).lazy())


@lru_cache(maxsize=16)
def _offsets(zone: tzinfo, until: date) -> tuple[tuple[int, int], ...]:
    """From when (milliseconds) the shop's clock was how far (milliseconds) ahead of UTC."""
    at = datetime(until.year - _YEARS, 1, 1, tzinfo=UTC)
    end = datetime(until.year, until.month, until.day, tzinfo=UTC) + timedelta(days=2)
    found = [(int(at.timestamp() * 1000), _offset(zone, at))]
    while at < end:
        following = at + timedelta(days=1)
        if _offset(zone, following) != found[-1][1]:
            while _offset(zone, at) == found[-1][1]:
                at += timedelta(hours=1)
            found.append((int(at.timestamp() * 1000), _offset(zone, at)))
        at = following
    return tuple(found)


def _offset(zone: tzinfo, at: datetime) -> int:
    told = at.astimezone(zone).utcoffset()
    return int(told.total_seconds() * 1000) if told is not None else 0
