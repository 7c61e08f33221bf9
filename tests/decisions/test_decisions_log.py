"""The log of decisions: durable, each once, moved to the table, erased with the customer."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import orjson
import pytest
from tests.stall import START, sales, stock

from shopkeeper.core.errors import BadInput
from shopkeeper.core.subject import Held, Subject
from shopkeeper.decisions.log import Choice, Decision, record
from shopkeeper.shop import Shop
from shopkeeper.warehouse import erase as tables
from shopkeeper.warehouse import whose


def _decision(number: int, customer: str = "c1") -> Decision:
    return Decision(
        decision_id=f"d{number:04}",
        time=START,
        customer_id=customer,
        kind="recommend",
        choices=(
            Choice("tea", 0.9, {"tea": 0.9, "cup": 0.1}),
            Choice("cup", 0.25, {"cup": 0.25, "nut": 0.75}),
        ),
        policy="v1/rules-2",
        rules=("two a brand",),
        context={"page": "home"},
        personalised=True,
    )


def _rows(shop: Shop) -> list[dict[str, object]]:
    with shop.writer("test") as writer:
        writer.drain()
    found = shop.query(lambda source: source.decisions())
    found = found.sort_by([("decision_id", "ascending"), ("position", "ascending")])
    return found.to_pylist(maps_as_pydicts="strict")  # type: ignore[no-any-return]


def test_a_decision_comes_to_the_table_place_by_place(shop: Shop) -> None:
    record(shop, [_decision(1)])
    first, second = _rows(shop)
    assert (first["decision_id"], first["position"], second["position"]) == ("d0001", 0, 1)
    assert (first["chosen"], first["propensity"], first["policy"]) == ("tea", 0.9, "v1/rules-2")
    assert first["candidates"] == {"tea": "0.9", "cup": "0.1"}
    assert orjson.loads(str(first["rules"])) == ["two a brand"]
    assert first["context"] == {"page": "home"}
    assert first["time"] == START
    assert str(first["day"]) == "2024-03-01"
    assert first["personalised"] is True


def test_a_decision_that_is_recorded_twice_counts_once(shop: Shop) -> None:
    record(shop, [_decision(1)])
    record(shop, [_decision(1), _decision(2)])
    assert [row["decision_id"] for row in _rows(shop)] == ["d0001", "d0001", "d0002", "d0002"]
    record(shop, [_decision(2)])
    assert len(_rows(shop)) == 4


def test_many_threads_record_at_once_and_none_is_lost(shop: Shop) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: record(shop, [_decision(n)]), range(80)))
    assert len({row["decision_id"] for row in _rows(shop)}) == 80


def test_who_waits_with_a_bad_decision_is_told_and_the_log_goes_on(shop: Shop) -> None:
    with pytest.raises(BadInput, match="characters"):
        record(shop, [_decision(1, customer="x" * 300)])
    record(shop, [_decision(2)])
    assert len(_rows(shop)) == 2


def test_events_that_wait_are_read_live_beside_decisions(shop: Shop) -> None:
    stock(shop, sales([(0, "c1", "tea", 5.0)]))
    record(shop, [_decision(1)])
    events = shop.query(lambda source: source.events(), live=["c1"])
    assert events["name"].to_pylist() == ["purchase"]


def test_a_customers_decisions_are_exported_and_erased_with_them(shop: Shop) -> None:
    record(shop, [_decision(1, "somebody-1"), _decision(2, "somebody-2")])
    assert len(_rows(shop)) == 4
    subject = Subject("somebody-1", "retained-0", (Held("somebody-1"),))
    told = whose.of(shop.warehouse, subject)["decisions"]
    assert [row["decision_id"] for row in told] == ["d0001", "d0001"]
    with shop.writer("test"):
        tables.erase(shop.warehouse, [subject], START)
    assert {row["customer_id"] for row in _rows(shop)} == {"somebody-2"}
