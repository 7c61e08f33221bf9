"""Whether what a message says is still true, asked in the moment it leaves."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from shopkeeper.content.approved import withdrawn_at
from shopkeeper.content.facts import altered, known, unavailable
from shopkeeper.content.types import Fact, Version
from shopkeeper.shop.shop import Shop
from shopkeeper.store.campaigns import Stored

WITHDRAWN: Final = "withdrawn"


def told(version: Version) -> dict[str, Any]:
    """What a message's labels say of the facts and items that its words rest on, if there are none too."""
    kept = ("item_id", "name", "value")
    facts = [{name: getattr(one, name) for name in kept} for one in version.facts]
    return {"facts": facts, "items": list(version.item_ids)}


def untrue(shop: Shop, labels: Mapping[str, Any]) -> str:
    """Why a message must not leave: ``withdrawn``, ``out_of_stock``, ``fact_changed``; empty where it may."""
    if withdrawn_at(shop, str(labels.get("content_id", ""))):
        return WITHDRAWN
    items = [str(one) for one in labels.get("items", ())]
    facts = [Fact.model_validate(one) for one in labels.get("facts", ())]
    if items and unavailable(shop, items, shop.now()):
        return "out_of_stock"
    if facts and altered(known(shop, [one.item_id for one in facts]), facts):
        return "fact_changed"
    return ""


def words_withdrawn(shop: Shop, stored: Stored, by: datetime | None = None) -> bool:
    """Whether the approval of any words of a campaign was taken back, by some time or until now."""
    arms = (one for one in stored.arms if one["template_id"] is not None)
    found = (withdrawn_at(shop, f"{one['template_id']}@{one['version']}") for one in arms)
    return any(at is not None and (by is None or at <= by) for at in found)
