"""Why customers leave at a step: planted complaints of those who left are found, with their words."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest

from shopkeeper.core.errors import BadInput
from shopkeeper.core.period import Period
from shopkeeper.core.schema import READINGS, TEXTS
from shopkeeper.core.types import CannotSay, Estimate
from shopkeeper.metrics import operations
from shopkeeper.metrics.drop_off import LEAST, WITHOUT_RESULT
from shopkeeper.warehouse.arrow import arrow_schema

ALL = Period("all")
STEPS = ("view_item", "add_to_cart", "purchase")
START = datetime(2024, 3, 1, 4, tzinfo=UTC)
Row = dict[str, Any]


def text(number: int, who: str, after: timedelta, body: str, **more: Any) -> Row:
    moment = START + after
    row: Row = dict.fromkeys(TEXTS.names)
    return row | {
        "text_id": f"t{number:04}", "kind": "review", "author_role": "customer", "customer_id": who,
        "time": moment, "day": moment.date(), "body": body, "source": "test",
    } | more  # fmt: skip


def reading(of: Row, task: str, label: str, version: int = 1, **more: Any) -> Row:
    row: Row = dict.fromkeys(READINGS.names)
    return row | {
        "text_id": of["text_id"], "day": of["day"], "task": task, "position": 0, "label": label,
        "confidence": 0.9, "answered_by": "test", "model_version": f"v{version}",
        "time": START + timedelta(days=60 + version),
    } | more  # fmt: skip


def fill(shop: Any, texts: list[Row], readings: list[Row]) -> None:
    with shop.writer("test") as writer:
        writer.load("texts", pa.Table.from_pylist(texts, schema=arrow_schema(TEXTS)))
        writer.load("readings", pa.Table.from_pylist(readings, schema=arrow_schema(READINGS)))


def planted(make_shop: Any, make_event: Callable[..., Row]) -> Any:
    """Sixty left at the cart and sixty bought; of those who left, half complain of the delivery."""
    rows: list[Row] = []
    texts: list[Row] = []
    readings: list[Row] = []
    for n in range(120):
        who, bought = f"c{n:03}", n >= 60
        moment = START + timedelta(minutes=n)
        rows.append(make_event(len(rows), moment, "view_item", user_id=who))
        later = moment + timedelta(minutes=5)
        rows.append(make_event(len(rows), later, "add_to_cart", user_id=who))
        if bought:
            rows.append(make_event(len(rows), later + timedelta(minutes=5), "purchase", user_id=who,
                                   value=10.0, quantity=1.0, order_id=f"o{n}"))  # fmt: skip
        elif n % 3 == 0:
            rows.append(make_event(len(rows), later + timedelta(hours=1), "search", user_id=who,
                                   properties={"results": "0"}))  # fmt: skip
        body = (
            f"Note {n}: the delivery would take three weeks to my town." if n % 2 else f"Fine {n}"
        )
        said = text(
            n, who, timedelta(days=2, minutes=n), body, kind="chat" if n % 5 == 0 else "review"
        )
        texts.append(said)
        if n % 2:
            value = -1.0 if not bought else 1.0
            readings.append(
                reading(said, "aspects", "delivery", value=value, span="delivery",
                        opinion="three weeks")
            )  # fmt: skip
        readings.append(reading(said, "sentiment", "neutral"))
    # A late text, one of a person who never came, the shop's own answer: none of them counts.
    late = text(900, "c001", timedelta(days=30), "The price was too high.")
    other = text(901, "stranger", timedelta(days=2), "The price was too high.")
    answer = text(902, "c003", timedelta(days=2), "The price is fair.", author_role="agent")
    for one in (late, other, answer):
        texts.append(one)
        readings.append(reading(one, "aspects", "price", value=-1.0))
    # What an older version said counts no more; a text that nobody read is counted as such.
    readings.append(reading(texts[0], "sentiment", "negative", version=0))
    texts.append(text(903, "c005", timedelta(days=3), "Not read yet."))
    rows.append(make_event(len(rows), START + timedelta(days=40), "search", user_id="c000"))
    # Two who came on the last day may still go on.
    for who in ("late-1", "late-2"):
        for name in STEPS[:2]:
            moment = START + timedelta(days=39)
            rows.append(make_event(len(rows), moment, name, user_id=who))
    shop = make_shop(rows)
    fill(shop, texts, readings)
    return shop


@pytest.fixture(scope="module")
def shop(make_shop: Any, make_event: Callable[..., Row]) -> Any:
    return planted(make_shop, make_event)


def test_the_planted_complaint_sets_those_who_left_apart(shop: Any) -> None:
    found = operations.drop_off(shop, step=1, since=ALL, steps=STEPS)
    assert (found.left, found.went_on, found.unsettled) == (60, 60, 2)
    assert (found.left_wrote, found.went_on_wrote) == (60, 60)
    assert found.unread == 1
    assert found.cannot_say is None
    by_name = {(one.kind, one.name): one for one in found.reasons}
    delivery = by_name["aspect", "delivery"]
    assert found.reasons[0] == delivery
    assert isinstance(delivery.left, Estimate)
    assert isinstance(delivery.went_on, Estimate)
    assert (delivery.left.value, delivery.went_on.value) == (0.5, 0.0)
    assert (delivery.customers, delivery.of) == (30, "wrote")
    assert delivery.beyond_chance
    assert len({quote.text_id for quote in delivery.quotes}) == 3
    assert all("three weeks" in quote.words for quote in delivery.quotes)
    assert all(quote.day == date(2024, 3, 3) for quote in delivery.quotes)
    search = by_name["behaviour", WITHOUT_RESULT]
    assert (search.customers, search.of, search.quotes) == (20, "all", ())
    assert search.beyond_chance
    chat = by_name["behaviour", "chat"]
    assert not chat.beyond_chance  # as many of those who went on asked in a chat
    assert ("aspect", "price") not in by_name
    assert not any(kind == "sentiment" for kind, _ in by_name)


def test_too_few_are_not_told_shares_of(shop: Any) -> None:
    found = operations.drop_off(shop, step=0, since=ALL, steps=STEPS)
    assert found.left < LEAST
    assert isinstance(found.cannot_say, CannotSay)
    assert found.reasons == ()
    assert str(LEAST) in found.cannot_say.needed


def test_nobody_leaves_after_the_last_step(shop: Any) -> None:
    with pytest.raises(BadInput) as refused:
        operations.drop_off(shop, step=2, since=ALL, steps=STEPS)
    assert refused.value.field == "step"


def test_one_who_went_on_for_every_who_left_is_compared_with_enough_only(
    make_shop: Any, make_event: Callable[..., Row]
) -> None:
    rows: list[Row] = []
    texts: list[Row] = []
    readings: list[Row] = []
    for n in range(30):
        moment = START + timedelta(minutes=n)
        rows.append(make_event(2 * n, moment, "view_item", user_id=f"c{n}"))
        if n < 3:
            rows.append(make_event(2 * n + 1, moment, "add_to_cart", user_id=f"c{n}"))
        said = text(n, f"c{n}", timedelta(days=1), "Too dear.")
        texts.append(said)
        readings.append(reading(said, "theme", "T1"))
    rows.append(make_event(99, START + timedelta(days=40), "search", user_id="c0"))
    shop = make_shop(rows)
    fill(shop, texts, readings)
    found = operations.drop_off(shop, step=0, since=ALL, steps=STEPS[:2])
    [theme] = found.reasons
    assert (theme.kind, theme.name, theme.customers) == ("theme", "T1", 27)
    assert isinstance(theme.left, Estimate)
    assert isinstance(theme.went_on, CannotSay)
    assert isinstance(theme.difference, CannotSay)
    assert not theme.beyond_chance
