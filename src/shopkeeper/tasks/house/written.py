"""The texts and word lists that were written for the house readers: ``data/<task>/<language>*.toml``."""

from __future__ import annotations

import hashlib
import tomllib
from pathlib import Path
from typing import Any

from shopkeeper.core.errors import Corrupt

DATA = Path(__file__).parent / "data"

Tables = dict[str, Any]


def tables(task: str, language: str) -> Tables:
    """All of the task's files of a language as one: tables of lists, each without repetitions."""
    merged: Tables = {}
    for path in files(task, language):
        for name, table in _parsed(path).items():
            _merge(merged, name, table, path)
    return {name: _distinct(table) for name, table in merged.items()}


def labels(task: str) -> dict[str, dict[str, Any]]:
    """The task's labels in their order: their names in ``zh`` and ``en``, and whether ``sensitive``."""
    return _parsed(DATA / task / "labels.toml")


def languages(task: str) -> list[str]:
    """The languages that something is written in for the task."""
    names = {path.stem.split("-")[0] for path in (DATA / task).glob("*.toml")}
    return sorted(names - {"labels", "card"})


def files(task: str, language: str) -> list[Path]:
    """The task's files of a language, in the order of their names."""
    return sorted(
        path for path in (DATA / task).glob("*.toml") if path.stem.split("-")[0] == language
    )


def checksum(*parts: tuple[str, str]) -> str:
    """Of the data of each (task, language), labels included: changes with any of their bytes."""
    digest = hashlib.sha256()
    for task, language in parts:
        names = DATA / task / "labels.toml"
        for path in [*files(task, language), *([names] if names.exists() else [])]:
            raw = path.read_bytes()
            digest.update(f"{task}/{path.name}:{len(raw)}\n".encode() + raw)
    return digest.hexdigest()


def _parsed(path: Path) -> Tables:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        hint = "Mend the file, or take it from the repository."
        raise Corrupt(
            f"{path.parent.name}/{path.name} cannot be read: {error}.", hint=hint
        ) from error


def _merge(merged: Tables, name: str, table: Any, path: Path) -> None:
    if isinstance(table, list):
        merged.setdefault(name, []).extend(table)
        return
    if not isinstance(table, dict):
        raise Corrupt(
            f"{path.name}: {name!r} is no table.", hint="Write [name] and lists under it."
        )
    into = merged.setdefault(name, {})
    for key, values in table.items():
        into.setdefault(key, []).extend(values)


def _distinct(table: Any) -> Any:
    if isinstance(table, list):
        return table
    return {key: list(dict.fromkeys(values)) for key, values in table.items()}
