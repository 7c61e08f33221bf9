"""What a simulated shop knows of its people."""

from __future__ import annotations

from shopkeeper.core.subject import Needles
from shopkeeper.shop.personal import every, naming, without
from shopkeeper.shop.shop import Shop

FOLDERS = ("truth",)


def found(shop: Shop, needles: Needles) -> dict[str, int]:
    """The files that name one of them, and in how many places."""
    paths = every(shop.folder, below=FOLDERS)
    counts = {str(path.relative_to(shop.folder)): naming(path, needles) for path in paths}
    return {name: count for name, count in counts.items() if count}


def erase(shop: Shop, needles: Needles) -> dict[str, int]:
    """Remove the rows that name one of them, or a file that has no rows; what was removed where."""
    paths = every(shop.folder, below=FOLDERS)
    counts = {str(path.relative_to(shop.folder)): without(path, needles) for path in paths}
    return {name: count for name, count in counts.items() if count}
