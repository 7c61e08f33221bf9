"""Making, listing, verifying and restoring backups.

A backup is consistent: the tables are pinned first and the store is saved after, so that every row the
tables do not hold yet is in the saved log, and moves into the tables after a restore, once. Between
the two no import or erasure may end, because its receipt would stand beside tables that know nothing of
it: where one did, both are taken again.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import shopkeeper
from shopkeeper.contact.controlling import hold_restored
from shopkeeper.core import settings
from shopkeeper.core.errors import BadInput, Conflict, Corrupt, NotFound, Unavailable
from shopkeeper.core.operation import OWNER
from shopkeeper.server.backup import manifest as manifests
from shopkeeper.server.backup import store, tables
from shopkeeper.server.backup.manifest import FILE, PARTIAL, STORE, File, Manifest
from shopkeeper.shop.shop import Shop
from shopkeeper.store.erasures import Erasures
from shopkeeper.store.lease import Leases

_TRIES = 5
_STALE_SECONDS = 86_400.0
_NAME = re.compile(r"[0-9]{8}T[0-9]{6}Z-[0-9a-f]{4}")


def create(shop: Shop, to: Path) -> Manifest:
    """A backup of the shop in a new folder of ``to``; it has its name only when it is whole.

    Raises:
        BadInput: the tables are in an object store, which has versions of its own.
        Unavailable: no room, or the shop changes faster than it can be copied.
    """
    if "://" in shop.settings.tables:
        raise BadInput(
            "The tables are in an object store: they are not copied from there.",
            hint="Use the store's own versions, and back up the database beside them.",
            field="tables",
        )
    name = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}"
    to.mkdir(mode=0o700, parents=True, exist_ok=True)
    _clear(to)
    partial = to / f"{PARTIAL}{name}"
    partial.mkdir(mode=0o700)
    try:
        with _full_disk(), shop.audited(OWNER, "backup.create", {"name": name}):
            made = _fill(shop, partial, name)
            partial.rename(to / name)
            manifests.sync(to)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    return made


def listed(to: Path) -> list[tuple[Manifest | None, str]]:
    """Every backup in a folder, the newest first; None for one whose manifest cannot be read."""
    if not to.is_dir():
        return []
    found: list[tuple[Manifest | None, str]] = []
    for folder in sorted((p for p in to.iterdir() if _NAME.fullmatch(p.name)), reverse=True):
        try:
            found.append((manifests.read(folder), folder.name))
        except (NotFound, Corrupt):
            found.append((None, folder.name))
    return found


def verify(folder: Path) -> Manifest:
    """The manifest of a backup whose every byte was compared and whose every row was decoded.

    Raises:
        Corrupt: says what is missing, changed, too much or cannot be decoded.
    """
    found = manifests.read(folder)
    named = {file.path for file in found.files} | {FILE}
    there = set(manifests.within(folder))
    if missing := sorted(named - there):
        raise Corrupt(f"{len(missing)} files are missing from {folder}: {missing[0]} …")
    if foreign := sorted(there - named):
        raise Corrupt(f"{len(foreign)} files in {folder} are not of the backup: {foreign[0]} …")
    for file in found.files:
        if manifests.described(folder, file.path) != file:
            raise Corrupt(f"The file {file.path} in {folder} is not the one that was kept.")
    store.check((folder / STORE[found.database]).resolve(), found.database)
    tables.check(folder / tables.FOLDER, found.tables)
    return found


def restore(folder: Path, into: Path) -> Manifest:
    """The shop of a backup in ``into``, an empty or new folder, brought up to this version.

    The backup is verified first. PostgreSQL is restored into the empty database that
    ``SHOPKEEPER_DATABASE`` names. A crash on the way leaves ``into`` as it was.

    Raises:
        Conflict: ``into`` is not empty.
    """
    found = verify(folder)
    into = into.resolve()
    if into.exists() and (not into.is_dir() or any(into.iterdir())):
        raise Conflict(f"{into} is not empty.", hint="Name a new folder for the restored shop.")
    into.parent.mkdir(parents=True, exist_ok=True)
    partial = into.parent / f"{PARTIAL}{into.name}-{secrets.token_hex(4)}"
    partial.mkdir(mode=0o700)
    try:
        with _full_disk():
            manifests.copied(folder / settings.FILE, partial, settings.FILE)
            kept = settings.load(partial)
            if Path(kept.tables).is_absolute() or "://" in kept.tables:
                raise BadInput(
                    f"The setting 'tables' names {kept.tables!r}, outside of the shop's folder.",
                    hint="Restore with SHOPKEEPER_TABLES=tables, and move them afterwards.",
                    field="tables",
                )
            before = f"{tables.FOLDER}/"
            manifests.copies(
                (folder / file.path, partial, f"{kept.tables}/{file.path.removeprefix(before)}")
                for file in found.files
                if file.path.startswith(before)
            )
            store.load(folder / STORE[found.database], found.database, partial, kept.database)
            manifests.seal(partial)
            partial.rename(into)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    with Shop.open(into) as shop:  # migrates
        Leases(shop.database).clear()  # they are of the shop that was backed up
        hold_restored(shop)
        tables.check(into / shop.settings.tables, found.tables)
        with shop.audited(OWNER, "backup.restore", {"name": found.name}):
            shop.log.last()
    return found


def _fill(shop: Shop, partial: Path, name: str) -> Manifest:
    for _ in range(_TRIES):
        before = _imports(shop)
        pinned = tables.pin(shop)
        target = partial / STORE[shop.database.dialect_name]
        target.unlink(missing_ok=True)
        store.save(shop, target)
        if _imports(shop) != before:
            continue
        try:
            return _finish(shop, partial, name, pinned)
        except FileNotFoundError:  # a version was cleaned away while it was copied
            shutil.rmtree(partial / tables.FOLDER, ignore_errors=True)
            (partial / settings.FILE).unlink(missing_ok=True)
    raise Unavailable(
        "The shop changed faster than it could be copied.", hint="Try again when no import runs."
    )


def _finish(shop: Shop, partial: Path, name: str, pinned: list[tables.Pinned]) -> Manifest:
    files: list[File] = [manifests.copied(shop.folder / settings.FILE, partial, settings.FILE)]
    files.append(manifests.described(partial, STORE[shop.database.dialect_name]))
    for one in pinned:
        files += tables.save(one, partial)
    made = Manifest(
        name=name,
        shop=shop.settings.name,
        created_at=datetime.now(UTC),
        shopkeeper=shopkeeper.__version__,
        database=shop.database.dialect_name,
        moved=max((one.cursor for one in pinned if one.table.name == "events"), default=0),
        tables=tuple(one.table for one in pinned),
        files=tuple(files),
    )
    descriptor = os.open(partial / FILE, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as out:
        out.write(made.model_dump_json(indent=1))
        out.flush()
        os.fsync(out.fileno())
    manifests.seal(partial)
    return made


def _imports(shop: Shop) -> object:
    """What changes whenever an import or the erasure of a customer begins or ends."""
    return shop.imports.list(5), Erasures(shop.database).list()


def _clear(to: Path) -> None:
    """Remove what backups left that were killed, a day ago or longer."""
    for left in to.glob(f"{PARTIAL}*"):
        if time.time() - left.stat().st_mtime > _STALE_SECONDS:
            shutil.rmtree(left, ignore_errors=True)


@contextmanager
def _full_disk() -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        raise Unavailable(
            f"A file could not be written: {error.strerror}.",
            hint="Make room, or name another disk.",
        ) from error
