"""Restricting customers: their data stay and are used no more."""

from __future__ import annotations

from shopkeeper.governance.types import Restricted, Restrictions
from shopkeeper.shop.shop import Shop


def restrict(shop: Shop, customer_id: str, reason: str) -> Restrictions:
    """Restrict the customer that the id stands for; all restrictions."""
    shop.restrictions.add([shop.people.customer_of(customer_id) or customer_id], reason)
    return listed(shop)


def unrestrict(shop: Shop, customer_id: str) -> Restrictions:
    """Use the customer's data again; the restrictions that remain."""
    known = {one.customer_id for one in shop.restrictions.list()}
    current = shop.people.customer_of(customer_id) or customer_id
    shop.restrictions.lift(customer_id if customer_id in known else current)
    return listed(shop)


def listed(shop: Shop) -> Restrictions:
    """Every restriction."""
    return Restrictions(
        restrictions=tuple(
            Restricted(customer_id=one.customer_id, since=one.since, reason=one.reason)
            for one in shop.restrictions.list()
        )
    )
