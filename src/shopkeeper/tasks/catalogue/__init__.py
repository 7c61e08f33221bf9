"""The tasks that ship, one TOML file each, found by its name.

A file holds ``question`` and ``guidelines``, and ``kind`` where spans are asked for. Its labels stand in its
own table ``labels`` (name = meaning), or, where a house reader answers the task, beside that reader's data.
"""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

from shopkeeper.core.errors import UnknownName
from shopkeeper.tasks.types import Label, Task

_HERE = Path(__file__).parent
_HOUSE = _HERE.parent / "house" / "data"


def names() -> list[str]:
    """The names of the tasks."""
    return sorted(path.stem for path in _HERE.glob("*.toml"))


@cache
def load(name: str) -> Task:
    """The task of that name; :class:`UnknownName` says which is near."""
    if name not in names():
        raise UnknownName("task", name, names())
    told: dict[str, Any] = tomllib.loads((_HERE / f"{name}.toml").read_text("utf-8"))
    labels = told.pop("labels", None) or _house_labels(name)
    meant = tuple(Label(name=label, meaning=meaning) for label, meaning in labels.items())
    return Task(name=name, labels=meant, guidelines=told.pop("guidelines", "").strip(), **told)


def _house_labels(name: str) -> dict[str, str]:
    told = tomllib.loads((_HOUSE / name / "labels.toml").read_text("utf-8"))
    return {label: f"{words['en']} / {words['zh']}" for label, words in told.items()}
