"""One message to an address of one's own, to see how it arrives."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from shopkeeper.contact import addresses
from shopkeeper.contact.channels.base import Plug, Surroundings, plug
from shopkeeper.contact.enqueueing import content_of
from shopkeeper.contact.letter import Letter
from shopkeeper.contact.types import Sent
from shopkeeper.core.errors import BadInput
from shopkeeper.core.plan import Step
from shopkeeper.shop.shop import Shop


def planned(channel: str, address: str, content: Mapping[str, Any]) -> list[Step]:
    """One message to one address."""
    one = plug(channel)
    content_of(one, content)
    return [Step(where=f"{channel}: {_normal(one, address)}", what="message sent now", count=1)]


def send(shop: Shop, channel: str, address: str, content: Mapping[str, Any]) -> Sent:
    """Send it and say what the provider answered."""
    one = plug(channel)
    letter = Letter(
        secrets.token_hex(16), _normal(one, address), content_of(one, content), purpose="test"
    )
    way = one.open(Surroundings(shop.folder))
    try:
        result = way.send(letter)
    finally:
        way.close()
    return Sent(outcome=result.outcome.value, code=result.code, answer=result.answer)


def _normal(one: Plug, address: str) -> str:
    found = addresses.normal(one.kind, address)
    if not found:
        raise BadInput(
            f"That is no address of the kind {one.kind}.", hint="Check it.", field="address"
        )
    return found
