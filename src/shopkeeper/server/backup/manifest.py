"""What a backup holds, written last into it: without its manifest a folder is no backup."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Final

from pydantic import Field, ValidationError

from shopkeeper.core.errors import Corrupt, NotFound, TooLarge
from shopkeeper.core.types import Value

FILE: Final = "manifest.json"
PARTIAL: Final = ".partial-"
STORE: Final = {"sqlite": "store/shop.sqlite", "postgresql": "store/shop.dump"}
FORMAT: Final = 1
_PIECE = 1 << 20
_AT_ONCE = 16
_LARGEST = 200_000_000


class File(Value):
    """One file of a backup: where it is in it, its bytes and their SHA-256."""

    path: str
    bytes: int
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")


class Table(Value):
    """One table at the version that was kept."""

    name: str
    version: int
    rows: int


class Manifest(Value):
    """The whole of a backup; ``moved`` is how far the intake log was in the tables."""

    format: int = FORMAT
    name: str
    shop: str
    created_at: datetime
    shopkeeper: str
    database: str
    moved: int
    tables: tuple[Table, ...]
    files: tuple[File, ...]

    @property
    def bytes(self) -> int:
        """Of all its files."""
        return sum(file.bytes for file in self.files)


def read(folder: Path) -> Manifest:
    """The manifest of the backup in ``folder``.

    Raises:
        NotFound: there is none: the backup was never finished, or this is no backup.
        Corrupt: it cannot be read, or a newer version wrote it.
    """
    path = folder / FILE
    if folder.name.startswith(PARTIAL) or not path.is_file():
        raise NotFound(
            f"{folder} is not a backup.", hint="`shopkeeper backup list` shows those there are."
        )
    if path.stat().st_size > _LARGEST:
        raise TooLarge(f"The manifest of {folder} is too large to be one.")
    try:
        manifest = Manifest.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise Corrupt(f"The manifest of {folder} cannot be read.") from error
    if manifest.format != FORMAT:
        raise Corrupt(
            f"The backup {folder} has format {manifest.format}; this version reads {FORMAT}.",
            hint="Run: pip install --upgrade shopkeeper",
        )
    for file in manifest.files:
        if ".." in Path(file.path).parts or Path(file.path).is_absolute():
            raise Corrupt(f"The manifest of {folder} names a file outside of it.")
    return manifest


def copied(source: Path, folder: Path, name: str) -> File:
    """Copy a file into ``folder`` under ``name``, durable when it returns."""
    target = folder / name
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    digest = hashlib.sha256()
    size = 0
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as out, source.open("rb") as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
            out.write(piece)
            size += len(piece)
        out.flush()
        os.fsync(out.fileno())
    return File(path=name, bytes=size, sha256=digest.hexdigest())


def copies(wanted: Iterable[tuple[Path, Path, str]]) -> list[File]:
    """Copy many files, several at once: most of the time goes to waiting for the disk."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return list(pool.map(lambda one: copied(*one), wanted))


def described(folder: Path, name: str) -> File:
    """A file that is in ``folder`` already."""
    digest = hashlib.sha256()
    path = folder / name
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
        os.fsync(file.fileno())
    return File(path=name, bytes=path.stat().st_size, sha256=digest.hexdigest())


def within(folder: Path) -> Iterator[str]:
    """The files under ``folder``, by their path in it."""
    for path in sorted(folder.rglob("*")):
        if not path.is_dir() or path.is_symlink():
            yield path.relative_to(folder).as_posix()


def seal(folder: Path) -> None:
    """Make all folders under this one durable, and their owner's alone."""
    for path in (folder, *(p for p in folder.rglob("*") if p.is_dir())):
        path.chmod(0o700)
        sync(path)


def sync(path: Path) -> None:
    """Make the names in one folder durable."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
