"""The tables' part of a backup: the files of one version of each, and the log that names them."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from shopkeeper.core.errors import Corrupt
from shopkeeper.core.schema import TABLES
from shopkeeper.server.backup.manifest import File, Table, copies
from shopkeeper.shop.shop import Shop
from shopkeeper.warehouse.delta import Delta

LOG = "_delta_log"
FOLDER = "tables"
_VERSION = re.compile(r"(\d{20})\.")


@dataclass(frozen=True)
class Pinned:
    """One version of one table: its folder and its data files, by their path in it."""

    table: Table
    root: Path
    data: tuple[str, ...]
    cursor: int


def pin(shop: Shop) -> list[Pinned]:
    """The newest version of every table that was ever written."""
    found = []
    for name, delta in shop.warehouse.tables.items():
        snapshot = delta.snapshot()
        if snapshot is not None:
            data = tuple(uri.removeprefix(f"{delta.uri}/") for uri in snapshot.uris())
            rows = sum(file.rows for file in snapshot.files)
            table = Table(name=name, version=snapshot.version, rows=rows)
            found.append(Pinned(table, Path(delta.uri), data, snapshot.cursor))
    return found


def save(pinned: Pinned, folder: Path) -> list[File]:
    """Copy what the version consists of; FileNotFoundError where it was cleaned away meanwhile."""
    names = list(pinned.data)
    for path in sorted((pinned.root / LOG).iterdir()):
        version = _VERSION.match(path.name)
        if version and int(version[1]) <= pinned.table.version:
            names.append(f"{LOG}/{path.name}")
    hint = pinned.root / LOG / "_last_checkpoint"
    if hint.exists():
        text = hint.read_bytes()
        # Where a newer checkpoint was made meanwhile, readers find an older one by looking.
        if int(json.loads(text)["version"]) <= pinned.table.version:
            names.append(f"{LOG}/{hint.name}")
    base = f"{FOLDER}/{pinned.table.name}"
    return copies((pinned.root / name, folder, f"{base}/{name}") for name in names)


def check(root: Path, tables: tuple[Table, ...]) -> None:
    """Open each table under ``root`` and decode every value of every file; its version and rows too."""
    for table in tables:
        if table.name not in TABLES:
            continue  # of an older or newer version of Shopkeeper; its files were compared already
        snapshot = Delta(str(root), TABLES[table.name]).snapshot()
        if snapshot is None or snapshot.version != table.version:
            at = "nothing" if snapshot is None else f"version {snapshot.version}"
            raise Corrupt(f"The table {table.name} is at {at}, not at version {table.version}.")
        rows = 0
        for uri in snapshot.uris():
            try:
                with pq.ParquetFile(uri) as file:
                    rows += sum(batch.num_rows for batch in file.iter_batches())
            except (pa.ArrowException, OSError) as error:
                raise Corrupt(f"A file of the table {table.name} cannot be decoded.") from error
        if rows != table.rows:
            raise Corrupt(f"The table {table.name} has {rows:,} rows, not {table.rows:,}.")
