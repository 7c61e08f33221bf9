"""Suggestions lie in the store, whose own ``erase.py`` removes names; they name segments, no customer."""

from __future__ import annotations

from shopkeeper.core.subject import Needles
from shopkeeper.shop.shop import Shop


def found(shop: Shop, needles: Needles) -> dict[str, int]:  # noqa: ARG001 - as every erase.py
    """Nothing: no file or memory of this folder holds an id."""
    return {}


def erase(shop: Shop, needles: Needles) -> dict[str, int]:  # noqa: ARG001 - as every erase.py
    """Nothing to remove here."""
    return {}
