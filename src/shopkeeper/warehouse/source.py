"""What a query reads from: every table as a Narwhals frame, pinned to one version."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import reduce

import duckdb
import narwhals as nw
import pyarrow as pa

from shopkeeper.core.period import Days
from shopkeeper.core.schema import DAILY, EVENTS, TABLES, TEXTS, Table
from shopkeeper.warehouse.arrow import arrow_schema
from shopkeeper.warehouse.delta import Delta, Snapshot
from shopkeeper.warehouse.rollup import daily

Relation = duckdb.DuckDBPyRelation
Frame = nw.LazyFrame[Relation]
Tail = Callable[[int], pa.Table]
"""Given the position up to which the log was moved, the events accepted since."""

_ROLLUP = [column.name for column in DAILY if column.name != "stamp"]


@dataclass(frozen=True)
class Source:
    """The tables as one query sees them.

    Every frame has the columns of ``core.schema``. Events, texts and the rollup also have
    ``customer_id`` with identities applied, and ``time_ms`` (milliseconds since 1970, UTC), because
    engines differ in arithmetic on durations.
    """

    connection: duckdb.DuckDBPyConnection
    tables: dict[str, Delta]
    now: datetime
    tail: Tail | None = None

    def events(self, days: Days | None = None) -> Frame:
        """Events of these local days; ``customer_id`` is null where nobody is known."""
        return self._identified(_with_ms(self._events(days)))

    def daily(self, days: Days | None = None) -> Frame:
        """The daily rollup; days not rolled up yet are computed from their events, so it is right."""
        events, rolled = self.tables["events"].snapshot(), self.tables["daily"].snapshot()
        tail = self._tail(events)
        current = events.stamps() if events else {}
        touched = set(tail.column("day").to_pylist()) if tail is not None else set()
        wanted = {day for day in {*current, *touched} if days is None or day in days}
        marks = rolled.marks() if rolled else {}
        fresh = {day for day in wanted if marks.get(day) == current.get(day)} - touched
        parts = [self._files(DAILY, rolled, fresh).select(*_ROLLUP)]
        if stale := wanted - fresh:
            raw = self._files(EVENTS, events, stale)
            if tail is not None:
                raw = raw.union(self._within(tail, days))
            parts.append(daily(raw).select(*_ROLLUP))
        return self._identified(reduce(Relation.union, parts))

    def texts(self, days: Days | None = None) -> Frame:
        """Reviews, chats and posts of these local days."""
        snapshot = self.tables["texts"].snapshot()
        return nw.from_native(_with_ms(self._files(TEXTS, snapshot, _chosen(snapshot, days))))

    def traits(self) -> Frame:
        """Traits in long form, as they were told."""
        return self._whole("traits")

    def identities(self) -> Frame:
        """Which customer each ``user_id`` or ``anonymous_id`` stands for."""
        return self._whole("identities")

    def items(self, as_of: datetime | None = None) -> Frame:
        """Items as they were known at ``as_of`` (default: now)."""
        return self._valid("items", as_of)

    def facts(self, as_of: datetime | None = None) -> Frame:
        """What was known to be true of items at ``as_of`` (default: now)."""
        return self._valid("facts", as_of)

    def customers(self, as_of: datetime | None = None) -> Frame:
        """Customers as they were known at ``as_of`` (default: now)."""
        return self._valid("customers", as_of)

    def arrow(self, table: pa.Table) -> Frame:
        """A small table of the caller's as a frame of the same engine, to join with."""
        return nw.from_native(self.connection.from_arrow(table))

    def _events(self, days: Days | None) -> Relation:
        snapshot = self.tables["events"].snapshot()
        stored = self._files(EVENTS, snapshot, _chosen(snapshot, days))
        tail = self._tail(snapshot)
        return stored if tail is None else stored.union(self._within(tail, days))

    def _tail(self, snapshot: Snapshot | None) -> pa.Table | None:
        if self.tail is None:
            return None
        tail = self.tail(snapshot.cursor if snapshot else 0)
        return tail if tail.num_rows else None

    def _within(self, tail: pa.Table, days: Days | None) -> Relation:
        relation = self.connection.from_arrow(tail)
        if days is None:
            return relation
        return relation.filter(f"day BETWEEN DATE '{days.start}' AND DATE '{days.end}'")

    def _files(
        self, table: Table, snapshot: Snapshot | None, days: Iterable[date] | None
    ) -> Relation:
        uris = snapshot.uris(days) if snapshot else []
        if not uris:
            return self.connection.from_arrow(arrow_schema(table).empty_table())
        relation = self.connection.read_parquet(uris, hive_partitioning=table.partition is not None)
        return relation.select(*table.names)

    def _whole(self, name: str) -> Frame:
        frame: Frame = nw.from_native(self._files(TABLES[name], self.tables[name].snapshot(), None))
        return frame

    def _valid(self, name: str, as_of: datetime | None) -> Frame:
        moment = nw.lit(as_of or self.now)
        frame = self._whole(name)
        if as_of is None:
            return frame.filter(nw.col("valid_to").is_null())
        return frame.filter(
            nw.col("valid_from") <= moment,
            nw.col("valid_to").is_null() | (nw.col("valid_to") > moment),
        )

    def _identified(self, relation: Relation) -> Frame:
        """The rows with the customer that each sent id stands for now.

        In SQL, because every step of a frame is bound anew by the engine, and each query takes this.
        """
        snapshot = self.tables["identities"].snapshot()
        if snapshot is None or not sum(file.rows for file in snapshot.files):
            return nw.from_native(relation.project(f"*, {_SENT} AS customer_id"))
        known = self._files(TABLES["identities"], snapshot, None).set_alias("known")
        visitors = known.set_alias("visitor")
        return nw.from_native(
            relation.set_alias("sent")
            .join(known, "sent.user_id = known.sent_id", how="left")
            .join(visitors, "sent.anonymous_id = visitor.sent_id", how="left")
            .project(
                "sent.*, coalesce(known.customer_id, sent.user_id, visitor.customer_id, "
                "sent.anonymous_id) AS customer_id"
            )
        )


_SENT = "coalesce(user_id, anonymous_id)"


def _with_ms(relation: Relation) -> Relation:
    return relation.project("*, epoch_ms(time) AS time_ms")


def _chosen(snapshot: Snapshot | None, days: Days | None) -> Sequence[date] | None:
    if days is None or snapshot is None:
        return None
    return [file.day for file in snapshot.files if file.day is not None and file.day in days]
