from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

import pyarrow as pa
import pytest

from shopkeeper.core.schema import READINGS, TEXTS
from shopkeeper.insight.operations import hot
from shopkeeper.insight.rising import Spoken
from shopkeeper.insight.types import HotTopic
from shopkeeper.shop import Shop
from shopkeeper.warehouse.arrow import arrow_schema

FIRST, LAST = date(2026, 1, 5), date(2026, 4, 5)
USUAL = (
    "cotton",
    "fabric",
    "stitching",
    "seam",
    "sleeve",
    "collar",
    "washing",
    "shrink",
    "zipper",
    "lining",
    "flavour",
    "sweet",
    "bitter",
    "aroma",
    "roast",
    "caramel",
    "smooth",
    "battery",
    "charger",
    "cable",
    "socket",
    "adapter",
)


def text(number: int, body: str, day: date, customer: str | None) -> dict[str, Any]:
    return {
        "text_id": f"t{number}",
        "kind": "review",
        "author_role": "customer",
        "customer_id": customer,
        "time": datetime(day.year, day.month, day.day, 4, tzinfo=UTC),
        "day": day,
        "item_id": "SKU-1",
        "body": body,
        "source": "test",
    }


def usual(seed: int = 1) -> list[dict[str, Any]]:
    """Ten people a day from January to April, who write of anything."""
    chance = Random(seed)
    days = [FIRST + timedelta(days=n) for n in range((LAST - FIRST).days + 1)]
    return [
        text(10 * n + k, " ".join(chance.sample(USUAL, 3)), day, f"c{chance.randrange(400)}")
        for n, day in enumerate(days)
        for k in range(10)
    ]


def write(shop: Shop, rows: Sequence[dict[str, Any]]) -> None:
    with shop.writer("test") as writer:
        table = pa.Table.from_pylist(list(rows), schema=arrow_schema(TEXTS))
        writer.load("texts", table, check_duplicates=False)


def read(shop: Shop, rows: Sequence[dict[str, Any]], label: str, value: float) -> None:
    told = {"position": 0, "answered_by": "test", "model_version": "1", "time": datetime.now(UTC)}
    given = [
        {
            "text_id": r["text_id"],
            "day": r["day"],
            "task": "aspects",
            "label": label,
            "value": value,
            **told,
        }
        for r in rows
    ]
    with shop.writer("test") as writer:
        writer.load("readings", pa.Table.from_pylist(given, schema=arrow_schema(READINGS)))


def rising(
    body: str, number: int, *, start: int = 90_000, same: bool = False
) -> list[dict[str, Any]]:
    chance = Random(number)
    return [
        text(
            start + n,
            f"{body} {chance.choice(USUAL)} {chance.choice(USUAL)}" if not same else body,
            LAST - timedelta(days=n % 6),
            "one" if same else f"angry{n}",
        )
        for n in range(number)
    ]


def only(topics: Sequence[HotTopic]) -> HotTopic:
    assert len(topics) == 1
    return topics[0]


def test_a_rising_topic_stands_alone_with_its_words_and_quotes(shop: Shop) -> None:
    write(shop, [*usual(), *rising("courier lost the parcel,", 16)])
    found = hot(shop)
    topic = only(found.topics)
    assert found.day == LAST
    assert {"courier", "lost", "parcel"} <= set(topic.words)
    assert topic.people == 16
    assert topic.expected == 0
    assert len({q.text_id for q in topic.quotes}) == 3
    assert all("courier lost the parcel" in q.text for q in topic.quotes)
    assert topic.p_value < found.false_alarms_per_quarter / 91


def test_nothing_rises_where_nothing_happened(shop: Shop) -> None:
    write(shop, usual(2))
    found = hot(shop)
    assert (found.topics, found.cannot_say) == ((), None)
    assert found.tested > 5
    assert hot(shop, day=LAST - timedelta(days=10)).topics == ()


def test_one_customers_thousand_copies_are_no_topic(shop: Shop) -> None:
    spam = rising("casino jackpot bonus", 1000, same=True)
    anonymous = [{**r, "customer_id": None, "text_id": f"x{r['text_id']}"} for r in spam]
    varied = [
        {**r, "text_id": f"y{n}", "body": f"casino jackpot {USUAL[n % 20]} {n}"}
        for n, r in enumerate(spam[:200])
    ]
    write(shop, [*usual(), *spam, *anonymous, *varied])
    assert hot(shop).topics == ()


def test_a_judged_aspect_rises_where_no_word_does(shop: Shop) -> None:
    rows = usual(3)
    chance = Random(4)
    late = [r for r in rows if r["day"] > LAST - timedelta(days=7) and chance.random() < 0.35]
    before = [r for r in rows if r["day"] <= LAST - timedelta(days=7) and chance.random() < 0.03]
    write(shop, rows)
    read(shop, [*late, *before], "delivery", -1.0)
    topic = only(hot(shop).topics)
    assert topic.labels[0].startswith("aspects delivery -")
    assert topic.times.kind == "estimate"
    assert topic.times.low > 1.5
    assert topic.quotes


@pytest.mark.parametrize("number", [0, 1, 10])
def test_too_few_texts_cannot_say(shop: Shop, number: int) -> None:
    if number:
        write(shop, usual()[:number])
    found = hot(shop)
    assert found.cannot_say is not None
    assert found.topics == ()


def test_a_person_counts_once_a_block_and_a_wording_too() -> None:
    day = LAST.toordinal()
    said = Spoken.of(
        [day, day, day, day - 7], ["a", "a", "b", "c"], ["w", "x", "w", "z"], [["late"]] * 4
    )
    assert said.holding(0).tolist() == [0, 1, 2, 3]
    spread = Spoken.of(
        [day - 7 * n for n in range(9) for _ in range(3)], ["a", "a", "b"] * 9, list("wxw") * 9,
        [["late"]] * 27,
    )  # fmt: skip
    alarms = spread.look(day, 1e9).alarms
    assert {(a.people, a.before) for a in alarms if a.days == 1} <= {(1, 8)}
