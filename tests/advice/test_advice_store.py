"""Suggestions as the store keeps them, on both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from tests.advice.conftest import Plot

from shopkeeper.core.errors import Conflict, NotFound
from shopkeeper.core.subject import Held, Needles, Subject
from shopkeeper.store import erase
from shopkeeper.store.suggestions import (
    DISMISSED,
    GONE,
    OPEN,
    TAKEN,
    Found,
    Look,
    Suggestions,
)

NOW = datetime(2026, 3, 4, tzinfo=UTC)


def _look(days: int = 0) -> Look:
    return Look(NOW + timedelta(days=days), "2026-03-03", 0.5, ["thank"])


def test_what_is_found_again_is_the_same_and_what_is_not_is_gone(any_shop: Plot) -> None:
    kept = Suggestions(any_shop.shop.database)
    assert kept.look() is None
    kept.renew([Found("cart", "", {"n": 1}), Found("theme", "T1", {"n": 2})], _look())
    first = {one.rule: one for one in kept.all((OPEN,))}
    kept.renew([Found("cart", "", {"n": 3})], _look(1))
    [cart] = kept.all((OPEN,))
    assert (cart.id, cart.body, cart.first_at) == (first["cart"].id, {"n": 3}, NOW)
    assert cart.made_at == NOW + timedelta(days=1)
    assert [one.id for one in kept.all((GONE,))] == [first["theme"].id]
    look = kept.look()
    assert look is not None
    assert (look.silent, look.seconds) == (["thank"], 0.5)


def test_of_two_decisions_the_second_is_refused(any_shop: Plot) -> None:
    kept = Suggestions(any_shop.shop.database)
    kept.renew([Found("cart", "", {})], _look())
    [cart] = kept.all((OPEN,))
    until = NOW + timedelta(days=30)
    kept.decide(cart.id, ((OPEN,), TAKEN), ("", "ann"), (NOW, until))
    with pytest.raises(Conflict, match="is taken"):
        kept.decide(cart.id, ((OPEN,), DISMISSED), ("no", "bob"), (NOW, until))
    assert kept.quiet(NOW) == {("cart", "")}
    kept.renew([Found("cart", "", {})], _look(1))
    assert kept.all((OPEN,)) == []
    kept.renew([Found("cart", "", {})], _look(31))
    assert len(kept.all((OPEN,))) == 1
    with pytest.raises(NotFound):
        kept.get("A999999")
    with pytest.raises(NotFound):
        kept.get("DROP TABLE")


def test_a_customer_named_in_a_reason_is_erased_from_it(any_shop: Plot) -> None:
    database = any_shop.shop.database
    kept = Suggestions(database)
    kept.renew([Found("cart", "", {})], _look())
    [cart] = kept.all((OPEN,))
    reason = "customer-4711 asked us not to"
    kept.decide(cart.id, ((OPEN,), DISMISSED), (reason, "ann"), (NOW, None))
    subject = Subject("customer-4711", "nobody-1", (Held("customer-4711"),))
    needles = Needles.of(subject)
    assert erase.found(database, needles)["suggestions.reason"] == 1
    erase.erase(database, [subject], 0)
    assert "suggestions.reason" not in erase.found(database, needles)
    assert "customer-4711" not in kept.get(cart.id).reason
