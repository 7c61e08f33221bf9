"""Groups of customers: found where there are some, denied where there are none."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from shopkeeper.core.schema import EVENTS
from shopkeeper.core.types import CannotSay
from shopkeeper.insight import naming
from shopkeeper.insight import operations as insight
from shopkeeper.insight.personas import _grouped, _separation
from shopkeeper.insight.types import Trait
from shopkeeper.shop.shop import Shop
from shopkeeper.warehouse.arrow import arrow_schema


def _customers(shop: Shop, grouped: bool, count: int = 240) -> None:
    random, rows = np.random.default_rng(3), []
    for n in range(count):
        # Two kinds: who buys much and often and was here lately, and who bought once, long ago.
        kind = n % 2 if grouped else random.random()
        orders = 1 + round((12 if grouped else 3) * kind + random.random())
        for order in range(orders):
            day = date(2025, 1, 1) + timedelta(days=int(kind * 150 + random.integers(0, 20)))
            worth = float(20 + 300 * kind + random.normal(0, 5))
            rows.append(
                {"event_id": f"{n}-{order}", "name": "purchase", "day": day,
                 "received_at": datetime(2025, 6, 9, tzinfo=UTC),
                 "time": datetime(day.year, day.month, day.day, 4, tzinfo=UTC),
                 "customer_id": f"c{n}", "user_id": f"c{n}", "item_id": "i1", "order_id": f"o{n}-{order}",
                 "value": worth, "price": worth, "quantity": 1.0, "source": "test"}
            )  # fmt: skip
    with shop.writer("test") as writer:
        writer.load(EVENTS.name, pa.Table.from_pylist(rows, schema=arrow_schema(EVENTS)))


def test_two_kinds_of_customers_are_told_apart(shop: Shop) -> None:
    _customers(shop, grouped=True)
    reply = insight.personas(shop)
    assert reply.cannot_say is None, reply
    assert [one.customers for one in reply.personas] == [120, 120]
    assert reply.separation is not None
    assert reply.by_chance is not None
    assert reply.separation > reply.by_chance
    odd = {len({int(c[1:]) % 2 for c in one.examples}) for one in reply.personas}
    assert odd == {1}
    for one in reply.personas:
        assert {trait.feature for trait in one.traits} >= {"orders (log)", "spend (log)"}
        assert all(abs(t.distance) > 0.5 for t in one.traits)
        assert one.named_by == "traits"
    names = {one.examples[0][1:]: one.names for one in reply.personas}
    often = next(names[n] for n in names if int(n) % 2)
    seldom = next(names[n] for n in names if not int(n) % 2)
    for word in ("frequent buyers", "big spenders", "seen lately"):
        assert (word in often["en"].lower()) >= (word in seldom["en"].lower())
    assert often["en"] != seldom["en"]
    assert often["zh"] != seldom["zh"]


def test_without_groups_it_says_so() -> None:
    random = np.random.default_rng(5)
    values = random.normal(size=(200, 4))
    found = _grouped(values)[1]
    assert found < max(_grouped(random.permuted(values, axis=0))[1] for _ in range(3)) + 0.05
    assert _separation(values, np.zeros(200)) == -1.0


def test_too_few_customers_are_no_groups(shop: Shop) -> None:
    assert isinstance(insight.personas(shop).cannot_say, CannotSay)
    _customers(shop, grouped=True, count=40)
    reply = insight.personas(shop)
    assert reply.cannot_say is not None
    assert "40 customers" in reply.cannot_say.reason


def _trait(name: str, distance: float) -> Trait:
    return Trait(feature=name, mean=1.0, of_all=0.0, distance=distance, names=naming.feature(name))


def test_names_say_what_sets_a_persona_apart_and_no_two_are_alike() -> None:
    browsing = [_trait(naming.VIEWS, 1.2), _trait(naming.SPEND, -0.9)]
    named = naming.by_traits(
        [
            [*browsing, _trait(f"{naming.CATEGORY} tea", 0.4)],
            [*browsing, _trait(f"{naming.SPEAKS} delivery", -0.5)],
            [_trait(f"{naming.CATEGORY} {'tea ' * 20}", 0.01)],
            [*browsing],
            [*browsing],
        ]
    )
    assert [one["en"] for one in named] == [
        "Keen browsers, small spenders, into tea",
        "Keen browsers, small spenders, silent on delivery",
        f"Into {'tea ' * 6}…",
        "Keen browsers, small spenders 1",
        "Keen browsers, small spenders 2",
    ]
    assert named[1]["zh"] == "爱逛、低消费、少谈物流"
    assert all(one["zh"] for one in named)


def test_a_model_names_personas_from_figures_alone(shop: Shop, tmp_path: Path) -> None:
    _customers(shop, grouped=True)
    script = tmp_path / "names.toml"
    script.write_text(
        """
[[rule]]
purpose = "personas"
match = "orders: above"
reply = { zh = "铁杆常客", en = "Devoted regulars" }

[[rule]]
purpose = "personas"
error = "failed"
""",
        "utf-8",
    )
    plain = insight.personas(shop)
    named = insight.name_personas(shop, model=f"scripted:{script}")
    by = {one.named_by for one in named.personas}
    assert by == {"traits", f"scripted:{script}"} or len(by) == 2
    regulars = next(one for one in named.personas if one.named_by != "traits")
    assert regulars.names == {"zh": "铁杆常客", "en": "Devoted regulars"}
    others = next(one for one in named.personas if one.named_by == "traits")
    assert others in plain.personas  # what it did not name keeps its name
    same = 'reply = { zh = "一样", en = "The same" }'
    script.write_text(f'[[rule]]\npurpose = "personas"\n{same}\n', "utf-8")
    alike = insight.name_personas(shop, model=f"scripted:{script}")
    assert len({one.names["en"] for one in alike.personas}) == len(alike.personas)


@pytest.mark.parametrize("name", ["personas", "creatives"])
def test_they_are_reads(name: str) -> None:
    assert getattr(insight, name).effect.name == "READ"
