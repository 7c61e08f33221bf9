"""How many of a group may be reached at all: consent, addresses and caps, channel by channel."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from shopkeeper.advice.sizing import Crowd, Group
from shopkeeper.advice.types import Reach
from shopkeeper.contact.channels.base import plugs
from shopkeeper.contact.eligibility import Why, judge
from shopkeeper.contact.looking import asked, status
from shopkeeper.shop.shop import Shop
from shopkeeper.store.batches import batches
from shopkeeper.store.reach import reading
from shopkeeper.store.suppressions import Suppressions

PURPOSE: Final = "marketing"
_PAGE: Final = 10_000
_TRIAL: Final = "file"
"""A channel for trying out: taken only where no other reaches more."""

_REASONS: Final = tuple(Why)
_OPEN: Final = (Why.OK, Why.QUIET)
"""Who may be reached; a quiet hour only makes a message wait."""


def reached(shop: Shop, crowd: Crowd) -> list[tuple[Reach, ...]]:
    """For each group every channel, the one that reaches most first."""
    wanted = [group for group in crowd.groups if not group.idea.care]
    if not wanted:
        return [() for _ in crowd.groups]
    anyone = np.logical_or.reduce([group.held for group in wanted])
    places = np.flatnonzero(anyone)
    ids = [crowd.ids[place] for place in places.tolist()]
    ready = {one.name: one.ready for one in status(shop).channels}
    verdicts = {one.name: _verdicts(shop, one.name, ids) for one in plugs()}
    return [_of(group, places, verdicts, ready) for group in crowd.groups]


def _verdicts(shop: Shop, channel: str, ids: Sequence[str]) -> np.ndarray[Any, np.dtype[np.int8]]:
    """By customer the place of the verdict among all reasons."""
    suppressions = Suppressions(shop.database)
    _, ask = asked(shop, channel, PURPOSE)
    number = {why: place for place, why in enumerate(_REASONS)}
    found: list[int] = []
    for page in batches(ids, _PAGE):
        with reading(shop.database) as reach:
            found += [number[one.why] for one in judge(reach, suppressions, ask, page)]
    return np.array(found, dtype=np.int8)


def _of(
    group: Group,
    places: np.ndarray[Any, np.dtype[np.int64]],
    verdicts: dict[str, np.ndarray[Any, np.dtype[np.int8]]],
    ready: dict[str, bool],
) -> tuple[Reach, ...]:
    if group.idea.care:
        return ()
    mine = group.held[places]
    found = []
    for channel, told in verdicts.items():
        counts = Counter(_REASONS[place] for place in told[mine].tolist())
        found.append(
            Reach(
                channel=channel,
                customers=group.size,
                reachable=sum(counts[why] for why in _OPEN),
                reasons={why.value: n for why, n in counts.items() if why not in _OPEN},
                ready=ready.get(channel, False),
            )
        )
    return tuple(sorted(found, key=_best))


def _best(one: Reach) -> tuple[bool, int, bool, str]:
    return not (one.ready and one.reachable), -one.reachable, one.channel == _TRIAL, one.channel
