"""The copy of the events by sender: who is erased is in it, and it is made anew at the next refresh.

Memberships are rows of the tables, lists rows of the store: those remove them.
"""

from __future__ import annotations

from shopkeeper.core.subject import Needles
from shopkeeper.customers.segmenting.forecasting import forget
from shopkeeper.shop.personal import every, naming
from shopkeeper.shop.shop import Shop


def found(shop: Shop, needles: Needles) -> dict[str, int]:
    """In which files of the copy they are named, and how often."""
    counts = {path: naming(path, needles) for path in every(shop.timelines.folder)}
    return {str(path.relative_to(shop.folder)): count for path, count in counts.items() if count}


def erase(shop: Shop, needles: Needles) -> dict[str, int]:  # noqa: ARG001 - as every erase.py
    """Remove the copy as a whole: to look for their rows in it would take longer."""
    forget(shop)
    return {shop.timelines.folder.name: 1} if shop.timelines.drop() else {}
