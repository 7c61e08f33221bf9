"""What a provider would report of the simulated customers, signed and taken as any report."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Iterable
from typing import Any, Final

import orjson

from shopkeeper.contact import signatures
from shopkeeper.contact.channels.base import Surroundings
from shopkeeper.contact.receiving import provider_report
from shopkeeper.rehearsal.sending import CHANNEL
from shopkeeper.shop.shop import Shop
from shopkeeper.simulate.onward import Reaction

_NAME: Final = f"SHOPKEEPER_{CHANNEL.upper()}_EVENTS_SECRET"


class Provider:
    """Tells the shop what became of its letters. Its secret is its own and ends with it."""

    def __init__(self, shop: Shop) -> None:
        key = secrets.token_bytes(24)
        self._shop = shop
        self._keys = (key,)
        told = f"whsec_{base64.b64encode(key).decode()}"
        self._around = Surroundings(shop.folder, {_NAME: told})

    def report(self, reactions: Iterable[Reaction]) -> int:
        """Report these; how many were new. One that was reported before changes nothing."""
        return sum(self._one(one) for one in reactions)

    def _one(self, reaction: Reaction) -> bool:
        data: dict[str, Any] = {"message_id": reaction.message_id}
        if reaction.agent:
            data["user_agent"] = reaction.agent
        if reaction.what == "bounced":
            data["kind"] = "hard" if reaction.hard else "soft"
        body = orjson.dumps(
            {
                "type": f"{CHANNEL}.{reaction.what}",
                "timestamp": reaction.time.isoformat(),
                "data": data,
            }
        )
        at = int(reaction.time.timestamp() * 1_000)
        name = f"{reaction.message_id}-{reaction.what}-{at}"
        headers = signatures.headers(self._keys, name, self._shop.now(), body)
        return provider_report(self._shop, self._around, CHANNEL, headers, body).new
