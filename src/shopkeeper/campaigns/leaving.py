"""Whether what a message says is still true, asked in the moment it leaves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shopkeeper.content.facts import altered, known, unavailable
from shopkeeper.content.types import Fact, Version
from shopkeeper.shop.shop import Shop


def told(version: Version) -> dict[str, Any]:
    """What a message's labels say of the facts and items that its words rest on."""
    kept = ("item_id", "name", "value")
    facts = [{name: getattr(one, name) for name in kept} for one in version.facts]
    return {"facts": facts, "items": list(version.item_ids)}


def untrue(shop: Shop, labels: Mapping[str, Any]) -> str:
    """Why a message must not leave: ``out_of_stock``, ``fact_changed``; empty where nothing is wrong."""
    items = [str(one) for one in labels.get("items", ())]
    facts = [Fact.model_validate(one) for one in labels.get("facts", ())]
    if items and unavailable(shop, items, shop.now()):
        return "out_of_stock"
    if facts and altered(known(shop, [one.item_id for one in facts]), facts):
        return "fact_changed"
    return ""
