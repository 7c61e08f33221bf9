"""Queueing messages again that failed, or of which nobody knows whether they arrived."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from shopkeeper.contact.types import Sent
from shopkeeper.core.plan import Step
from shopkeeper.shop.shop import Shop
from shopkeeper.store.messages import State
from shopkeeper.store.outbox import Outbox

_MOST: Final = 10_000


def planned(shop: Shop, state: str, step: str, message_ids: Sequence[str]) -> list[Step]:
    """What would be queued again, by channel and step."""
    counts: dict[tuple[str, str], int] = {}
    for number, channel, of_step in _chosen(shop, state, step, message_ids):
        counts[channel, of_step] = counts.get((channel, of_step), 0) + bool(number)
    what = "sent again; each may have arrived already" if state == "unknown" else "sent again"
    return [
        Step(where=f"{channel}, step {of_step}", what=what, count=count)
        for (channel, of_step), count in sorted(counts.items())
    ]


def retry(shop: Shop, state: str, step: str, message_ids: Sequence[str]) -> Sent:
    """Queue them; each is judged again before it leaves."""
    numbers = [number for number, _, _ in _chosen(shop, state, step, message_ids)]
    queued = Outbox(shop.database).again(numbers, [State(state)], shop.now())
    return Sent(queued=queued)


def _chosen(
    shop: Shop, state: str, step: str, message_ids: Sequence[str]
) -> list[tuple[int, str, str]]:
    where = {"state": state} | ({"step": step} if step else {})
    found = Outbox(shop.database).page(where, _MOST)
    wanted = set(message_ids)
    return [
        (one.number, one.channel, one.step)
        for one in found
        if not wanted or one.message_id in wanted
    ]
