"""Which files may be read: the local owner's own, or from elsewhere only those in the shop's inbox."""

from __future__ import annotations

import stat
from pathlib import Path

from shopkeeper.core.errors import BadInput, NotAllowed, NotFound
from shopkeeper.core.operation import Actor

INBOX = "inbox"


def permitted(text: str, folder: Path, actor: Actor) -> Path:
    """The file that ``text`` names, links followed, if this actor may have it read.

    The local owner, whom the operating system let into the shop's folder, may name any file. Everybody
    else names one in ``<shop>/inbox``: otherwise a key could read the server's secrets.

    Raises:
        NotAllowed: the path leads outside the inbox.
        NotFound: there is no such file.
        BadInput: it is a folder, a device or an empty file.
    """
    local = actor.kind == "local"
    if "\x00" in text or not text.strip():
        raise BadInput(
            "The path is empty or holds a NUL.", hint="Give a file's path.", field="path"
        )
    base = Path.cwd() if local else folder / INBOX
    path = (base / Path(text).expanduser() if local else base / text).resolve()
    if not local and not path.is_relative_to(base.resolve()):
        raise NotAllowed(
            f"The path {text!r} leads outside the shop's inbox.",
            hint=f"Put the file into {INBOX}/ in the shop's folder and give its name there.",
            field="path",
        )
    try:
        status = path.stat()
    except (OSError, ValueError) as error:
        raise NotFound(
            f"There is no file {text!r} that can be read.",
            hint="Check the name; a relative path starts "
            + ("where you are." if local else "in the shop's inbox."),
            field="path",
        ) from error
    if not stat.S_ISREG(status.st_mode):
        kind = "a folder" if stat.S_ISDIR(status.st_mode) else "not a plain file"
        hint = "Import one file at a time; in a shell: for f in FOLDER/*; do … done."
        raise BadInput(f"{text!r} is {kind}.", hint=hint, field="path")
    if status.st_size == 0:
        raise BadInput(f"{path.name!r} is empty.", hint="Export it again.", field="path")
    return path
