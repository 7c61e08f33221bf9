"""Which elements of creatives go with clicks: found where planted, silent where there is nothing."""

from __future__ import annotations

from datetime import UTC, date, datetime
from random import Random

import pyarrow as pa
import pytest

from shopkeeper.core.schema import EVENTS, TEXTS
from shopkeeper.core.types import CannotSay, Estimate
from shopkeeper.insight import operations as insight
from shopkeeper.insight.creatives import Variant, compared, elements
from shopkeeper.shop.shop import Shop
from shopkeeper.warehouse.arrow import arrow_schema


@pytest.mark.parametrize(
    ("text", "has"),
    [
        ("限时5折！今天最后一天", {"number", "discount", "urgency", "exclamation"}),
        ("Why does your coffee taste bitter?", {"question", "you"}),
        ("免费试用 🎁", {"free", "emoji"}),
        ("Soft cotton", set()),
        ("", set()),
    ],
)
def test_elements_are_read_in_both_languages(text: str, has: set[str]) -> None:
    assert elements(text) == has


def _tests(lift: float, count: int = 60, seed: int = 1) -> list[Variant]:
    """Tests of their own click rates with a question in one of two variants."""
    chance, found = Random(seed), []
    for test in range(count):
        base = 0.005 + 0.03 * chance.random()
        for text, rate in (("Soft cotton shirt", base), ("Soft cotton shirt?", base * (1 + lift))):
            shown = chance.randint(2_000, 4_000)
            clicks = sum(chance.random() < rate for _ in range(shown))
            found.append(Variant(f"t{test}", text, shown, clicks))
    return found


def test_a_planted_effect_is_found_with_its_size_and_sign() -> None:
    reply = compared(_tests(0.5))
    question = next(one for one in reply.elements if one.element == "question")
    assert isinstance(question.effect, Estimate)
    assert question.tests == 60
    assert 0 < question.effect.low < question.effect.high
    assert 0.007 < question.effect.value < 0.013  # half of 0.02, the mean rate without
    assert isinstance(
        next(one for one in reply.elements if one.element == "emoji").effect, CannotSay
    )


def test_without_an_effect_the_interval_holds_nought() -> None:
    hits = 0
    for seed in range(12):
        reply = compared(_tests(0.0, count=25, seed=seed))
        effect = next(one for one in reply.elements if one.element == "question").effect
        assert isinstance(effect, Estimate)
        hits += effect.low <= 0 <= effect.high
    assert hits >= 10


def test_variants_of_different_tests_are_never_compared() -> None:
    alone = [
        Variant(f"t{n}", "Really?" if n % 2 else "Soft", 1000, 90 if n % 2 else 10)
        for n in range(40)
    ]
    reply = compared(alone)
    assert all(isinstance(one.effect, CannotSay) for one in reply.elements)
    assert reply.tests == 0


def test_impressions_and_clicks_of_the_shops_own_events_are_counted(shop: Shop) -> None:
    assert isinstance(insight.creatives(shop).cannot_say, CannotSay)
    noon, day = datetime(2025, 5, 1, 4, tzinfo=UTC), date(2025, 5, 1)
    texts, events = [], []
    for test in range(8):
        for name, clicks in (("Soft", 10 + test), ("Soft?", 30 + test)):
            text_id = f"{test}-{name}"
            texts.append(
                {"text_id": text_id, "kind": "creative", "thread_id": f"test{test}", "time": noon,
                 "day": day, "body": name, "source": "test"}
            )  # fmt: skip
            for event, many in (("ad_impression", 1000.0), ("ad_click", float(clicks))):
                events.append(
                    {"event_id": f"{text_id}{event}", "time": noon, "received_at": noon, "day": day,
                     "name": event,
                     "content_id": text_id, "quantity": many, "source": "test"}
                )  # fmt: skip
    with shop.writer("test") as writer:
        writer.load(TEXTS.name, pa.Table.from_pylist(texts, schema=arrow_schema(TEXTS)))
        writer.load(EVENTS.name, pa.Table.from_pylist(events, schema=arrow_schema(EVENTS)))
    reply = insight.creatives(shop)
    assert (reply.creatives, reply.tests, reply.impressions) == (16, 8, 16_000)
    question = next(one for one in reply.elements if one.element == "question")
    assert isinstance(question.effect, Estimate)
    assert question.effect.value == pytest.approx(0.02)
    assert question.rate == pytest.approx(0.0135)
