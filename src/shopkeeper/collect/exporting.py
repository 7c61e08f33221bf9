"""Exports: written beside, then moved into ``<shop>/exports`` whole or not at all."""

from __future__ import annotations

import hashlib
import re
import secrets
import shutil
from pathlib import Path

from shopkeeper.collect.types import Exported, ExportedFile
from shopkeeper.core import discovery
from shopkeeper.core.errors import BadInput, Conflict
from shopkeeper.core.operation import Context

EXPORTS = "exports"
KINDS = "shopkeeper.collect.exports"
_NAME = re.compile(r"[0-9A-Za-z][0-9A-Za-z_-]{0,63}")


def export(ctx: Context, kind: str, name: str) -> Exported:
    """Write the export and say what it holds.

    Raises:
        UnknownName: there is no such kind of export.
        BadInput: the name is not one of a folder.
        Conflict: there is an export of this name.
    """
    writes = discovery.load(KINDS, kind, what="kind of export")
    chosen = name or f"{kind}-{ctx.shop.now():%Y%m%d-%H%M%S}"
    if not _NAME.fullmatch(chosen):
        raise BadInput(
            f"{chosen[:80]!r} is no name for an export.",
            hint="Use letters, digits, - and _; at most 64.",
            field="name",
        )
    base = ctx.shop.folder / EXPORTS
    base.mkdir(mode=0o700, exist_ok=True)
    target, draft = base / chosen, base / f".{chosen}.{secrets.token_hex(4)}"
    if target.exists():
        raise _taken(chosen)
    draft.mkdir(mode=0o700)
    try:
        rows = writes.write(ctx.shop, draft, ctx.progress)
        files = tuple(_described(draft / file, count) for file, count in rows.items())
        try:
            draft.rename(target)
        except OSError as error:
            if target.exists():  # somebody made it meanwhile
                raise _taken(chosen) from error
            raise
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return Exported(name=chosen, kind=kind, folder=f"{EXPORTS}/{chosen}", files=files)


def _described(path: Path, rows: int) -> ExportedFile:
    path.chmod(0o600)
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return ExportedFile(name=path.name, rows=rows, bytes=path.stat().st_size, sha256=digest)


def _taken(name: str) -> Conflict:
    return Conflict(
        f"There is an export named {name!r}.",
        hint="Choose another name, or remove it.",
        field="name",
    )
