"""Lists that start from items or from the clock: relatives, complements, trends, what is due, what next."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.stall import START, Row, event, sales, stock

from shopkeeper.core.errors import NotFound
from shopkeeper.recommend.lists import CHANNEL, PURPOSE
from shopkeeper.recommend.operations import (
    buy_again,
    complements,
    next_action,
    rank,
    related,
    show,
    similar,
    trending,
)
from shopkeeper.shop import Shop

CATALOGUE: list[Row] = [
    {"item_id": "tea", "title": "Tea", "brand": "Leaf", "category": "Food > Tea", "price": 10.0},
    {"item_id": "tea2", "title": "Green tea", "brand": "Leaf", "category": "Food > Tea", "price": 11.0},
    {"item_id": "tea3", "title": "Old tea", "brand": "Leaf", "category": "Food > Tea", "price": 90.0},
    {"item_id": "nut", "title": "Nuts", "brand": "Leaf", "category": "Food > Nuts", "price": 10.0},
    {"item_id": "cup", "title": "Cup", "brand": "Clay", "category": "Home", "price": 10.0},
    {"item_id": "pot", "title": "Pot", "brand": "Clay", "category": "Home", "price": 10.0, "stock": 0.0},
]  # fmt: skip


def _orders(shop: Shop, *more: Row) -> Shop:
    rows, n = [], 0
    for c in range(12):
        for item in ("tea", "cup") if c % 2 else ("tea", "cup", "pot"):
            n += 1
            rows.append(
                event(
                    n,
                    c / 2,
                    "purchase",
                    f"c{c}",
                    item,
                    value=5.0,
                    price=5.0,
                    quantity=1.0,
                    order_id=f"o{c}",
                )
            )
    for c in range(4):
        for item in ("tea", "nut", "tea2", "tea3"):
            n += 1
            rows.append(event(n, c / 3, "view_item", f"v{c}", item))
    return stock(shop, [*rows, *more], CATALOGUE)


def test_a_cart_is_completed_by_what_was_in_the_same_orders(shop: Shop) -> None:
    reply = complements(_orders(shop), items=("tea",), k=5)
    assert [slot.item_id for slot in reply.slots] == ["cup"]  # the pot is sold out
    assert reply.slots[0].reasons[0].evidence == {"item_id": "tea", "orders": 12}
    assert "12" in complements(shop, items=("tea",), lang="zh").slots[0].reasons[0].text
    nothing = complements(shop, items=("nut",))
    assert nothing.slots == ()
    assert nothing.missing is not None
    with pytest.raises(NotFound, match="'tee'"):
        complements(shop, items=("tee",))


def test_what_is_similar_shares_brand_and_category_and_is_near_in_price(shop: Shop) -> None:
    reply = similar(_orders(shop), "tea", k=5)
    assert [slot.item_id for slot in reply.slots] == ["tea2", "tea3", "nut"]
    assert [slot.reasons[0].code for slot in reply.slots] == ["kind.brand"] * 3
    assert "Leaf" in reply.slots[0].reasons[0].text


def test_what_rises_beats_what_always_sells(shop: Shop) -> None:
    lines: list[tuple[float, str | None, str, float | None]] = []
    for day in range(35):
        lines += [(day, f"a{day}{n}", "tea", 5.0) for n in range(3)]
        lines += [(day, f"b{day}", "nut", 5.0)]
        if day >= 30:
            lines += [(day, f"d{day}{n}", "cup", 5.0) for n in range(2)]
    reply = trending(stock(shop, sales(lines), CATALOGUE), k=3)
    assert reply.slots[0].item_id == "cup"
    assert reply.slots[0].reasons[0].code == "trending.new"
    assert reply.slots[0].reasons[0].evidence == {"customers": 10, "days": 7, "before": 0}
    assert "tea" not in [slot.item_id for slot in reply.slots]


def _consumers(shop: Shop, *more: Row) -> Shop:
    """Twelve customers buy tea every ten days; c1 last on day 20."""
    lines: list[tuple[float, str | None, str, float | None]] = [
        (day + c / 10, f"c{c}", "tea", 5.0) for c in range(12) for day in (0, 10, 20)
    ]
    lines += [(21, f"c{c}", "cup", 5.0) for c in range(12)]
    lines += [(22, f"x{c}", "nut", 5.0) for c in range(3)]
    return stock(shop, [*sales(lines), *more], CATALOGUE)


def _at(shop: Shop, day: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shop, "now", lambda: START + timedelta(days=day))


def test_what_is_used_up_is_due_when_its_usual_time_has_passed(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    _consumers(shop)
    _at(shop, 25, monkeypatch)
    reply = buy_again(shop, "c1")
    [tea] = reply.items
    assert (tea.slot.item_id, str(tea.last), str(tea.due), tea.times) == (
        "tea",
        "2024-03-21",
        "2024-03-31",
        3,
    )
    assert tea.slot.reasons[0].evidence["days"] == pytest.approx(10)
    assert buy_again(shop, "stranger").missing is not None
    _at(shop, 60, monkeypatch)
    assert buy_again(shop, "c1").items == ()  # more than three times too late: it is over
    _at(shop, 25, monkeypatch)
    shop.catalogue.set_stock({"tea": 0})
    assert buy_again(shop, "c1").items == ()


def test_the_next_action_has_a_ground_or_is_none(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    _consumers(shop, event(900, 24, "add_to_cart", "c2", "nut"))
    _at(shop, 25, monkeypatch)
    remind = next_action(shop, "c2")
    assert (remind.action, remind.slots[0].item_id) == ("remind", "nut")
    assert remind.reasons[0].code == "cart.left"
    assert next_action(shop, "c1").action == "recommend"  # the tea is due in six days
    _at(shop, 29, monkeypatch)
    again = next_action(shop, "c1", lang="zh")
    assert (again.action, again.slots[0].item_id) == ("reorder", "tea")
    assert "10 天" in again.reasons[0].text
    assert next_action(shop, "stranger").reasons[0].code == "unknown"
    shop.consent.record("c1", PURPOSE, CHANNEL, "DENY", shop.now(), {"form": "account"})
    refused = next_action(shop, "c1")
    assert (refused.action, refused.slots) == ("nothing", ())
    assert buy_again(shop, "c1").missing is not None


def test_a_given_list_is_put_in_order_and_what_cannot_be_had_is_left_out(shop: Shop) -> None:
    reply = rank(_orders(shop), "c1", items=("pot", "nut", "tea2", "nobody"))
    told: list[Any] = [slot.item_id for slot in reply.slots]
    assert set(told) <= {"nut", "tea2"}
    assert told


def test_an_empty_shop_says_what_is_missing_whatever_is_asked(shop: Shop) -> None:
    assert trending(shop).missing is not None
    assert buy_again(shop, "a").missing is not None
    told = next_action(shop, "a")
    assert (told.action, told.reasons[0].code) == ("nothing", "nothing.left")
    assert show(shop, "a", k=3).slots == ()
    assert show(shop, "a").decision_id is None  # nothing was chosen, so nothing was recorded
    assert rank(shop, "a", items=("x",)).slots == ()
    for ask in (similar, related):
        with pytest.raises(NotFound, match="'x'"):
            ask(shop, "x")
    shop.catalogue.upsert_items(CATALOGUE)
    with shop.writer("test") as writer:
        writer.snapshot()
    assert similar(shop, "tea").slots == ()
    assert complements(shop, items=("tea",)).missing is not None
