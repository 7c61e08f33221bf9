from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pyarrow as pa

from shopkeeper.core.schema import READINGS, TEXTS
from shopkeeper.core.subject import Held, Subject
from shopkeeper.shop import Shop
from shopkeeper.warehouse import erase, rewriting, whose
from shopkeeper.warehouse.arrow import arrow_schema
from shopkeeper.warehouse.expire import without_text

NOW = datetime(2026, 3, 1, 4, tzinfo=UTC)
ANN = "customer-ann-4711"


def furnish(shop: Shop) -> None:
    texts = [
        {"text_id": f"{who}{n}", "kind": "review", "customer_id": who, "time": NOW, "day": NOW.date(),
         "body": f"by {who}", "source": "test"}
        for who in (ANN, "bob") for n in range(2)
    ]  # fmt: skip
    readings = [
        {"text_id": row["text_id"], "day": row["day"], "task": task, "position": 0, "label": "x",
         "span": f"said to {ANN}", "answered_by": "test", "model_version": "1", "time": NOW}
        for row in texts for task in ("theme", "aspects")
    ]  # fmt: skip
    with shop.writer("test") as writer:
        writer.load("texts", pa.Table.from_pylist(texts, schema=arrow_schema(TEXTS)))
        writer.load("readings", pa.Table.from_pylist(readings, schema=arrow_schema(READINGS)))


def test_erasing_a_customer_removes_the_readings_of_their_texts(shop: Shop) -> None:
    furnish(shop)
    subject = Subject(ANN, "erased-1", (Held(ANN),))
    mine = whose.of(shop.warehouse, subject)
    assert len(mine["readings"]) == 4
    keep = NOW - timedelta(days=365)
    planned = {r.table: r.removed for r in erase.rows(shop.warehouse, [subject], keep)}
    done = {r.table: r for r in erase.erase(shop.warehouse, [subject], keep)}
    assert planned["readings"] == done["readings"].removed == 4
    assert done["readings"].cleaned == 4
    left = shop.query(lambda s: s.readings()).to_pylist()
    assert {row["text_id"] for row in left} == {"bob0", "bob1"}
    assert all(ANN not in row["span"] for row in left)
    assert whose.of(shop.warehouse, subject)["readings"] == []


def test_readings_go_with_texts_that_are_removed(shop: Shop) -> None:
    furnish(shop)
    with shop.writer("test") as writer, writer.alone():
        assert rewriting.rewritten(shop.warehouse, "texts", "customer_id = 'bob'", {}) == 2
        assert without_text(shop.warehouse) == 4
    left = shop.query(lambda s: s.readings())["text_id"].to_pylist()
    assert set(left) == {f"{ANN}0", f"{ANN}1"}
