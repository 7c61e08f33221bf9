"""The fitted recommender in memory, which holds everybody's history."""

from __future__ import annotations

from shopkeeper.core.subject import Needles
from shopkeeper.recommend.model import drop
from shopkeeper.shop.shop import Shop


def found(shop: Shop, needles: Needles) -> dict[str, int]:  # noqa: ARG001 - as every erase.py
    """Nothing: no file holds a model."""
    return {}


def erase(shop: Shop, needles: Needles) -> dict[str, int]:  # noqa: ARG001 - as every erase.py
    """Forget what was fitted; other processes notice the restriction and fit again."""
    drop(shop)
    return {}
