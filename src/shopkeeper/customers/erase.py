"""The copy of the events by sender: who is erased is in it, and it is made anew at the next refresh.

Memberships are rows of the tables, lists rows of the store: those remove them.
"""

from __future__ import annotations

from pathlib import Path

from shopkeeper.core.subject import Needles
from shopkeeper.customers.segmenting.forecasting import forget
from shopkeeper.shop.shop import Shop


def copies(shop: Shop) -> list[Path]:
    """Folders that go as a whole, whoever is erased: nobody has to be looked for in them before."""
    folder = shop.timelines.folder
    return [folder] if folder.exists() else []


def found(shop: Shop, needles: Needles) -> dict[str, int]:  # noqa: ARG001 - as every erase.py
    """The copy, where there is one: a copy of everybody's events names them as well."""
    return {path.name: 1 for path in copies(shop)}


def erase(shop: Shop, needles: Needles) -> dict[str, int]:  # noqa: ARG001 - as every erase.py
    """Remove the copy as a whole: to look for their rows in it would take longer."""
    forget(shop)
    return {shop.timelines.folder.name: 1} if shop.timelines.drop() else {}
