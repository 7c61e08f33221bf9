"""Tells the shop's log what became of messages: standard events, each once, machines left out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, timedelta
from typing import Any, Final

import orjson

from shopkeeper.contact import bots
from shopkeeper.shop.shop import Shop
from shopkeeper.store.columns import microseconds
from shopkeeper.store.log import Entry
from shopkeeper.store.message_events import MessageEvents, Seen
from shopkeeper.store.messages import ERASED, Message

SETTLE: Final = timedelta(seconds=10)
"""How long an event waits: a scanner that fetches many links is known by what follows."""

_AT_ONCE: Final = 1_000
_LABELS: Final = ("content_id", "experiment_id", "variant_id", "item_id")


def tell(shop: Shop, *, settle: timedelta = SETTLE) -> int:
    """Hand the events that were noted on to the intake log; how many.

    They go by ids of their own, so that a crash in between doubles none.
    """
    events = MessageEvents(shop.database)
    count = 0
    while found := events.untold(shop.now(), settle, _AT_ONCE):
        found = _judged(events, found)
        entries = [
            _entry(shop, seen, message) for seen, message in found if _is_told(seen, message)
        ]
        if entries:
            shop.log.append([entries])
        events.told([seen.number for seen, _ in found])
        count += len(entries)
        if len(found) < _AT_ONCE:
            break
    return count


def _judged(
    events: MessageEvents, found: Sequence[tuple[Seen, Message]]
) -> list[tuple[Seen, Message]]:
    """The same, judged together with everything else that happened to each message."""
    judged: dict[int, dict[int, str]] = {}
    kept = []
    for seen, message in found:
        if seen.kind in bots.OF_PEOPLE and seen.counted:
            if message.number not in judged:
                judged[message.number] = bots.bursts(message, events.of(message.number))
            if why := judged[message.number].get(seen.number):
                events.discount([seen.number], why)
                continue
        kept.append((seen, message))
    return kept


def _is_told(seen: Seen, message: Message) -> bool:
    return seen.counted and not message.customer_id.startswith(ERASED)


def _entry(shop: Shop, seen: Seen, message: Message) -> Entry:
    event_id = f"contact:{seen.event_id}"
    row: dict[str, Any] = {
        "event_id": event_id,
        "user_id": message.customer_id,
        "name": f"{message.channel}_{seen.kind}",
        "time": microseconds(seen.time),
        "received_at": microseconds(shop.now()),
        "day": seen.time.astimezone(shop.settings.zone).date().isoformat(),
        "channel": message.channel,
        "campaign_id": message.campaign_id or None,
        "properties": _properties(seen, message),
        "source": "contact",
    }
    labels = message.labels
    row |= {name: labels[name] for name in _LABELS if labels.get(name)}
    if isinstance(labels.get("propensity"), int | float):
        row["propensity"] = float(labels["propensity"])
    now = shop.now().astimezone(UTC)
    return Entry(event_id, message.customer_id, "", now, "events", orjson.dumps(row))


def _properties(seen: Seen, message: Message) -> dict[str, str]:
    told = {"message_id": message.message_id, "step": message.step, "purpose": message.purpose}
    return told | ({"link": seen.link} if seen.link else {})
