"""For trying out: letters are written to ``<shop>/outgoing/letters.jsonl`` and reach nobody."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Final

from shopkeeper.contact.channels.base import Surroundings
from shopkeeper.contact.letter import Content, Letter, Outcome, Result
from shopkeeper.core.errors import BadInput

KIND: Final = "customer"
REPEATABLE: Final = False
FOLDER: Final = "outgoing"
_FILE: Final = "letters.jsonl"


def check(content: Content) -> None:
    """Refuse a content with nothing in it."""
    if not (content.text or content.html or content.template_id):
        raise BadInput("The content is empty.", hint="Give it a text.", field="content.text")


def open_channel(around: Surroundings) -> FileChannel:
    """The channel of this shop's folder."""
    folder = around.folder / FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
    return FileChannel(folder / _FILE)


class FileChannel:
    """Appends one line a letter, on disk when it answers."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def send(self, letter: Letter) -> Result:
        """Append the letter."""
        told = {
            "message_id": letter.message_id,
            "address": letter.address,
            "step": letter.step,
            "unsubscribe_url": letter.unsubscribe_url,
            **letter.content.model_dump(exclude_defaults=True),
        }
        line = json.dumps(told, ensure_ascii=False).encode() + b"\n"
        try:
            descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                os.write(descriptor, line)
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        except OSError as error:
            return Result(Outcome.UNSURE, "disk", str(error.strerror), fault=True)
        return Result(Outcome.ACCEPTED, "written")

    def arrived(self, message_id: str) -> bool | None:
        """Whether a whole line of that message stands in the file."""
        if not self._path.exists():
            return False
        with self._path.open(encoding="utf-8", errors="replace") as lines:
            return any(message_id in line for line in lines if line.endswith("\n"))

    def close(self) -> None:
        """Nothing is held open."""
