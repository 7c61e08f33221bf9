"""What ``shopkeeper backup`` does and prints."""

from __future__ import annotations

import sys
from pathlib import Path

import orjson

from shopkeeper.cli.options import Options
from shopkeeper.cli.terminal import console, plain
from shopkeeper.server.backup import keep
from shopkeeper.server.backup.manifest import Manifest
from shopkeeper.shop.shop import Shop

_FOLDER = "backups"


def create(options: Options, to: Path | None) -> None:
    """Make one and say where it is."""
    where = _where(options, to)
    with Shop.open(options.shop) as shop:
        made = keep.create(shop, where)
    _say(options, made, f"Backed up to {where / made.name}")


def listing(options: Options, to: Path | None) -> None:
    """Print a line for each."""
    found = keep.listed(_where(options, to))
    if options.json:
        rows = [
            {"name": name, "whole": made is not None, "bytes": made.bytes if made else None}
            for made, name in found
        ]
        _json({"backups": rows})
        return
    out = console()
    for made, name in found:
        what = f"{made.shop}, {_size(made.bytes)}" if made else "cannot be read"
        out.print(plain(f"{name}  {what}"), soft_wrap=True)
    if not found:
        out.print(plain("No backups yet. Make one: shopkeeper backup create"), soft_wrap=True)


def verify(options: Options, which: str, to: Path | None) -> None:
    """Say that all of it is whole; errors say what is not."""
    made = keep.verify(_folder(options, which, to))
    _say(options, made, f"{made.name} is whole")


def restore(options: Options, which: str, into: Path, to: Path | None) -> None:
    """Restore it and say what to do next."""
    made = keep.restore(_folder(options, which, to), into)
    _say(options, made, f"Restored {made.name} to {into}")


def _say(options: Options, made: Manifest, line: str) -> None:
    rows = sum(table.rows for table in made.tables)
    if options.json:
        _json({"name": made.name, "bytes": made.bytes, "files": len(made.files), "rows": rows})
        return
    text = f"{line}: {len(made.files)} files, {_size(made.bytes)}, {rows:,} rows of tables."
    console().print(plain(text), soft_wrap=True)


def _where(options: Options, to: Path | None) -> Path:
    return to or options.shop / _FOLDER


def _folder(options: Options, which: str, to: Path | None) -> Path:
    named = _where(options, to) / which
    return named if named.is_dir() else Path(which)


def _size(bytes_: int) -> str:
    return f"{bytes_ / 1e6:,.1f} MB"


def _json(value: object) -> None:
    sys.stdout.write(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode() + "\n")
