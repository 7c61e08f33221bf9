"""The folder ``<shop>/inbox``: files that came in to be imported, under names that are safe."""

from __future__ import annotations

import os
import re
import secrets
import time
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from shopkeeper.core.errors import BadInput, Unavailable

FOLDER = "inbox"
_PART = ".upload-"
_LONGEST = 120
_UNSAFE = re.compile(r"[^\w.\- ]+")
_STALE_SECONDS = 86_400.0


def safe(name: str) -> str:
    """The last part of a file's name with letters of any language, digits, dot, dash and space alone.

    Raises:
        BadInput: nothing is left of it.
    """
    last = unicodedata.normalize("NFC", name).replace("\\", "/").rpartition("/")[2]
    cleaned = _UNSAFE.sub("_", last).strip(" .")
    stem, dot, ending = cleaned.rpartition(".")
    kept = f"{stem[: _LONGEST - len(ending) - 1]}{dot}{ending}" if dot else cleaned[:_LONGEST]
    if not kept.strip("_-. ") or len(ending) > _LONGEST // 2:
        raise BadInput(
            "The file has no name that can be used.",
            hint="Give one such as orders.csv.",
            field="name",
        )
    return kept


class Inbox:
    """The inbox of one shop's folder, made when it is first needed."""

    def __init__(self, shop: Path) -> None:
        self.folder = shop / FOLDER

    @contextmanager
    def arriving(self) -> Iterator[tuple[BinaryIO, Path]]:
        """A file to write into, and where it is; it is removed at the end unless it was kept."""
        self._make()
        path = self.folder / f"{_PART}{secrets.token_hex(8)}"
        with _full_disk():
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            try:
                with os.fdopen(descriptor, "wb") as file:
                    yield file, path
            finally:
                path.unlink(missing_ok=True)

    def keep(self, file: BinaryIO, path: Path, name: str) -> str:
        """Make what arrived durable under its name, or under ``name-2`` … where that is taken."""
        file.flush()
        os.fsync(file.fileno())
        stem, dot, ending = name.rpartition(".")
        stem, ending = (stem, dot + ending) if dot else (name, "")
        number = 1
        while True:
            tried = f"{stem}{'' if number == 1 else f'-{number}'}{ending}"
            try:
                os.link(path, self.folder / tried)
            except FileExistsError:
                number += 1
                continue
            _sync_folder(self.folder)
            return tried

    def _make(self) -> None:
        self.folder.mkdir(mode=0o700, exist_ok=True)
        now = time.time()
        for left in self.folder.glob(f"{_PART}*"):  # of a server that was killed
            try:
                if now - left.stat().st_mtime > _STALE_SECONDS:
                    left.unlink()
            except FileNotFoundError:
                continue


@contextmanager
def _full_disk() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise Unavailable(
            f"The file could not be written: {error.strerror}.",
            hint="Make room on the shop's disk.",
        ) from error


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
