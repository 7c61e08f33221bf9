"""Lets what is due leave at the simulated time: campaigns are launched, messages written to the file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from shopkeeper.campaigns.launching import launch
from shopkeeper.campaigns.leaving import untrue
from shopkeeper.contact.channels.base import Surroundings, plug
from shopkeeper.contact.links import Links
from shopkeeper.contact.sender import Sender, Way
from shopkeeper.shop.shop import Shop
from shopkeeper.store.messages import Message
from shopkeeper.store.outbox import Outbox

CHANNEL: Final = "file"
"""The only channel that is used: it reaches nobody."""

_PAGE: Final = 1_000


def send_due(shop: Shop) -> None:
    """Launch and send all that is due at the shop's now."""
    outbox = Outbox(shop.database)
    while launch(shop) or outbox.due([CHANNEL], shop.now()):
        _send(shop)


def _send(shop: Shop) -> None:
    around = Surroundings(shop.folder, {})
    way = Way(shop, plug(CHANNEL), Links.of(shop.database, {}), untrue)
    sender = Sender(way, way.plug.open(around))
    try:
        while sender.work():
            pass
    finally:
        sender.close()


def items_of(labels: Mapping[str, Any]) -> tuple[str, ...]:
    """The items that a message with these labels names."""
    return tuple(map(str, labels.get("items", ())))


def written(shop: Shop, campaign_id: str) -> list[Message]:
    """The campaign's messages that have left, the oldest first."""
    outbox, found = Outbox(shop.database), list[Message]()
    where = {"campaign_id": campaign_id}
    page = outbox.page(where, _PAGE)
    while page:
        found += [one for one in page if one.sent_at is not None]
        page = outbox.page(where, _PAGE, page[-1].number)
    return found[::-1]
