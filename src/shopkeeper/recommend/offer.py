"""Which items may be offered now."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

_NOT_OFFERED: Final = frozenset({"service"})


def offerable(
    item_ids: pa.Array, items: Mapping[str, Mapping[str, Any]], now: datetime
) -> NDArray[np.bool_]:
    """Which items may be offered: known, not a service such as postage, in stock, in their time.

    Without any catalogue every item may be: there is nothing to check against. An item whose stock is
    not told counts as in stock.
    """
    ids = item_ids.to_pylist()
    if not items:
        return np.ones(len(ids), dtype=bool)
    return np.array([may_offer(items.get(item), now) for item in ids], dtype=bool)


def may_offer(item: Mapping[str, Any] | None, now: datetime) -> bool:
    """Whether one item may be offered; None: one that the catalogue does not know."""
    if item is None or item["kind"] in _NOT_OFFERED:
        return False
    if out_of_stock(item):
        return False
    started = item["available_from"] is None or item["available_from"] <= now
    return started and (item["expires_at"] is None or now < item["expires_at"])


def out_of_stock(item: Mapping[str, Any] | None) -> bool:
    """Whether the shop has told that none are left."""
    return item is not None and item["stock"] is not None and item["stock"] <= 0
