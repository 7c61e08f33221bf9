"""Whom not to reach, by hand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from shopkeeper.contact import addresses
from shopkeeper.contact.channels.base import plug
from shopkeeper.contact.types import Changed, Suppressed, SuppressionRow
from shopkeeper.core.errors import BadInput
from shopkeeper.core.operation import Context
from shopkeeper.shop.shop import Shop
from shopkeeper.store.suppressions import Cause, Suppressions

_LATEST: Final = 100


def suppressed(shop: Shop, address: str, customer_id: str) -> Suppressed:
    """What stands against an address or a customer, or the newest entries."""
    known = Suppressions(shop.database)
    if address or customer_id:
        found = known.of(address=_same(address), customer_id=customer_id)
    else:
        found = known.latest(_LATEST)
    return Suppressed(
        entries=tuple(
            SuppressionRow(**{name: getattr(one, name) for name in SuppressionRow.model_fields})
            for one in found
        )
    )


def suppress(ctx: Context, whom: Mapping[str, str], channel: str, purpose: str) -> Changed:
    """Reach them no more."""
    _need(whom["address"], whom["customer_id"])
    if channel:
        plug(channel)
    added = Suppressions(ctx.shop.database).add(
        Cause.MANUAL,
        address=_same(whom["address"]),
        customer_id=whom["customer_id"] or None,
        channel=channel,
        purpose=purpose,
        by=ctx.actor.kind,
    )
    return Changed(changed=added)


def unsuppress(shop: Shop, address: str, customer_id: str, channel: str) -> Changed:
    """Remove what stands against them."""
    _need(address, customer_id)
    if channel:
        plug(channel)
    known = Suppressions(shop.database)
    gone = known.lift(address=_same(address), customer_id=customer_id, channel=channel)
    return Changed(changed=gone)


def _need(address: str, customer_id: str) -> None:
    if not address and not customer_id:
        raise BadInput(
            "Neither an address nor a customer is given.", hint="Say whom.", field="address"
        )


def _same(address: str) -> str:
    """The form by which the address is suppressed.

    Raises:
        BadInput: it is neither an e-mail address nor a telephone number.
    """
    if not address:
        return ""
    kind = "email" if "@" in address else "phone"
    found = addresses.normal(kind, address)
    if not found:
        raise BadInput(
            "The address is neither an e-mail address nor a telephone number.",
            hint="Check it.",
            field="address",
        )
    return addresses.same(kind, found)
