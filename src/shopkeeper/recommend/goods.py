"""What the catalogue says of the items, in the order of a model's positions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from shopkeeper.recommend.heads.base import Goods

_PATH = " > "


def goods(item_ids: pa.Array, items: Mapping[str, Mapping[str, Any]]) -> Goods:
    """Words, brand and category of each item; blank for one that the catalogue does not know."""
    rows = [items.get(item, {}) for item in item_ids.to_pylist()]
    return Goods(
        tuple(_words(row) for row in rows),
        tuple(row.get("brand") or "" for row in rows),
        tuple(row.get("category") or "" for row in rows),
    )


def _words(row: Mapping[str, Any]) -> str:
    attributes = row.get("attributes") or {}
    said = dict(attributes) if isinstance(attributes, Mapping) else dict(attributes or [])
    parts = [row.get("title"), row.get("brand"), (row.get("category") or "").replace(_PATH, " ")]
    return " ".join(str(part) for part in (*parts, *said.values()) if part)
