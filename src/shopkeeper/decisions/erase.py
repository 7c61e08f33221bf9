"""The log of decisions lies in the intake log and in the tables, whose own ``erase.py`` remove it."""

from __future__ import annotations

from shopkeeper.core.subject import Needles
from shopkeeper.shop.shop import Shop


def found(shop: Shop, needles: Needles) -> dict[str, int]:  # noqa: ARG001 - as every erase.py
    """Nothing: no file or memory of this folder holds an id."""
    return {}


def erase(shop: Shop, needles: Needles) -> dict[str, int]:  # noqa: ARG001 - as every erase.py
    """Nothing to remove here."""
    return {}
