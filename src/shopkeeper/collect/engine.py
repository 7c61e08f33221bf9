"""A private, bounded DuckDB for one import: it spills into the shop's folder and keeps nothing."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

if TYPE_CHECKING:
    from shopkeeper.shop.shop import Shop


def spill(shop: Shop, import_id: str) -> Path:
    """Where one import may spill. Its own: two engines in one folder overwrite each other's files."""
    return shop.folder / "spill" / import_id


def clear(folder: Path | None) -> None:
    """Remove what a spill left."""
    if folder is not None:
        shutil.rmtree(folder, ignore_errors=True)


def connect(spill: Path | None) -> duckdb.DuckDBPyConnection:
    """A connection to memory of its own, in UTC."""
    config: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": "400MB",
        "threads": "2",
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
    }
    if spill is not None:
        config["temp_directory"] = str(spill)
    connection = duckdb.connect(":memory:", config=config)
    connection.execute("SET TimeZone = 'UTC'")
    return connection
