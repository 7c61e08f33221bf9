"""Rules for lists: what each does, who wins, how they are written, and what a draft would change."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter
from tests.stall import Row, event, sales, stock

from shopkeeper.core.errors import BadInput, Conflict, NotFound
from shopkeeper.core.subject import Held, Needles, Subject
from shopkeeper.core.types import CannotSay
from shopkeeper.recommend import erase
from shopkeeper.recommend.history import encode
from shopkeeper.recommend.operations import (
    discard_rules,
    draft_rules,
    items,
    popular,
    publish_rules,
    rules,
    undo_rules,
    what_if,
)
from shopkeeper.recommend.rules.arrange import Arranged, Draw, Pool, arrange
from shopkeeper.recommend.rules.conflicts import conflicts
from shopkeeper.recommend.rules.draws import draw
from shopkeeper.recommend.rules.grounds import Grounds, grounds
from shopkeeper.recommend.rules.language import Rule, Rules
from shopkeeper.recommend.rules.plan import Ask, Compiled, compile_rules
from shopkeeper.shop import Shop

NOW = datetime(2024, 4, 1, tzinfo=UTC)
READ: TypeAdapter[tuple[Rule, ...]] = TypeAdapter(Rules)

ITEMS: list[Row] = [
    {
        "item_id": f"i{n:02}",
        "kind": "product",
        "title": f"Item {n}",
        "brand": "ABCD"[n % 4],
        "category": ("Food > Tea", "Food > Nuts", "Home")[n % 3],
        "price": 10.0 + n,
        "stock": float(n),
        "attributes": {"style": f"s{n // 2}"},
        "available_from": NOW - timedelta(days=n),
    }
    for n in range(24)
]


def _grounds() -> Grounds:
    ids = pa.array([row["item_id"] for row in ITEMS])
    empty = encode(
        pa.table(
            {
                "who": pa.array([], pa.string()),
                "item_id": pa.array([], pa.string()),
                "time_ms": pa.array([], pa.int64()),
                "strength": pa.array([], pa.float64()),
            }
        )
    )
    return grounds(ids, {row["item_id"]: row for row in ITEMS}, empty, NOW)


def _compiled(*told: dict[str, Any], members: dict[str, frozenset[str]] | None = None) -> Compiled:
    named = [{"name": f"r{n}"} | rule for n, rule in enumerate(told)]
    offered = np.array([row["stock"] > 0 for row in ITEMS])
    return compile_rules(READ.validate_python(named), _grounds(), offered, members or {})


def _list(compiled: Compiled, k: int = 6, **more: Any) -> tuple[list[int], Arranged]:
    ask = Ask(more.get("page", ""), more.get("customer", "C1"), NOW)
    plan = compiled.plan(compiled.active(ask))
    allowed = np.flatnonzero(plan.allowed)
    allowed = allowed[np.argsort(allowed % more.get("together", 1), kind="stable")]
    value = 1.0 / np.arange(1, len(allowed) + 1)
    pool = Pool(allowed, value / value.sum())
    made = arrange(pool, plan, k, more.get("draw"), compiled.likeness)
    return [int(n) for n in pool.item[made.at]], made


def test_hide_only_stock_and_price_remove_and_say_how_many() -> None:
    compiled = _compiled(
        {"kind": "hide", "where": {"brands": ["A"]}},
        {"kind": "only", "where": {"categories": ["Food"]}},
        {"kind": "stock", "least": 5},
        {"kind": "hide", "where": {"price_from": 30, "price_to": 33}},
    )
    shown, _ = _list(compiled, 24)
    for n in range(24):
        kept = n % 4 and n % 3 != 2 and n >= 5 and not 20 <= n <= 23
        assert (n in shown) == bool(kept), n
    plan = compiled.plan(compiled.active(Ask("", None, NOW)))
    assert sum(count for _, count in plan.removed) == 23 - len(shown)
    assert plan.removed[0] == (0, 5)  # i04, i08 … i20: i00 is sold out and was not to be had anyway


def test_an_attribute_and_newness_can_be_asked_for() -> None:
    assert _list(_compiled({"kind": "only", "where": {"attributes": {"style": ["s3"]}}}))[0] == [
        6,
        7,
    ]
    assert _list(_compiled({"kind": "only", "where": {"new_days": 3}}))[0] == [1, 2, 3]


@pytest.mark.parametrize(
    ("scope", "page", "customer", "holds"),
    [
        ({"pages": ["home"]}, "home", "C1", True),
        ({"pages": ["home"]}, "cart", "C1", False),
        ({"customers": ["C1"]}, "", "C1", True),
        ({"customers": ["C2"]}, "", "C1", False),
        ({"customers": ["C1"]}, "", None, False),
        ({"segment": "S1"}, "", "C1", True),
        ({"segment": "S2"}, "", "C1", False),
        ({"valid_from": "2024-04-02T00:00:00Z"}, "", "C1", False),
        ({"valid_to": "2024-04-01T00:00:00Z"}, "", "C1", False),
        ({"valid_from": "2024-04-01T00:00:00Z"}, "", "C1", True),
    ],
)
def test_a_rule_holds_where_for_whom_and_when_it_says(
    scope: dict[str, Any], page: str, customer: str | None, holds: bool
) -> None:
    rule = {"kind": "hide", "where": {"brands": ["A"]}, "scope": scope}
    compiled = _compiled(rule, members={"S1": frozenset({"C1"}), "S2": frozenset({"C2"})})
    assert bool(compiled.active(Ask(page, customer, NOW))) == holds


def test_a_pin_stands_at_its_place_once_and_never_if_removed() -> None:
    pin = {"kind": "pin", "item_id": "i20", "place": 2}
    shown, made = _list(_compiled(pin))
    assert shown == [1, 20, 2, 3, 4, 5]
    assert made.places[1].rule == 0
    assert _list(_compiled(pin, {"kind": "hide", "where": {"items": ["i20"]}}))[0] == [
        1,
        2,
        3,
        4,
        5,
        6,
    ]


def test_a_limit_shows_one_variant_of_each_style() -> None:
    shown, made = _list(_compiled({"kind": "limit", "by": "style", "most": 1}), 6)
    assert shown == [1, 2, 4, 6, 8, 10]
    assert made.fired == {0}
    brands = Counter(
        n % 4 for n in _list(_compiled({"kind": "limit", "by": "brand", "most": 2}), 8)[0]
    )
    assert set(brands.values()) == {2}


def test_a_promotion_gets_its_share_of_all_places_to_within_a_few() -> None:
    compiled = _compiled(
        {"kind": "promote", "where": {"brands": ["D"]}, "share": 0.23},
        {"kind": "promote", "where": {"brands": ["C"]}, "share": 0.1},
    )
    brands: Counter[int] = Counter()
    first: Counter[int] = Counter()
    for number in range(400):
        shown, _ = _list(compiled, 5, draw=draw(str(number), 5))
        brands.update(n % 4 for n in shown)
        first[shown[0] % 4] += 1
    assert brands[3] == pytest.approx(0.23 * 2000, abs=8)  # independent draws: ± 37
    assert brands[2] == pytest.approx(0.10 * 2000, abs=8)
    assert first[3] == pytest.approx(0.23 * 400, abs=8)  # no place is favoured


def test_a_promotion_brings_in_what_no_model_speaks_for() -> None:
    compiled = _compiled({"kind": "promote", "where": {"items": ["i23"]}, "share": 1})
    plan = compiled.plan((0,))
    pool = Pool(np.arange(1, 6), np.array([0.5, 0.2, 0.1, 0.1, 0.1])).and_more(np.array([23]))
    made = arrange(pool, plan, 3, draw("x", 3), None)
    assert [int(n) for n in pool.item[made.at]] == [23, 1, 2]


def test_diversity_prefers_what_is_unlike_the_items_above() -> None:
    plain, _ = _list(_compiled(), 6, together=4)
    assert plain == [4, 8, 12, 16, 20, 1]
    shown, made = _list(_compiled({"kind": "diversify", "strength": 0.9}), 6, together=4)
    assert shown[0] == 4
    assert made.fired == {0}

    def alike(ids: list[int]) -> float:
        pairs = [(a, b) for a in ids for b in ids if a < b]
        return sum((a % 4 == b % 4) + (a % 3 == b % 3) for a, b in pairs) / len(pairs)

    assert alike(shown) < alike(plain)


def test_exploration_draws_with_the_propensities_that_it_states() -> None:
    compiled = _compiled({"kind": "explore", "share": 0.5, "temperature": 2})
    chance = np.random.default_rng(3)
    seen: Counter[int] = Counter()
    said: dict[int, float] = {}
    rounds = 6000
    for _ in range(rounds):
        numbers = Draw(np.zeros(3), chance.random(3), chance.random(3))
        shown, made = _list(compiled, 3, draw=numbers)
        seen[shown[0]] += 1
        first = made.places[0]
        assert first.chances.sum() == pytest.approx(1)
        said = dict(zip(first.among.tolist(), first.chances.tolist(), strict=True))
        assert first.propensity == pytest.approx(said[shown[0]])
    assert len(said) == 20
    for item, chance_of in said.items():
        error = (chance_of * (1 - chance_of) / rounds) ** 0.5
        assert abs(seen[item] / rounds - chance_of) < 4.5 * error, item


@given(
    st.lists(
        st.sampled_from(
            [
                {"kind": "hide", "where": {"brands": ["A"]}},
                {"kind": "only", "where": {"categories": ["Food"]}},
                {"kind": "pin", "item_id": "i20", "place": 2},
                {"kind": "pin", "item_id": "i03", "place": 1},
                {"kind": "promote", "where": {"brands": ["B"]}, "share": 0.6},
                {"kind": "limit", "by": "brand", "most": 2},
                {"kind": "diversify", "strength": 0.5},
                {"kind": "explore", "share": 0.3},
            ]
        ),
        max_size=8,
    ),
    st.integers(1, 12),
    st.integers(0, 2**32 - 1),
)
def test_no_list_repeats_an_item_or_shows_one_that_is_removed(
    told: list[dict[str, Any]], k: int, seed: int
) -> None:
    compiled = _compiled(*told)
    plan = compiled.plan(compiled.active(Ask("", "C1", NOW)))
    shown, made = _list(compiled, k, draw=draw(str(seed), k))
    assert len(shown) == len(set(shown)) <= k
    assert plan.allowed[shown].all()
    assert all(0 < place.propensity <= 1 for place in made.places)


def test_conflicts_name_both_rules_the_reason_and_the_winner() -> None:
    found = conflicts(
        _compiled(
            {"kind": "only", "where": {"categories": ["Home"]}},  # r0
            {"kind": "only", "where": {"categories": ["Food"]}},  # r1
            {"kind": "pin", "item_id": "i01", "place": 1},  # r2
            {"kind": "pin", "item_id": "i04", "place": 1},  # r3
            {"kind": "promote", "where": {"categories": ["Food > Tea"]}, "share": 0.7},  # r4
            {"kind": "promote", "where": {"brands": ["A"]}, "share": 0.5},  # r5
            {"kind": "limit", "by": "brand", "most": 1},  # r6
            {"kind": "hide", "where": {"brands": ["Nobody"]}},  # r7
            {"kind": "diversify", "strength": 0.1},  # r8
            {"kind": "diversify", "strength": 0.2, "scope": {"pages": ["home"]}},  # r9
            {"kind": "limit", "by": "colour"},  # r10
            {"kind": "hide", "where": {"brands": ["A"]}, "scope": {"segment": "S9"}},  # r11
        )
    )
    told = {(one.first, one.second): one.wins for one in found}
    assert told[("r0", "r1")] == ""
    assert told[("r0", "r2")] == "r0"
    assert told[("r2", "r3")] == "r2"
    assert told[("r0", "r4")] == "r0"
    assert told[("r4", "r5")] == "r4"
    assert told[("r4", "r6")] == "r6"
    assert told[("r8", "r9")] == "r8"
    codes = {(one.first, one.second): one.code for one in found}
    assert codes[("r7", None)] == "no_item"
    assert codes[("r10", None)] == "no_value"
    assert codes[("r11", None)] == "no_members"
    assert codes[("r0", "r1")] == "nothing_left"


def test_rules_whose_scopes_never_meet_are_in_no_conflict() -> None:
    home = {"kind": "pin", "item_id": "i01", "place": 1, "scope": {"pages": ["home"]}}
    cart = {"kind": "pin", "item_id": "i04", "place": 1, "scope": {"pages": ["cart"]}}
    march = {**home, "scope": {"valid_to": "2024-04-01T00:00:00Z"}}
    april = {**cart, "scope": {"valid_from": "2024-04-01T00:00:00Z"}}
    assert conflicts(_compiled(home, cart)) == []
    assert conflicts(_compiled(march, april)) == []


# --- on a real shop


CATALOGUE: list[Row] = [
    {"item_id": f"p{n}", "title": f"P{n}", "brand": "XY"[n % 2], "price": 5.0 + n, "stock": 9.0}
    for n in range(8)
]


def _shop(shop: Shop) -> Shop:
    lines: list[tuple[float, str | None, str, float | None]] = [
        (c % 9, f"c{c}", f"p{(c + step) % 8}", 5.0) for c in range(30) for step in range(1 + c % 3)
    ]
    return stock(shop, sales(lines), CATALOGUE)


def _publish(shop: Shop, *told: dict[str, Any]) -> None:
    made = draft_rules(shop, READ.validate_python(told))
    assert made.draft is not None
    publish_rules(shop, made.draft.version)


def test_rules_hold_from_publication_and_can_be_undone(shop: Shop) -> None:
    _shop(shop)
    hide = {"kind": "hide", "name": "no X", "where": {"brands": ["X"]}}
    draft = draft_rules(shop, READ.validate_python([hide]), "spring")
    assert draft.published.version == 0
    assert draft.draft is not None
    assert any(int(s.item_id[1]) % 2 == 0 for s in items(shop, "stranger", k=8).slots)
    publish_rules(shop, draft.draft.version)
    reply = items(shop, "stranger", k=8)
    assert {int(s.item_id[1]) % 2 for s in reply.slots} == {1}
    assert reply.rules == ("no X",)
    assert reply.removed[0].items == 4
    assert reply.missing is not None
    assert "'no X' removed 4" in reply.missing.reason
    assert reply.rules_version == draft.draft.version
    undone = undo_rules(shop)
    assert undone.published.rules == ()
    assert len(items(shop, "stranger", k=8).slots) == 8
    assert undo_rules(shop).published.rules[0].name == "no X"
    assert [one.status for one in rules(shop).versions] == ["published", "retired", "retired"]


def test_a_draft_of_another_version_is_not_published(shop: Shop) -> None:
    hide = {"kind": "hide", "name": "a", "where": {"brands": ["X"]}}
    first = draft_rules(shop, READ.validate_python([hide])).draft
    draft_rules(shop, READ.validate_python([hide]))
    assert first is not None
    with pytest.raises(Conflict, match="not version"):
        publish_rules(shop, first.version)
    discard_rules(shop)
    with pytest.raises(NotFound, match="no draft"):
        discard_rules(shop)
    with pytest.raises(NotFound, match="No rules are published"):
        undo_rules(shop)


def test_rules_that_say_nothing_or_share_a_name_are_refused(shop: Shop) -> None:
    with pytest.raises(ValueError, match="where is empty"):
        READ.validate_python([{"kind": "hide", "name": "a", "where": {}}])
    with pytest.raises(ValueError, match="above price_to"):
        READ.validate_python(
            [{"kind": "only", "name": "a", "where": {"price_from": 9, "price_to": 1}}]
        )
    same = {"kind": "limit", "name": "a", "by": "brand"}
    with pytest.raises(BadInput, match="named 'a'"):
        draft_rules(shop, READ.validate_python([same, same]))


def test_rules_that_leave_nothing_say_which_rule_took_what(shop: Shop) -> None:
    _shop(shop)
    _publish(
        shop,
        {"kind": "only", "name": "X alone", "where": {"brands": ["X"]}},
        {"kind": "hide", "name": "no X", "where": {"brands": ["X"]}},
    )
    reply = items(shop, "c1", k=5)
    assert reply.slots == ()
    assert reply.missing is not None
    assert "'X alone' removed 4, 'no X' removed 4" in reply.missing.reason


def test_never_again_hides_what_is_bought_again_and_again(shop: Shop) -> None:
    lines: list[tuple[float, str | None, str, float | None]] = []
    for c in range(12):
        lines += [(d, f"c{c}", "p0", 5.0) for d in (0, 3, 6)] + [(7, f"c{c}", f"p{1 + c % 7}", 5.0)]
    stock(shop, [*sales(lines), event(999, 8, "view_item", "c1", "p0")], CATALOGUE)
    _publish(shop, {"kind": "never_again", "name": "once is enough", "days": 30})
    assert "p0" not in {s.item_id for s in items(shop, "c1", k=8).slots}


def test_a_pin_of_what_the_customer_owns_is_not_shown_to_them(shop: Shop) -> None:
    _shop(shop)
    _publish(shop, {"kind": "pin", "name": "first", "item_id": "p3", "place": 1})
    assert items(shop, "stranger", k=3).slots[0].item_id == "p3"
    assert items(shop, "stranger", k=3).slots[0].reasons[0].code == "rule.pin"
    assert "p3" not in {s.item_id for s in items(shop, "c3", k=8).slots}


def test_what_is_sold_out_or_withdrawn_a_moment_ago_is_not_shown(shop: Shop) -> None:
    _shop(shop)
    first = items(shop, "stranger", k=3).slots
    shop.catalogue.set_stock({first[0].item_id: 0})
    shop.catalogue.delete_item(first[1].item_id)
    gone = {first[0].item_id, first[1].item_id}
    for reply in (items(shop, "stranger", k=8), popular(shop, k=8)):
        assert not {s.item_id for s in reply.slots} & gone
        assert len(reply.slots) == 6


def test_a_rule_for_one_customer_forgets_who_it_was_and_meets_nobody_else(shop: Shop) -> None:
    _shop(shop)
    pin = {"kind": "pin", "name": "for c1", "item_id": "p7", "place": 1}
    _publish(shop, pin | {"scope": {"customers": ["c1"]}})
    needles = Needles.of(Subject("c1", "retained-0", (Held("c1"),)))
    assert erase.found(shop, needles) == {"store: rules for one customer": 1}
    erase.erase(shop, needles)
    assert erase.found(shop, needles) == {}
    assert rules(shop).published.rules[0].scope.customers == ("[erased]",)
    assert items(shop, "c2", k=3).slots[0].reasons[0].code != "rule.pin"


def test_what_if_shows_what_a_draft_would_change_before_it_does(shop: Shop) -> None:
    _shop(shop)
    with pytest.raises(NotFound, match="no draft"):
        what_if(shop, customers=20)
    pin = {"kind": "pin", "name": "first", "item_id": "p7", "place": 1}
    draft_rules(shop, READ.validate_python([pin]))
    reply = what_if(shop, customers=30, k=4)
    assert reply.customers == 30
    assert not isinstance(reply.changed, CannotSay)
    assert 0 < reply.changed.value <= 1
    assert reply.gained[0].item_id == "p7"
    assert reply.gained[0].then > reply.gained[0].now
    assert reply.fired["first"] > 0
    assert isinstance(reply.probability, CannotSay)  # nothing is fitted here
    assert rules(shop).published.version == 0


def test_rules_in_force_cost_a_request_microseconds() -> None:
    compiled = _compiled(
        *({"kind": "hide", "where": {"brands": [f"B{n}"]}} for n in range(50)),
        {"kind": "limit", "by": "brand", "most": 2},
    )
    ask = Ask("home", "C1", NOW)
    first = compiled.plan(compiled.active(ask))
    assert compiled.plan(compiled.active(ask)) is first  # masks are combined once, not per request
