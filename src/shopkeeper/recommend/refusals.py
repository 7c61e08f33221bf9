"""Who may have refused something, in memory: nearly every request is told no without asking the store."""

from __future__ import annotations

import threading
import time
from collections.abc import Collection
from typing import Final
from weakref import WeakKeyDictionary

from shopkeeper.core.schema import IDENTITIES
from shopkeeper.shop.shop import Shop
from shopkeeper.store.consent.statements import REVISION
from shopkeeper.store.restrictions import REVISION as RESTRICTIONS
from shopkeeper.store.revisions import Glance

_PAUSE: Final = 2.0
"""Seconds between two times that all are asked for: while statements or links keep coming, each
request asks for its own customer."""

_State = tuple[int, int, int]
_known: WeakKeyDictionary[Shop, dict[tuple[str, str], tuple[_State, float, Collection[str]]]]
_known = WeakKeyDictionary()
_lock = threading.Lock()


def may_refuse(shop: Shop, customer_id: str, about: tuple[str, str], seen: Glance) -> bool:
    """False only if nobody behind this customer ever said no to that purpose and channel."""
    state = (seen.of(REVISION), seen.of(IDENTITIES.name), seen.of(RESTRICTIONS))
    found = _known.get(shop, {}).get(about)
    if found is None or found[0] != state:
        now = time.monotonic()
        if found is not None and now - found[1] < _PAUSE:
            return True
        with _lock:
            found = (state, now, frozenset(shop.consent.concerned(*about)))
            _known.setdefault(shop, {})[about] = found
    return customer_id in found[2]


def forget(shop: Shop) -> None:
    """Drop what is held in memory."""
    _known.pop(shop, None)
