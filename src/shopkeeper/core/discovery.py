"""Plugs found by their name: one file or folder each, no list to edit."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from pathlib import Path
from types import ModuleType

from shopkeeper.core.errors import MissingExtra, UnknownName

_ROOT = "shopkeeper"


def names(package: str) -> list[str]:
    """The plugs in ``package``, by file name; those that start with ``_`` or ``base`` are not plugs."""
    path = importlib.import_module(package).__path__
    found = (module.name for module in pkgutil.iter_modules(path))
    return sorted(name for name in found if not name.startswith("_") and name != "base")


def load(package: str, name: str, *, what: str, extra: str = "dev") -> ModuleType:
    """The plug's module.

    Raises:
        UnknownName: there is no such file; says which name is near.
        MissingExtra: the file needs a library that is not installed; ``extra`` brings it.
    """
    known = names(package)
    if name not in known:
        raise UnknownName(what, name, known)
    try:
        return importlib.import_module(f"{package}.{name}")
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] == _ROOT:  # our own mistake: never relabelled
            raise
        raise MissingExtra(f"The {what} {name!r}", extra) from error


def capabilities() -> dict[str, str]:
    """Every folder that holds an ``operations.py``: the folder's name to the module's full name."""
    return dict(_shipped())


@cache
def _shipped() -> dict[str, str]:
    """Looked for once a process: code that is installed does not change under it."""
    root = Path(__file__).parents[1]
    found: dict[str, str] = {}
    for path in sorted(root.rglob("operations.py")):
        parts = path.relative_to(root).with_suffix("").parts
        found[parts[-2]] = ".".join((_ROOT, *parts))
    return found
