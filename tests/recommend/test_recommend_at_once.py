"""What one process changes counts in the next answer of another that has everything in memory."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from pydantic import TypeAdapter
from tests.recommend.test_recommend_release import _catalogue, _rows
from tests.stall import accept, event, stock

from shopkeeper.recommend.lists import CHANNEL, PURPOSE, refuses
from shopkeeper.recommend.operations import draft_rules, fit, items, publish_rules, roll_back
from shopkeeper.recommend.refusals import _PAUSE
from shopkeeper.recommend.rules.language import Rule, Rules
from shopkeeper.recommend.types import DEFAULTS
from shopkeeper.shop import Shop

RULES: TypeAdapter[tuple[Rule, ...]] = TypeAdapter(Rules)


@pytest.fixture
def both(shop: Shop) -> Iterator[tuple[Shop, Shop]]:
    """Two processes' views of one shop; the second has answered already."""
    stock(shop, _rows(), _catalogue())
    fit(shop)
    with Shop.open(shop.folder) as other:
        for n in range(4):
            assert items(other, f"c{n}", k=3).personalised
        yield shop, other


def test_everything_that_may_change_a_list_does_so_at_once(both: tuple[Shop, Shop]) -> None:
    here, there = both
    before = items(there, "c1", k=3)
    # An event.
    accept(here, event(99_999, 61, "add_to_cart", "stranger", "t3-1"))
    assert items(there, "stranger", k=2).slots[0].reasons[0].evidence["item_id"] == "t3-1"
    # Stock, and back again.
    first = before.slots[0].item_id
    here.catalogue.set_stock({first: 0.0})
    assert first not in {slot.item_id for slot in items(there, "c1", k=3).slots}
    here.catalogue.set_stock({first: 5.0})
    assert items(there, "c1", k=3).slots == before.slots
    # Rules.
    told = [{"kind": "hide", "name": "not now", "where": {"items": [first]}}]
    draft = draft_rules(here, RULES.validate_python(told)).draft
    assert draft is not None
    publish_rules(here, draft.version)
    assert first not in {slot.item_id for slot in items(there, "c1", k=3).slots}
    # Consent, refused and given.
    now = here.now() - timedelta(seconds=5)
    here.consent.record("c1", PURPOSE, CHANNEL, "DENY", now, {"form": "account"})
    assert not items(there, "c1", k=3).personalised
    assert items(there, "c2", k=3).personalised
    later = now + timedelta(seconds=1)
    here.consent.record("c1", PURPOSE, CHANNEL, "GRANT", later, {"form": "account"})
    assert items(there, "c1", k=3).personalised
    # Another version, and a restriction.
    second = fit(here).version
    assert items(there, "c2", k=3).model == second
    roll_back(here)
    assert items(there, "c2", k=3).model == before.model
    here.restrictions.add(["c2"], "asked")
    assert items(there, "c2", k=3).history == 0
    assert items(there, "c3", k=3).model == DEFAULTS


def test_a_refusal_under_another_id_counts_whatever_leads_where(shop: Shop) -> None:
    now = shop.now() - timedelta(days=1)
    assert not refuses(shop, "ann")
    shop.people.identify("phone", "tablet", "test", now)
    shop.people.identify("tablet", "ann", "test", now)
    shop.consent.record("phone", PURPOSE, CHANNEL, "DENY", now, {"form": "x"})
    concerned = shop.consent.concerned(PURPOSE, CHANNEL)
    assert concerned == {"phone", "tablet", "ann"}
    for one in concerned:
        assert refuses(shop, one)
    assert not refuses(shop, "bob")
    # While statements keep coming each request asks for its own customer: it is right all the same.
    assert _PAUSE > 0
    for n in range(5):
        shop.consent.record(f"x{n}", PURPOSE, CHANNEL, "DENY", now, {"form": "x"})
        assert refuses(shop, f"x{n}")
        assert not refuses(shop, "bob")
    shop.consent.record("ann", PURPOSE, CHANNEL, "GRANT", shop.now(), {"form": "x"})
    assert not refuses(shop, "ann")
    other = shop.state.glance()
    shop.consent.record("bob", "marketing", "email", "GRANT", now, {"form": "x"})
    assert shop.state.glance().of("consent") == other.of("consent") + 1


def test_one_look_tells_every_revision_and_the_newest_row_of_the_log(shop: Shop) -> None:
    empty = shop.state.glance()
    assert (empty.logged, empty.of("items")) == (0, 0)
    accept(shop, event(1, 1, "view_item", "a", "i1"))
    shop.catalogue.upsert_items([{"item_id": "i1"}])
    seen = shop.state.glance()
    assert seen.logged == shop.log.last()
    assert seen.revisions == shop.state.revisions()
    assert seen.of("items") == 1
    with shop.writer("test") as writer:
        writer.drain()
        writer.snapshot()
    assert shop.warehouse.tables["items"].position("store") == 1
