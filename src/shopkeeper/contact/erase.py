"""Letters that were written to files for trying out."""

from __future__ import annotations

from shopkeeper.contact.channels.file import FOLDER
from shopkeeper.core.subject import Needles
from shopkeeper.shop.personal import every, naming, without
from shopkeeper.shop.shop import Shop


def found(shop: Shop, needles: Needles) -> dict[str, int]:
    """The files that name one of them, and in how many places."""
    paths = every(shop.folder, below=(FOLDER,))
    counts = {str(path.relative_to(shop.folder)): naming(path, needles) for path in paths}
    return {name: count for name, count in counts.items() if count}


def erase(shop: Shop, needles: Needles) -> dict[str, int]:
    """Remove the letters that name one of them; what was removed where."""
    paths = every(shop.folder, below=(FOLDER,))
    counts = {str(path.relative_to(shop.folder)): without(path, needles) for path in paths}
    return {name: count for name, count in counts.items() if count}
