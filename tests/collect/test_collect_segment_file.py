from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import narwhals as nw
import pytest

from shopkeeper.collect import operations as collect
from shopkeeper.collect.accept import accept
from shopkeeper.core.errors import BadInput, TooLarge
from shopkeeper.core.operation import Actor
from shopkeeper.shop import Shop

KEY = Actor("key", "web", frozenset({"collect:*"}))


def order(number: int, **more: Any) -> dict[str, Any]:
    products = [{"product_id": "a", "name": "Tea", "price": 19}, {"product_id": "b", "price": 3}]
    return {"type": "track", "event": "Order Completed", "messageId": f"o{number}", "userId": "u1",
            "timestamp": f"2026-01-{number:02d}T12:00:00Z",
            "properties": {"order_id": f"O{number}", "products": products}} | more  # fmt: skip


def write(folder: Path, *calls: Any) -> str:
    path = folder / "calls.jsonl"
    path.write_text("\n".join(c if isinstance(c, str) else json.dumps(c) for c in calls), "utf-8")
    return str(path)


def events(shop: Shop, *, live: bool = False) -> list[dict[str, Any]]:
    build = lambda s: s.events().select("event_id", "customer_id", "value").sort("event_id")  # noqa: E731
    rows: list[dict[str, Any]] = shop.query(build, live=live).to_pylist()
    return rows


def test_a_file_of_calls_is_imported_once(shop: Shop, tmp_path: Path) -> None:
    identify = {"type": "identify", "userId": "u1", "anonymousId": "a1", "messageId": "i",
                "traits": {"plan": "gold"}, "timestamp": "2026-01-01T00:00:00Z"}  # fmt: skip
    view = {
        "type": "page",
        "anonymousId": "a1",
        "messageId": "p",
        "timestamp": "2026-01-01T00:00:00Z",
    }
    batch = {"batch": [order(3), order(4)]}
    path = write(
        tmp_path, order(1), order(2), order(1), identify, view, batch, "no json", {"type": "x"}
    )
    first = collect.import_file(shop, path, importer="segment")
    assert (first.rows_read, first.new, first.duplicate, first.refused) == (9, 6, 1, 2)
    assert first.loaded == {"traits": 1, "events": 9, "items": 2, "customers": 1}
    assert {(r.row, r.field) for r in collect.refused(shop, first.import_id).rows} == {
        (7, "(row)"), (8, "type"),
    }  # fmt: skip
    again = collect.import_file(shop, path, importer="segment")
    assert (again.new, again.duplicate, again.refused) == (0, 7, 2)
    assert again.loaded == {}
    found = events(shop)
    assert len(found) == 9
    assert {row["customer_id"] for row in found} == {"u1"}  # the page view is theirs by identify


def test_equal_calls_without_an_id_are_told_apart_by_number(shop: Shop, tmp_path: Path) -> None:
    call = {k: v for k, v in order(1).items() if k != "messageId"}
    path = write(tmp_path, call, call)
    assert collect.import_file(shop, path, importer="segment").new == 2
    assert collect.import_file(shop, path, importer="segment").new == 0
    assert len(events(shop)) == 4


def test_refused_calls_are_imported_with_corrected_values(shop: Shop, tmp_path: Path) -> None:
    path = write(tmp_path, order(1), order(2, timestamp="soon"))
    first = collect.import_file(shop, path, importer="segment")
    (row,) = collect.refused(shop, first.import_id).rows
    assert row.field == "timestamp"
    fixed = {row.number: {"timestamp": "2026-01-02T12:00:00Z"}}
    assert collect.retry(shop, first.import_id, values=fixed).new == 1
    assert not collect.refused(shop, first.import_id, waiting=True).rows


def test_a_dry_run_of_calls_writes_nothing(shop: Shop, tmp_path: Path) -> None:
    dry = collect.import_file(shop, write(tmp_path, order(1)), importer="segment", dry_run=True)
    assert (dry.new, len(events(shop)), collect.receipts(shop).receipts) == (1, 0, ())


def test_calls_need_no_mapping(shop: Shop, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no mapping"):
        collect.import_file(
            shop, write(tmp_path, order(1)), importer="segment", mapping="sequences"
        )


def test_accepted_calls_are_durable_and_once(shop: Shop) -> None:
    now = datetime(2026, 1, 5, tzinfo=UTC)
    body = {"batch": [order(1), order(1), order(2, userId=None)]}
    answer = accept(shop, body, actor=KEY, received_at=now)
    assert (answer.accepted, answer.new, answer.duplicate) == (2, 2, 2)
    assert [r.field for r in answer.refused] == ["batch[2].userId"]
    assert accept(shop, body, actor=KEY, received_at=now).new == 0
    assert [row["event_id"] for row in events(shop, live=True)] == ["o1/0", "o1/1"]
    with shop.writer("test") as writer:
        assert writer.drain() == 2
    assert sum(row["value"] for row in events(shop)) == 22.0


def test_an_accepted_identify_links_what_the_visitor_did(shop: Shop) -> None:
    now = datetime(2026, 1, 5, tzinfo=UTC)
    accept(shop, order(1, userId=None, anonymousId="a1"), actor=KEY, received_at=now)
    identify = {"userId": "u9", "anonymousId": "a1", "traits": {"plan": "gold"}}
    accept(shop, identify, actor=KEY, received_at=now, kind="identify")
    assert shop.people.customer_of("a1") == "u9"
    assert shop.people.get("u9").traits == {"plan": "gold"}
    with shop.writer("test") as writer:
        writer.drain()
        writer.snapshot()
    assert {row["customer_id"] for row in events(shop)} == {"u9"}
    traits = shop.query(lambda s: s.traits().select(nw.col("value")))
    assert traits["value"].to_pylist() == ["gold"]


def test_a_batch_beyond_its_limit_is_too_large(shop: Shop) -> None:
    with pytest.raises(TooLarge):
        accept(shop, {"batch": [order(1)] * 1001}, actor=KEY, received_at=datetime.now(UTC))
