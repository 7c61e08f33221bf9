"""What a query reads from: every table as a Narwhals frame, pinned to one version."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import narwhals as nw
import pyarrow as pa

from shopkeeper.core.period import Days
from shopkeeper.warehouse.delta import Delta, Snapshot
from shopkeeper.warehouse.engines.base import Frame, Scan
from shopkeeper.warehouse.identity import Moment
from shopkeeper.warehouse.people import STORE, Links, People
from shopkeeper.warehouse.rollup import COLUMNS, KEYS, mark

__all__ = ["Frame", "Source", "Tail"]

Tail = Callable[[int], pa.Table]
"""Given the position up to which the log was moved, the events accepted since."""


@dataclass(frozen=True)
class Source:
    """The tables as one query sees them, whichever engine runs it.

    Every frame has the columns of ``core.schema``. Events, texts and the rollup also have
    ``customer_id`` with identities applied, and ``time_ms`` (milliseconds since 1970, UTC), because
    engines differ in arithmetic on durations.
    """

    scan: Scan[Any]
    tables: dict[str, Delta]
    now: datetime
    tail: Tail | None = None
    people: People | None = None
    _pinned: dict[str, Snapshot | None] = field(default_factory=dict)
    _known: dict[str, Any] = field(default_factory=dict)

    def events(self, days: Days | None = None) -> Frame:
        """Events of these local days; ``customer_id`` is null where nobody is known."""
        snapshot = self._snapshot("events")
        rows = self.scan.stored(self.tables["events"], snapshot, _chosen(snapshot, days))
        if (tail := self._tail()) is not None:
            rows = self.scan.union(rows, self._within(tail, days))
        return self._identified(self.scan.with_ms(rows))

    def daily(self, days: Days | None = None) -> Frame:
        """The daily rollup; days not rolled up yet are computed from their events, so it is right."""
        events, rolled = self._snapshot("events"), self._snapshot("daily")
        tail = self._tail()
        current = events.stamps() if events else {}
        touched = set(tail.column("day").to_pylist()) if tail is not None else set()
        wanted = {day for day in {*current, *touched} if days is None or day in days}
        marks = rolled.marks() if rolled else {}
        known = {day: mark(stamp) for day, stamp in current.items()}
        fresh = {day for day in wanted if marks.get(day) == known.get(day)} - touched
        rows = self.scan.select(self.scan.stored(self.tables["daily"], rolled, fresh), COLUMNS)
        if stale := wanted - fresh:
            raw = self.scan.stored(self.tables["events"], events, stale)
            if tail is not None:
                raw = self.scan.union(raw, self._within(tail, days))
            rows = self.scan.union(rows, self.scan.select(self.scan.rolled_up(raw), COLUMNS))
        return self._of_customers(rows, events, tail, wanted)

    def texts(self, days: Days | None = None) -> Frame:
        """Reviews, chats and posts of these local days."""
        snapshot = self._snapshot("texts")
        rows = self.scan.stored(self.tables["texts"], snapshot, _chosen(snapshot, days))
        hidden = self.people.hidden_ids() if self.people else ()
        return _without(_frame(self.scan.with_ms(rows)), hidden)

    def readings(self, days: Days | None = None) -> Frame:
        """What was read in the texts of these local days, of every task and model version."""
        snapshot = self._snapshot("readings")
        days_chosen = _chosen(snapshot, days)
        return _frame(self.scan.stored(self.tables["readings"], snapshot, days_chosen))

    def traits(self) -> Frame:
        """Traits in long form, as they were told."""
        hidden = self.people.hidden_ids() if self.people else ()
        frame = self._whole("traits")
        return frame.filter(~nw.col("customer_id").is_in(hidden)) if hidden else frame

    def memberships(self) -> Frame:
        """Who is or was in which segment, since when and until when; a row for each time in it."""
        hidden = self.people.hidden_ids() if self.people else ()
        frame = self._whole("memberships")
        frame = frame.filter(~nw.col("customer_id").is_in(hidden)) if hidden else frame
        ended = nw.col("valid_to").max()
        return frame.group_by("customer_id", "segment", "version", "valid_from", "reasons").agg(
            ended
        )

    def scores(self) -> Frame:
        """What models say of customers, by the last run and the one before (whose rows have ended)."""
        hidden = self.people.hidden_ids() if self.people else ()
        frame = self._whole("scores")
        return frame.filter(~nw.col("customer_id").is_in(hidden)) if hidden else frame

    def decisions(self, days: Days | None = None) -> Frame:
        """What was chosen for customers on these local days: a row for each place of each choice."""
        snapshot = self._snapshot("decisions")
        chosen = _chosen(snapshot, days)
        rows = self.scan.with_ms(self.scan.stored(self.tables["decisions"], snapshot, chosen))
        return _without(_frame(rows), self.people.hidden_ids() if self.people else ())

    def identities(self) -> Frame:
        """Which customer each ``user_id`` or ``anonymous_id`` stands for now."""
        return self._whole("identities")

    def handovers(self) -> Frame:
        """For whom an id stood, and when, where it stood for several customers."""
        return self._whole("handovers")

    def items(self, as_of: datetime | None = None) -> Frame:
        """Items as they were known at ``as_of`` (default: now)."""
        return self._valid("items", as_of)

    def facts(self, as_of: datetime | None = None) -> Frame:
        """What was known to be true of items at ``as_of`` (default: now)."""
        return self._valid("facts", as_of)

    def customers(self, as_of: datetime | None = None) -> Frame:
        """Customers as they were known at ``as_of`` (default: now)."""
        hidden = self.people.hidden_ids() if self.people else ()
        frame = self._valid("customers", as_of)
        return frame.filter(~nw.col("customer_id").is_in(hidden)) if hidden else frame

    def arrow(self, table: pa.Table) -> Frame:
        """A small table of the caller's as a frame of the same engine, to join with."""
        return _frame(self.scan.given(table))

    def _snapshot(self, name: str) -> Snapshot | None:
        """The newest version when this query first asked for it; the same ever after."""
        if name not in self._pinned:
            self._pinned[name] = self.tables[name].snapshot()
        return self._pinned[name]

    def _tail(self) -> pa.Table | None:
        if self.tail is None:
            return None
        snapshot = self._snapshot("events")
        tail = self.tail(snapshot.cursor if snapshot else 0)
        return tail if tail.num_rows else None

    def _within(self, tail: pa.Table, days: Days | None) -> Any:
        rows = self.scan.given(tail)
        return rows if days is None else self.scan.between(rows, days)

    def _whole(self, name: str) -> Frame:
        return _frame(self.scan.stored(self.tables[name], self._snapshot(name), None))

    def _valid(self, name: str, as_of: datetime | None) -> Frame:
        moment = nw.lit(as_of or self.now)
        frame = self._whole(name)
        if as_of is None:
            return frame.filter(nw.col("valid_to").is_null())
        return frame.filter(
            nw.col("valid_from") <= moment,
            nw.col("valid_to").is_null() | (nw.col("valid_to") > moment),
        )

    def _identified(self, rows: Any, moment: Moment = "time") -> Frame:
        """The rows with the customer that each sent id stands for; null where it is restricted."""
        links = self._links()
        frame = _frame(self.scan.identified(rows, links["identities"], links["handovers"], moment))
        return _without(frame, self.people.hidden() if self.people else ())

    def _of_customers(
        self, rows: Any, events: Snapshot | None, tail: pa.Table | None, wanted: Collection[date]
    ) -> Frame:
        """The rollup by customer: where an id changed hands on a day, that day is cut in two."""
        handovers = self._links()["handovers"]
        if handovers is None:
            return self._identified(rows)
        changes = _frame(handovers).filter(~nw.col("starts_on").is_null())
        changes = changes.select(
            nw.col("sent_id").alias("changed_id"), nw.col("starts_on").alias("changed_on")
        ).unique()
        by: dict[str, Any] = {
            "left_on": ["sent_id", "day"], "right_on": ["changed_id", "changed_on"]
        }  # fmt: skip
        sent = nw.coalesce("user_id", "anonymous_id").alias("sent_id")
        rest = _frame(rows).with_columns(sent).join(changes, how="anti", **by).drop("sent_id")
        whole = self._identified(rest.to_native(), "day")
        raw = self.scan.stored(self.tables["events"], events, wanted)
        if tail is not None:
            raw = self.scan.union(raw, self.scan.given(tail))
        cut = _frame(raw).with_columns(sent).join(changes, how="semi", **by).drop("sent_id")
        if tail is not None:
            cut = cut.filter(nw.col("day").is_in(list(wanted)))
        parts = self.scan.rolled_up(
            self._identified(cut.to_native()).to_native(), (*KEYS, "customer_id")
        )
        columns = (*COLUMNS, "customer_id")
        return _frame(
            self.scan.union(
                self.scan.select(whole.to_native(), columns), self.scan.select(parts, columns)
            )
        )

    def _links(self) -> dict[str, Any]:
        """Identities and handovers as rows of the engine; None where there are none."""
        if "identities" not in self._known:
            position = self.tables["identities"].position(STORE) if self.people else 0
            names = ("handovers", "identities")
            stored = {name: self._stored_links(name) for name in names}
            newer = self.people.newer(position) if self.people else None
            for name in names:
                self._known[name] = self._with_newer(name, stored[name], newer)
        return self._known

    def _stored_links(self, name: str) -> Any | None:
        snapshot = self._snapshot(name)
        if snapshot is None or not any(file.rows for file in snapshot.files):
            return None
        return self.scan.stored(self.tables[name], snapshot, None)

    def _with_newer(self, name: str, stored: Any | None, newer: Links | None) -> Any | None:
        if newer is None:
            return stored
        rows = newer.rows[name]
        given = self.scan.given(rows) if rows.num_rows else None
        if stored is None or newer.about is None:
            return given
        rest = _frame(stored).filter(~nw.col("sent_id").is_in(newer.about)).to_native()
        return rest if given is None else self.scan.union(rest, given)


def _without(frame: Frame, hidden: Collection[str]) -> Frame:
    """The rows, their customer null where it is one of the hidden."""
    if not hidden:
        return frame
    customer = nw.col("customer_id")
    kept = nw.when(~customer.is_in(hidden)).then(customer)
    return frame.with_columns(kept.alias("customer_id"))


def _frame(rows: Any) -> Frame:
    frame: Frame = nw.from_native(rows)
    return frame


def _chosen(snapshot: Snapshot | None, days: Days | None) -> Collection[date] | None:
    if days is None or snapshot is None:
        return None
    return [file.day for file in snapshot.files if file.day is not None and file.day in days]
