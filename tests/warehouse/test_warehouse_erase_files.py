"""Files of events are rewritten without a customer: wherever the name stands, and nothing else changes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from shopkeeper.core.schema import EVENTS
from shopkeeper.core.subject import Held, Needles, Subject
from shopkeeper.shop import Shop
from shopkeeper.warehouse import erase, redacting
from shopkeeper.warehouse.arrow import arrow_schema
from shopkeeper.warehouse.find import Seen, found
from shopkeeper.warehouse.rewriting import clear

ANN = "customer-ann-4711"
SUBJECT = Subject(ANN, "retained-0", (Held(ANN),))
NOW = datetime(2026, 3, 10, 4, tzinfo=UTC)
KEEP = NOW - timedelta(days=365)
DAYS, A_DAY = 3, 40


def row(number: int, day: int, **more: Any) -> dict[str, Any]:
    moment = NOW - timedelta(days=day, seconds=number)
    return {
        "event_id": f"e{day}-{number}", "user_id": f"u{number % 7}", "name": "view_item", "time": moment,
        "received_at": moment, "day": moment.date(), "item_id": f"i{number % 5}", "source": "test",
        "properties": [("color", "red")] if number % 3 else None, **more,
    }  # fmt: skip


def load(shop: Shop, rows: list[dict[str, Any]]) -> None:
    with shop.writer("test") as writer:
        writer.load("events", pa.Table.from_pylist(rows, schema=arrow_schema(EVENTS)))


def events(shop: Shop) -> dict[str, dict[str, Any]]:
    columns = EVENTS.names
    rows = shop.query(lambda source: source.events().select(*columns)).to_pylist()
    return {row["event_id"]: row for row in rows}


def dictionaries(shop: Shop) -> set[str]:
    """Every text in the dictionaries of the files, whether a row refers to it or not."""
    found: set[str] = set()
    for path in Path(shop.warehouse.tables["events"].uri).rglob("day=*/*.parquet"):
        columns = [c.name for c in EVENTS if c.type == "string"]
        for column in pq.ParquetFile(path, read_dictionary=columns).read().columns:
            for chunk in column.chunks:
                if pa.types.is_dictionary(chunk.type):
                    found |= set(chunk.dictionary.to_pylist())
    return found


def planted(column: str, text: str) -> dict[str, Any]:
    if column == "map key":
        return {"properties": [("color", "red"), (text, "x")]}
    if column == "map value":
        return {"properties": [("color", "red"), ("note", text)]}
    return {column: text}


_INSIDE = f"seen by {ANN} twice"
_TEXTS = [c.name for c in EVENTS if c.type == "string" and c.name != "name"]
_PLACES = [(column, ANN) for column in (*_TEXTS, "map key", "map value")]
# An id that only holds another customer's id is somebody else's: it is left to them.
_PLACES += [(column, _INSIDE) for column, _ in _PLACES if column not in ("user_id", "anonymous_id")]


@pytest.mark.parametrize(("column", "text"), _PLACES)
def test_a_name_is_found_in_every_column_and_goes(shop: Shop, column: str, text: str) -> None:
    rows = [row(number, day) for day in range(DAYS) for number in range(A_DAY)]
    rows[A_DAY + 3] = {**rows[A_DAY + 3], **planted(column, text)}
    load(shop, rows)
    before, needles, seen = events(shop), Needles.of(SUBJECT), Seen()
    assert found(shop.warehouse, needles, seen)["tables/events: rows"] == 1
    done = {one.table: one for one in erase.erase(shop.warehouse, [SUBJECT], KEEP, seen)}
    theirs = column in ("user_id", "anonymous_id") and text == ANN
    mine = column == "user_id" and text == ANN
    assert (done["events"].removed, done["events"].cleaned) == ((1, 0) if mine else (0, 1))
    clear(shop.warehouse)
    assert found(shop.warehouse, needles, Seen()) == {}
    assert not any(ANN in text for text in dictionaries(shop))
    after = events(shop)
    others = {key: value for key, value in before.items() if ANN not in str(value)}
    assert {key: after[key] for key in others} == others
    assert len(after) == len(before) - mine
    changed = [value for key, value in after.items() if key not in others]
    assert ("[erased]" in str(changed)) == (
        not theirs and column not in ("event_id", "map key", "order_id")
    )


def test_rows_of_all_fates_in_many_files_and_nothing_else_changes(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redacting, "_ROWS_AT_ONCE", 50)  # several portions
    monkeypatch.setattr(redacting, "_PIECES", 4)  # both ways to put a file together
    rows = [row(n, day) for day in range(DAYS) for n in range(A_DAY)]
    for place in (0, 1, 17, 39, 40, 60):  # ends of files among them
        rows[place] = {**rows[place], "user_id": ANN}
    rows[17]["name"] = "purchase"
    rows[60]["query"] = f"about {ANN}"
    alone = [row(n, 9, user_id=ANN) for n in range(5)]  # a day of hers alone
    old = [row(n, 500, user_id=ANN, name="purchase") for n in range(2)]
    bobs = [row(n, 500) for n in range(100, 105)]
    load(shop, [*rows, *alone, *old, *bobs])
    load(shop, [row(n, 1) for n in range(200, 210)])  # a second file of a day
    before = events(shop)
    [done] = [one for one in erase.erase(shop.warehouse, [SUBJECT], KEEP) if one.table == "events"]
    assert (done.removed, done.kept, done.anonymised, done.cleaned) == (10, 1, 2, 0)
    after = events(shop)
    others = {key: value for key, value in before.items() if ANN not in str(value)}
    assert {key: after[key] for key in others} == others
    assert len(after) == len(others) + 3
    assert after[rows[17]["event_id"]]["user_id"] == "retained-0"
    assert {after[one["event_id"]]["user_id"] for one in old} == {None}


def test_rows_that_come_after_the_search_are_found_before_the_rewriting(shop: Shop) -> None:
    load(shop, [row(n, 1) for n in range(10)])
    seen = Seen()
    assert found(shop.warehouse, Needles.of(SUBJECT), seen) == {}
    load(shop, [row(n, 1, user_id=ANN) for n in range(50, 53)])
    [done] = [
        one for one in erase.erase(shop.warehouse, [SUBJECT], KEEP, seen) if one.table == "events"
    ]
    assert done.removed == 3
    assert len(events(shop)) == 10


def test_a_rewritten_file_reads_as_plain_columns_again(shop: Shop) -> None:
    load(shop, [row(n, 1, user_id=ANN if n == 3 else "bob") for n in range(50)])
    erase.erase(shop.warehouse, [SUBJECT], KEEP)
    clear(shop.warehouse)
    [path] = Path(shop.warehouse.tables["events"].uri).rglob("day=*/*.parquet")
    schema = arrow_schema(EVENTS)
    read = pq.ParquetFile(path).schema_arrow
    assert {name: read.field(name).type for name in read.names} == {
        name: schema.field(name).type for name in schema.names if name != "day"
    }


def test_a_file_or_a_day_that_was_theirs_alone_is_gone(shop: Shop) -> None:
    load(shop, [row(n, 1) for n in range(10)])
    load(shop, [row(n, 1, user_id=ANN) for n in range(50, 55)])  # a file of hers
    load(shop, [row(n, 2, user_id=ANN) for n in range(5)])  # a day of hers
    erase.erase(shop.warehouse, [SUBJECT], KEEP)
    snapshot = shop.warehouse.tables["events"].snapshot()
    assert snapshot is not None
    assert [file.rows for file in snapshot.files] == [10]
    assert len(events(shop)) == 10
