from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from shopkeeper.core.errors import NotFound
from shopkeeper.customers.operations import identities, undo_identity
from shopkeeper.shop import Shop
from shopkeeper.store.customers import Identity

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def test_a_shared_device_is_shown_with_its_periods_and_an_identify_is_undone(shop: Shop) -> None:
    shop.people.identify("tablet", "ann", "identify", NOON)
    shop.people.identify("tablet", "bob", "identify", NOON + HOUR)
    shop.people.identify("phone", "bob", "identify", NOON)
    seen = identities(shop, "tablet")
    assert seen.customer_id == "bob"
    told = [(p.sent_id, p.customer_id, p.start, p.until) for p in seen.periods]
    assert told == [
        ("phone", "bob", None, None),
        ("tablet", "ann", None, NOON + HOUR),
        ("tablet", "bob", NOON + HOUR, None),
    ]
    assert undo_identity(shop, "tablet").customer_id == "ann"
    assert [p.sent_id for p in identities(shop, "bob").periods] == ["phone"]
    assert undo_identity(shop, "tablet").periods == ()
    with pytest.raises(NotFound, match="stands for no customer"):
        undo_identity(shop, "tablet")
    assert shop.audit.entries().entries[0].operation == "customers.undo_identity"


def test_a_long_chain_is_followed_to_its_end(shop: Shop) -> None:
    chain = (  # longer than Python's stack
        Identity(f"id{number:04}", f"id{number + 1:04}", "alias", NOON + number * HOUR)
        for number in range(1200)
    )
    assert shop.people.link(chain) == 1200
    assert shop.people.customer_of("id0000") == "id1200"
    assert {row["customer_id"] for row in shop.people.identities()} == {"id1200"}
    shop.people.identify("id1200", "id0000", "alias", NOON + 2000 * HOUR)  # closes a circle
    assert {row["customer_id"] for row in shop.people.identities()} == {"id0000"}


def test_what_is_told_late_keeps_what_was_told_for_later(shop: Shop) -> None:
    shop.people.identify("tablet", "bob", "identify", NOON + 2 * HOUR)
    shop.people.identify("tablet", "ann", "identify", NOON)
    assert shop.people.customer_of("tablet") == "bob"
    spans = shop.people.periods(["tablet"])["tablet"]
    assert [(s.customer_id, s.start) for s in spans] == [("ann", None), ("bob", NOON + 2 * HOUR)]
