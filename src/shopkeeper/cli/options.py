"""What every command is told before its own arguments: which shop, and how to print."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

VARIABLE = "SHOPKEEPER_SHOP"
SHOP_HELP = f"The shop's folder (default: ${VARIABLE}, else the current folder)."
JSON_HELP = "Print the reply as JSON, errors too."


@dataclass(frozen=True)
class Options:
    """The shop's folder and whether a machine reads the output."""

    shop: Path
    json: bool


class _Before:
    """What stood before the command; a command's own ``--shop`` and ``--json`` win."""

    shop: str | None = None
    json: bool = False


def remember(shop: str | None, as_json: bool) -> None:
    """Keep what stood before the command for the command that follows."""
    _Before.shop, _Before.json = shop, as_json


def chosen(shop: str | None = None, as_json: bool = False) -> Options:
    """The options that hold for this command."""
    folder = shop or _Before.shop or os.environ.get(VARIABLE) or "."
    return Options(Path(folder).expanduser(), as_json or _Before.json)
