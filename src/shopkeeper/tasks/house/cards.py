"""What a shipped reader is made of, measured at, and no good for: its model card."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from shopkeeper.tasks.arrays import CARD
from shopkeeper.tasks.house import written
from shopkeeper.tasks.house.readers import MODELS

_FILE = "card.json"


def write(task: str, language: str, uses: Sequence[str]) -> None:
    """Write the card beside the model that was just saved; measurements of another version are dropped."""
    folder = MODELS / task / language
    model = json.loads((folder / CARD).read_text("utf-8"))
    about = tomllib.loads((written.DATA / task / "card.toml").read_text("utf-8"))
    card = {
        "reader": task,
        "language": language,
        "version": model["version"],
        "labels": list(written.labels(task)),
        **{key: about[key] for key in ("what", "data", "terms", "limits")},
        "data_files": [
            f"{used}/{path.name}" for used in uses for path in written.files(used, language)
        ],
        "data_sha256": written.checksum(*((used, language) for used in uses)),
        "fit": model["card"],
        "bytes": sum(path.stat().st_size for path in folder.rglob("*.npy")),
        "measured": [],
    }
    if (folder / _FILE).exists() and read(task, language)["version"] == card["version"]:
        card["measured"] = read(task, language)["measured"]
    _save(folder, card)


def read(task: str, language: str) -> dict[str, Any]:
    """The shipped reader's card."""
    card: dict[str, Any] = json.loads((MODELS / task / language / _FILE).read_text("utf-8"))
    return card


def record(task: str, language: str, measured: Sequence[Mapping[str, Any]]) -> None:
    """Put figures (``id``, ``value``, ``low``, ``high``, ``note``) of the shipped version into its card."""
    card = read(task, language)
    card["measured"] = [dict(figure) for figure in measured]
    _save(MODELS / task / language, card)


def line(task: str, language: str) -> str:
    """The card in one line, for the builder."""
    card = read(task, language)
    size, held_out = card["bytes"] / 1e6, card["fit"].get("held_out", "")
    return f"{task} {language}: version {card['version']}, {size:.1f} MB {held_out}"


def _save(folder: Path, card: Mapping[str, Any]) -> None:
    text = json.dumps(card, ensure_ascii=False, indent=1)
    (folder / _FILE).write_text(text + "\n", "utf-8")
