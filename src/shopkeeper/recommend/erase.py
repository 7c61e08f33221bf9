"""The fitted recommender: in memory with everybody's history, on disk as weights between items."""

from __future__ import annotations

from shopkeeper.core.subject import Needles
from shopkeeper.recommend.model import drop
from shopkeeper.recommend.published import FOLDER, remove
from shopkeeper.recommend.serving import folder, forget
from shopkeeper.shop.shop import Shop


def found(shop: Shop, needles: Needles) -> dict[str, int]:  # noqa: ARG001 - as every erase.py
    """Nothing: the files hold weights between items, and nobody's id."""
    return {}


def erase(shop: Shop, needles: Needles) -> dict[str, int]:  # noqa: ARG001 - as every erase.py
    """Forget what was learned from them; other processes notice the restriction and fit again."""
    drop(shop)
    forget(shop)
    gone = remove(folder(shop))
    return {FOLDER: gone} if gone else {}
