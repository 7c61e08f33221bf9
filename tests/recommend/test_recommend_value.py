"""Lists that are shown: what is logged, and what the log says other ways to choose would earn."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from pydantic import TypeAdapter
from tests.stall import START, Row, event, sales, stock

from shopkeeper.core.period import Period
from shopkeeper.core.types import CannotSay, Estimate
from shopkeeper.decisions.log import Choice, Decision, record
from shopkeeper.recommend.lists import CHANNEL, PURPOSE
from shopkeeper.recommend.operations import draft_rules, publish_rules, show, value
from shopkeeper.recommend.rules.language import Rule, Rules
from shopkeeper.shop import Shop

READ: TypeAdapter[tuple[Rule, ...]] = TypeAdapter(Rules)
CATALOGUE: list[Row] = [
    {"item_id": f"p{n}", "title": f"P{n}", "brand": "XY"[n % 2], "price": 5.0, "stock": 9.0}
    for n in range(8)
]
ALL = Period("all")


def _shop(shop: Shop, *told: dict[str, Any]) -> Shop:
    lines: list[tuple[float, str | None, str, float | None]] = [
        (c % 9, f"c{c}", f"p{(c + step) % 8}", 5.0) for c in range(30) for step in range(1 + c % 3)
    ]
    stock(shop, sales(lines), CATALOGUE)
    if told:
        draft = draft_rules(shop, READ.validate_python(told)).draft
        assert draft is not None
        publish_rules(shop, draft.version)
    return shop


def _logged(shop: Shop) -> list[dict[str, Any]]:
    with shop.writer("test") as writer:
        writer.drain()
    rows = shop.query(lambda source: source.decisions()).sort_by("position")
    return rows.to_pylist(maps_as_pydicts="strict")  # type: ignore[no-any-return]


def test_a_shown_list_is_logged_with_the_chance_of_each_place(shop: Shop) -> None:
    explore = {"kind": "explore", "name": "try", "share": 0.3, "temperature": 2}
    _shop(shop, explore)
    reply = show(shop, "c1", page="home", k=4, context={"device": "phone"})
    rows = _logged(shop)
    assert [row["chosen"] for row in rows] == [slot.item_id for slot in reply.slots]
    assert {row["decision_id"] for row in rows} == {reply.decision_id}
    assert rows[0]["context"]["page"] == "home"
    assert rows[0]["context"]["device"] == "phone"
    assert rows[0]["policy"] == f"defaults/rules-{reply.rules_version}"
    for row in rows:
        chances = {item: float(chance) for item, chance in row["candidates"].items()}
        assert sum(chances.values()) == pytest.approx(1, abs=1e-6)
        assert chances[row["chosen"]] == pytest.approx(row["propensity"], abs=1e-6)


def test_who_refuses_gets_the_list_of_all_and_it_is_logged_as_such(shop: Shop) -> None:
    mine = {"kind": "pin", "name": "for c1", "item_id": "p5", "place": 1}
    _shop(shop, mine | {"scope": {"customers": ["c1"]}})
    assert show(shop, "c1", k=3).slots[0].item_id == "p5"
    shop.consent.record("c1", PURPOSE, CHANNEL, "DENY", shop.now(), {"form": "account"})
    reply = show(shop, "c1", k=3)
    assert not reply.personalised
    assert reply.rules == ()
    last = [row for row in _logged(shop) if row["decision_id"] == reply.decision_id]
    assert {row["personalised"] for row in last} == {False}
    assert last[0]["context"]["why"] == "personalisation refused"


def test_a_log_that_cannot_answer_says_what_is_missing(shop: Shop) -> None:
    _shop(shop)
    assert value(shop, since=ALL).missing is not None
    show(shop, "c1", k=3)
    _logged(shop)
    reply = value(shop, since=ALL)
    assert (reply.places, reply.policies) == (3, ())
    assert reply.missing is not None
    assert "Only 0 places" in reply.missing.reason


def test_a_log_without_exploring_tells_its_own_value_alone(shop: Shop) -> None:
    _simulated(shop, seed=2, people=200, share=0.0)
    reply = value(shop, since=ALL, days=2)
    assert [one.policy for one in reply.policies] == ["logged"]
    assert reply.missing is not None
    assert "explore" in reply.missing.needed


RATES = {"a": 0.10, "b": 0.30, "c": 0.05, "d": 0.05}
"""What each item earns; the list's first choice is a."""


def _simulated(shop: Shop, seed: int, people: int, share: float = 0.4) -> None:
    """Places explored with share .4 from four items, whose true rates are known."""
    chance = np.random.default_rng(seed)
    items = list(RATES)
    weight = np.array([0.4, 0.3, 0.2, 0.1])
    chances = share * weight + (1 - share) * np.array([1.0, 0, 0, 0])
    told = dict(zip(items, chances.tolist(), strict=True))
    now = shop.now().replace(microsecond=0) - timedelta(days=10)
    decisions, rows = [], []
    for n in range(people):
        item = items[int(chance.choice(4, p=chances))]
        choice = Choice(item, told[item], told)
        decisions.append(
            Decision(
                f"s{n}", now, f"u{n}", "recommend", [choice], "v", context={"explore": str(share)}
            )
        )
        if chance.random() < RATES[item]:
            # The first event comes a day after the lists, whatever the hour: `all` has to reach them.
            at = (now - START).total_seconds() / 86_400 + 1.5
            rows.append(
                event(n, at, "purchase", f"u{n}", item, value=1.0, quantity=1.0, order_id=f"o{n}")
            )
    record(shop, decisions)
    stock(shop, rows)


def test_the_value_of_policies_that_never_ran_covers_the_truth(shop: Shop) -> None:
    _simulated(shop, seed=5, people=3000)
    reply = value(shop, since=ALL, days=2)
    found = {one.policy: one for one in reply.policies}
    truth = {
        "logged": 0.76 * 0.10 + 0.12 * 0.30 + 0.08 * 0.05 + 0.04 * 0.05,
        "greedy": 0.10,
        "uniform": 0.125,
        "half_explored": 0.5 * 0.10 + 0.5 * (0.04 + 0.09 + 0.01 + 0.005),
    }
    assert set(found) == set(truth)
    for policy, true in truth.items():
        for name, told in found[policy].estimates.items():
            assert isinstance(told, Estimate), (policy, name)
            assert abs(told.value - true) < 3.5 * (told.high - told.low) / 3.92, (policy, name)
    assert found["uniform"].effective < found["greedy"].effective < reply.places
    assert not isinstance(reply.missing, CannotSay)
