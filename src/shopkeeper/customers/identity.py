"""Which ids stand for a customer, and taking that back."""

from __future__ import annotations

from shopkeeper.core.operation import Actor
from shopkeeper.customers.types import Identities, Period
from shopkeeper.shop.shop import Shop


def identities(shop: Shop, any_id: str) -> Identities:
    """The customer that the id stands for now, with the periods of every id that leads there."""
    customer = shop.people.customer_of(any_id) or any_id
    known = shop.people.periods({any_id, *shop.people.sent_ids(customer)})
    periods = (
        Period(
            sent_id=sent_id,
            customer_id=span.customer_id,
            start=span.start,
            until=span.until,
            by=span.by,
        )
        for sent_id, spans in sorted(known.items())
        for span in spans
    )
    return Identities(customer_id=customer, periods=tuple(periods))


def undo(shop: Shop, actor: Actor, sent_id: str) -> Identities:
    """Take back what was last said about the id; for whom it stands now.

    Raises:
        NotFound: it stands for nobody.
    """
    # The kind alone: who it was stands in the audit log, under a pseudonym.
    shop.people.undo(sent_id, actor.kind)
    return identities(shop, sent_id)
