"""The writer on a real log (SQLite) and real Delta tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import narwhals as nw
import orjson
import pyarrow as pa
import pytest

from shopkeeper.core.errors import BadInput
from shopkeeper.core.period import Days
from shopkeeper.core.schema import EVENTS
from shopkeeper.store.database import Database
from shopkeeper.store.log import Entry, IntakeLog
from shopkeeper.warehouse.arrow import from_rows
from shopkeeper.warehouse.warehouse import Warehouse
from shopkeeper.warehouse.writer import Loaded, Writer, decode

NOW = datetime(2024, 5, 10, 12, tzinfo=UTC)
MICRO = timedelta(microseconds=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class State:
    """The store's side of a snapshot; its revision grows whenever a test sets rows."""

    def __init__(self) -> None:
        self._rows: dict[str, list[Mapping[str, Any]]] = {}
        self._revision = 0

    def __setitem__(self, name: str, rows: list[Mapping[str, Any]]) -> None:
        self._rows[name] = rows
        self._revision += 1

    def rows(self, table: str) -> list[Mapping[str, Any]]:
        return self._rows.get(table, [])

    def revision(self, _table: str) -> int:
        return self._revision


class House:
    """A log, tables and a writer over them, reopened at will as after a crash."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.database = Database(f"sqlite:///{folder / 'log.sqlite'}")
        self.database.migrate()
        self.state = State()
        self.now = NOW
        self.reopen()

    def reopen(self) -> None:
        self.log = IntakeLog(self.database)
        self.warehouse = Warehouse(
            str(self.folder / "tables"), memory_mb=512, spill=self.folder / "spill"
        )
        self.writer = Writer(self.warehouse, self.log, self.state, now=lambda: self.now)

    def accept(self, *rows: dict[str, Any], table: Any = "events") -> None:
        self.log.append([[entry(row, table) for row in rows]])

    def ids(self, days: Days | None = None, *, live: bool = False) -> list[str]:
        def tail(after: int) -> pa.Table:
            return decode(
                [p for _, t, p in self.log.read(after, 10_000) if t == "events"], "events"
            )

        table = self.warehouse.query(
            lambda source: source.events(days).select("event_id"),
            now=self.now,
            tail=tail if live else None,
        )
        return sorted(table["event_id"].to_pylist())


def micros(moment: datetime) -> int:
    return (moment - EPOCH) // MICRO


def event(event_id: str, moment: datetime = NOW, **more: Any) -> dict[str, Any]:
    return {
        "event_id": event_id,
        "name": "view_item",
        "user_id": "u1",
        "time": micros(moment),
        "received_at": micros(NOW),
        "day": str(moment.date()),
        "source": "test",
        **more,
    }


def entry(row: dict[str, Any], table: Any) -> Entry:
    subject = row.get("user_id") or row.get("customer_id") or ""
    key = row.get("event_id") or row.get("text_id") or f"{row['customer_id']}/{row['name']}"
    return Entry(key, subject, row.get("anonymous_id") or "", NOW, table, orjson.dumps(row))


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path)
    yield made
    made.database.close()


def test_drained_events_are_in_the_tables_once_and_no_longer_in_the_tail(house: House) -> None:
    house.accept(
        event("a"), event("b", properties={"k": "v"}), event("c", user_id=None, anonymous_id="v9")
    )
    assert house.ids() == []
    assert house.ids(live=True) == ["a", "b", "c"]
    assert house.writer.drain() == 3
    assert house.writer.drain() == 0
    assert house.ids() == house.ids(live=True) == ["a", "b", "c"]
    house.accept(event("d"))
    assert house.ids(live=True) == ["a", "b", "c", "d"]


def test_texts_moved_before_a_crash_are_not_moved_again(house: House) -> None:
    text = {
        "text_id": "t1",
        "kind": "review",
        "body": "好",
        "time": micros(NOW),
        "day": "2024-05-10",
        "source": "x",
    }
    house.accept(event("a"))
    house.accept(text, table="texts")
    batch = house.log.read(0, 100)
    house.writer._move("texts", batch, batch[-1][0])  # a crash here: events have not been committed
    house.reopen()
    house.accept({**text, "text_id": "t2"}, table="texts")
    house.writer.drain()
    texts = house.warehouse.query(lambda s: s.texts().select("text_id"), now=NOW)
    assert sorted(texts["text_id"].to_pylist()) == ["t1", "t2"]
    assert house.ids() == ["a"]


def test_late_events_that_the_table_has_are_dropped_after_the_log_forgot_them(house: House) -> None:
    old = NOW - timedelta(days=30)
    house.accept(event("a", old))
    house.writer.drain()
    house.now = NOW + timedelta(days=9)
    house.accept(event("newest"))
    house.writer.drain()
    assert house.log.purge(house.writer.moved(), house.now) == 1
    house.accept(event("a", old), event("b", old))
    house.writer.drain()
    assert house.ids() == ["a", "b", "newest"]


def test_a_late_event_is_looked_for_in_its_day_and_beside_it_alone(house: House) -> None:
    """While old events stream in, a table of years is not read for each of them."""
    old = NOW - timedelta(days=30)
    house.accept(event("a", old), event("far", NOW - timedelta(days=90)))
    house.writer.drain()
    house.now = NOW + timedelta(days=9)
    house.accept(event("newest"))
    house.writer.drain()
    house.log.purge(house.writer.moved(), house.now)
    snapshot = house.warehouse.tables["events"].snapshot()
    assert snapshot is not None
    [far] = [file for file in snapshot.files if file.day == (NOW - timedelta(days=90)).date()]
    away = Path(far.uri).rename(house.folder / "away")
    house.accept(event("a", old + timedelta(days=1)))  # as a repair of its clock may have put it
    house.writer.drain()
    away.rename(far.uri)
    assert house.ids() == ["a", "far", "newest"]


def test_a_load_is_one_commit_and_safe_to_repeat(house: House) -> None:
    rows = [event(f"e{i}", NOW - timedelta(days=i % 7)) for i in range(1000)]
    table = from_rows(rows, EVENTS)
    before = house.warehouse.tables["events"].snapshot()
    assert before is None
    assert house.writer.load("events", table.to_batches(max_chunksize=100)) == Loaded(1000, 0)
    first = house.warehouse.tables["events"].snapshot()
    assert house.writer.load("events", table) == Loaded(0, 1000)
    grown = pa.concat_tables([table, from_rows([event("x"), event("x"), event("e5")], EVENTS)])
    assert house.writer.load("events", grown) == Loaded(1, 1002)
    assert first is not None
    assert len(house.ids()) == 1001


def test_a_load_that_fails_half_way_leaves_the_tables_as_they_were(house: House) -> None:
    house.writer.load("events", from_rows([event("kept")], EVENTS))

    def batches() -> Iterator[pa.RecordBatch]:
        yield from from_rows([event(f"e{i}") for i in range(10)], EVENTS).to_batches()
        yield from from_rows(
            [{**event("bad"), "name": None}],
            EVENTS.__class__(
                EVENTS.name,
                EVENTS.key,
                tuple(
                    c if c.name != "name" else type(c)(c.name, c.type, c.meaning)
                    for c in EVENTS.columns
                ),
                EVENTS.partition,
            ),
        ).to_batches()

    with pytest.raises(BadInput, match=r"events\.name is empty in 1 rows"):
        house.writer.load("events", batches())
    assert house.ids() == ["kept"]
    house.reopen()
    assert house.ids() == ["kept"]


def test_a_reader_that_misses_a_compacted_file_reads_again(house: House) -> None:
    for i in range(12):
        house.accept(event(f"e{i:02}"))
        house.writer.drain()
    reader = Warehouse(str(house.folder / "tables"), memory_mb=512, spill=house.folder / "spill2")
    assert reader.query(lambda s: s.events().select("event_id"), now=NOW).num_rows == 12
    stale = reader.tables["events"].snapshot()
    house.writer.maintain()
    for file in stale.files if stale else ():
        Path(file.uri).unlink()  # as a vacuum would, while the reader holds on to its list
    held = reader.tables["events"]
    real_refresh = held._refresh
    calls = {"n": 0}

    def once_stale() -> Any:
        calls["n"] += 1
        return held._opened if calls["n"] == 1 else real_refresh()

    held._refresh = once_stale  # type: ignore[method-assign]
    assert reader.query(lambda s: s.events().select("event_id"), now=NOW).num_rows == 12
    assert calls["n"] > 1


def test_compaction_keeps_every_row_and_the_position(house: House) -> None:
    for i in range(20):
        house.accept(event(f"e{i:02}"))
        house.writer.drain()
    position = house.writer.moved()
    house.writer.maintain(vacuum=True)
    snapshot = house.warehouse.tables["events"].snapshot()
    assert snapshot is not None
    assert len(snapshot.files) == 1
    assert house.writer.moved() == position
    assert house.ids() == [f"e{i:02}" for i in range(20)]


def test_the_rollup_equals_the_events_whether_it_is_fresh_or_not(house: House) -> None:
    def daily() -> list[tuple[Any, ...]]:
        frame = house.warehouse.query(
            lambda s: (
                s.daily()
                .group_by("day")
                .agg(
                    nw.col("events").sum(),
                    nw.col("orders").sum(),
                    nw.col("revenue").sum(),
                    nw.col("refunds").sum(),
                    nw.col("cost").sum(),
                )
                .sort("day")
            ),
            now=NOW,
        )
        return [tuple(row.values()) for row in frame.to_pylist()]

    d1, d2 = NOW - timedelta(days=1), NOW
    buy = {"name": "purchase", "quantity": 2.0, "price": 5.0, "value": 10.0}
    house.accept(
        event("a", d1),
        event("b", d1, order_id="o1", cost=4.0, **buy),
        event("c", d1, order_id="o1", **buy),
        event("d", d2, name="refund", value=3.0, order_id="o1"),
    )
    house.writer.drain()
    expected = [(date(2024, 5, 9), 3, 1, 20.0, 0.0, 4.0), (date(2024, 5, 10), 1, 0, 0.0, 3.0, 0.0)]
    assert daily() == expected
    house.writer.maintain()
    assert daily() == expected
    house.accept(event("e", d2, order_id="o2", user_id=None, **buy))
    house.writer.drain()
    expected[1] = (date(2024, 5, 10), 2, 1, 10.0, 3.0, 0.0)
    assert daily() == expected
    house.writer.maintain()
    assert daily() == expected


def test_identities_are_applied_when_read_and_can_be_undone(house: House) -> None:
    house.accept(
        event("a", user_id=None, anonymous_id="v1"),
        event("b", user_id="u1", anonymous_id="v1"),
        event("c", user_id="u2"),
        event("d", user_id=None, anonymous_id=None),
    )
    house.writer.drain()

    def customers() -> dict[str, str | None]:
        table = house.warehouse.query(
            lambda s: s.events().select("event_id", "customer_id"), now=NOW
        )
        return dict(
            zip(table["event_id"].to_pylist(), table["customer_id"].to_pylist(), strict=True)
        )

    assert customers() == {"a": "v1", "b": "u1", "c": "u2", "d": None}
    house.state["identities"] = [
        {"sent_id": "v1", "customer_id": "u1", "since": NOW, "by": "identify"}
    ]
    house.writer.snapshot()
    assert customers() == {"a": "u1", "b": "u1", "c": "u2", "d": None}
    house.state["identities"] = []
    house.writer.snapshot()
    assert customers() == {"a": "v1", "b": "u1", "c": "u2", "d": None}


def test_snapshots_answer_as_of_a_time(house: House) -> None:
    def price(moment: datetime | None) -> list[float]:
        table = house.warehouse.query(
            lambda s: s.items(moment).select("item_id", "price"), now=house.now
        )
        return sorted(table["price"].to_pylist())

    house.state["items"] = [
        {"item_id": "i1", "kind": "product", "price": 5.0},
        {"item_id": "i2", "kind": "product", "price": 7.0},
    ]
    assert house.writer.snapshot() == 2
    assert house.writer.snapshot() == 0
    house.now = NOW + timedelta(days=10)
    house.state["items"] = [{"item_id": "i1", "kind": "product", "price": 6.0}]
    assert house.writer.snapshot() == 3
    assert price(None) == [6.0]
    assert price(NOW + timedelta(days=1)) == [5.0, 7.0]
    assert price(NOW - timedelta(days=1)) == []


def test_a_span_and_days_bound_what_is_read(house: House) -> None:
    assert house.warehouse.span() is None
    assert house.ids() == []
    house.accept(*[event(f"e{i}", NOW - timedelta(days=i)) for i in range(5)])
    house.writer.drain()
    span = house.warehouse.span()
    assert span == Days(date(2024, 5, 6), date(2024, 5, 10))
    assert house.ids(Days(date(2024, 5, 7), date(2024, 5, 8))) == ["e2", "e3"]
    assert house.ids(Days(date(2023, 5, 7), date(2023, 5, 8))) == []
