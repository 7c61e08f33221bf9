"""The fitted themes' words: whoever is named by one of them is taken out of the model's files."""

from __future__ import annotations

import json
from pathlib import Path

from shopkeeper.core.subject import ERASED, Needles
from shopkeeper.insight.themes.model import WORDS
from shopkeeper.shop.shop import Shop

FOLDER = "models/themes"


def found(shop: Shop, needles: Needles) -> dict[str, int]:
    """In which model's words they are named, and how often."""
    counts = {path: len(_naming(path, needles)) for path in _files(shop)}
    return {str(path.relative_to(shop.folder)): count for path, count in counts.items() if count}


def erase(shop: Shop, needles: Needles) -> dict[str, int]:
    """Let the models forget these words: a text that has one is read as if it had not."""
    counts = found(shop, needles)
    for path in _files(shop):
        gone = _naming(path, needles)
        if not gone:
            continue
        told = json.loads(path.read_text("utf-8"))
        told["words"] = ["" if word in gone else word for word in told["words"]]
        fresh = path.with_suffix(".fresh")
        fresh.write_text(json.dumps(told, ensure_ascii=False), "utf-8")
        fresh.replace(path)
    return counts


def _files(shop: Shop) -> list[Path]:
    return sorted((Path(shop.folder) / FOLDER).glob(f"*/{WORDS}"))


def _naming(path: Path, needles: Needles) -> set[str]:
    words = json.loads(path.read_text("utf-8"))["words"]
    return {word for word in words if word and word != ERASED and needles.in_text(word)}
