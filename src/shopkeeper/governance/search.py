"""Looks for texts in everything that a shop has: tables, logs, database and files, all decoded."""

from __future__ import annotations

import importlib
from collections.abc import Collection, Iterable
from pathlib import Path
from types import ModuleType

import shopkeeper
from shopkeeper.core.errors import NotFound
from shopkeeper.core.subject import Needles, Subject
from shopkeeper.governance import backups
from shopkeeper.governance.subjects import nobody, subjects
from shopkeeper.governance.types import Found, Search
from shopkeeper.shop.personal import every, in_bytes, naming
from shopkeeper.shop.shop import Shop
from shopkeeper.store import erase as store
from shopkeeper.warehouse import find as warehouse
from shopkeeper.warehouse.find import Seen

EXPORTS = "exports"
_STORE = "shop.sqlite"
_BELOW = frozenset({"store", "warehouse"})  # asked by name: they hold rows, not files


def search(shop: Shop, who: Iterable[str]) -> Search:
    """Where these ids, and what is known to name the same customers, still stand."""
    counts = everywhere(shop, needles_of(shop, who))
    return Search(found=places(counts), clean=not counts, backups=backups.listed(shop))


def needles_of(shop: Shop, who: Iterable[str]) -> Needles:
    """What to look for: the ids, and all that is known of the customers they stand for."""
    wanted = list(who)
    known: list[Subject] = [nobody(shop, one) for one in wanted]
    for one in wanted:
        try:
            known += subjects(shop, [one])
        except NotFound:  # erased, or never there: the id itself is all there is to look for
            continue
    return Needles.of(*known)


def everywhere(
    shop: Shop, needles: Needles, seen: Seen | None = None, goes: Collection[Path] = ()
) -> dict[str, int]:
    """Every place but backups, and how often it names one of them; places without are left out.

    Folders that ``goes`` names are not looked into and count as one place: they are about to go.

    ``seen`` is what an earlier search with the same needles saw: data files without are not decoded again.

    The database's cells are asked by SQL and its file is read as bytes, with the write-ahead log.
    """
    counts = warehouse.found(shop.warehouse, needles, seen or Seen())
    for column, number in store.found(shop.database, needles).items():
        counts[f"store: {column}"] = number
    counts |= {str(folder.relative_to(shop.folder)): 1 for folder in goes}
    tables = Path(shop.settings.tables)
    root = tables if tables.is_absolute() else shop.folder / tables
    for path in every(shop.folder):
        if path.is_relative_to(root) or _in_backup(shop, path):
            continue
        if any(path.is_relative_to(folder) for folder in goes):
            continue
        name = str(path.relative_to(shop.folder))
        look = in_bytes if name.startswith(_STORE) else naming
        if number := look(path, needles):
            counts[name] = number
    return counts


def holders() -> list[ModuleType]:
    """The ``erase.py`` of every capability that keeps personal data outside the tables."""
    root = Path(shopkeeper.__file__).parent
    names = sorted(path.parent.name for path in root.glob("*/erase.py"))
    return [importlib.import_module(f"shopkeeper.{n}.erase") for n in names if n not in _BELOW]


def copies(shop: Shop) -> list[Path]:
    """Folders of copies that an erasure removes as a whole, whoever it is of."""
    told = (getattr(holder, "copies", None) for holder in holders())
    return [folder for tell in told if tell is not None for folder in tell(shop)]


def _in_backup(shop: Shop, path: Path) -> bool:
    parts = path.relative_to(shop.folder).parts
    return parts[0] == backups.FOLDER and backups.is_backup(shop.folder / Path(*parts[:2]))


def places(counts: dict[str, int]) -> tuple[Found, ...]:
    """The counts in order of place."""
    return tuple(Found(where=where, places=counts[where]) for where in sorted(counts))
