"""The shop's inbox as people see it: what they upload is kept under a plain name and replaces nothing."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from nicegui import events

from shopkeeper.collect import mapping
from shopkeeper.collect.paths import INBOX
from shopkeeper.console.visit import Visit
from shopkeeper.core.errors import BadInput, Unavailable
from shopkeeper.core.operation import Actor, find

_UNSAFE: Final = re.compile(r"[^\w.()\u3400-\u9fff -]")


def folder(visit: Visit) -> Path:
    """Where it is."""
    return visit.calls.shop.folder / INBOX


def names(visit: Visit) -> list[str]:
    """The files in it, but for mappings."""
    where = folder(visit)
    if not where.is_dir():
        return []
    files = (p for p in where.iterdir() if p.is_file() and p.suffix != ".toml")
    return sorted(p.name for p in files if not p.name.startswith("."))


async def keep(visit: Visit, event: events.UploadEventArguments) -> str:
    """Save what was sent; the name that it got.

    Raises:
        BadInput: it has no name.
        NotAllowed: the person may not import.
        Unavailable: there is no room. Nothing is kept then.
    """
    actor = await _permitted(visit)
    name = _UNSAFE.sub("_", Path(event.file.name).name).strip(" .")[-120:]
    if not name:
        raise BadInput("The file has no name.", hint="Give it one.", field="file")
    where = folder(visit)
    with _room(where / f".{name}.part") as part:
        await visit.calls.look(lambda: where.mkdir(exist_ok=True))
        await event.file.save(part)
        return await visit.calls.look(lambda: _placed(visit, actor, part, name))


async def keep_mapping(visit: Visit, file: str, text: str) -> str:
    """Save a mapping for that file; its name. The same text twice is one file.

    Raises:
        BadInput: it is no mapping; says where.
    """
    actor = await _permitted(visit)
    stem = Path(file).name.partition(".")[0][:60]
    mapping.parse(text, stem)
    content = text.encode()
    name = f"{stem}-{hashlib.sha256(content).hexdigest()[:8]}.toml"
    where = folder(visit)

    def write() -> None:
        where.mkdir(exist_ok=True)
        with visit.calls.shop.audited(actor, "console.mapping", {"file": name}):
            part.write_bytes(content)
            part.replace(where / name)

    if not (where / name).exists():
        with _room(where / f".{name}.part") as part:
            await visit.calls.look(write)
    return name


async def _permitted(visit: Visit) -> Actor:
    visit.calls.sessions.touch(visit.session)  # the page may have been open for long
    actor = await visit.calls.look(lambda: visit.calls.actor(visit.session))
    find("collect.import_file").permit(actor)
    return actor


def _placed(visit: Visit, actor: Actor, part: Path, name: str) -> str:
    where, stem, suffix = part.parent, Path(name).stem, Path(name).suffix
    number = 1
    while (where / name).exists():
        number += 1
        name = f"{stem}-{number}{suffix}"
    with visit.calls.shop.audited(actor, "console.upload", {"file": name}):
        part.replace(where / name)
    return name


@contextmanager
def _room(part: Path) -> Iterator[Path]:
    """The name of a file while it is written: it never stays half written."""
    try:
        yield part
    except OSError as error:
        raise Unavailable(
            f"The file could not be kept: {error.strerror or type(error).__name__}.",
            hint="Make room on the shop's disk. Nothing was changed; what was there is there.",
        ) from error
    finally:
        part.unlink(missing_ok=True)
