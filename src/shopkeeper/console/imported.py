"""What imports say of a file, in the reader's language."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from functools import cache
from importlib.resources import files

from shopkeeper.core.settings import Language

_GAP = re.compile(r"\{([a-z]+)\}")


def said(lang: Language, message: str) -> str:
    """The message in this language; as it is where no words are known for it."""
    if lang == "en":
        return message
    for parts, told in _messages():
        if (found := _gaps(parts, message)) is not None:
            return _GAP.sub(lambda gap: found.get(gap[1], gap[0]), told)
    return message


def _gaps(parts: Sequence[str], message: str) -> dict[str, str] | None:
    """What stands in the gaps of a message, each as short as can be; None where it is another message.

    Looked for from left to right and never again: messages hold what strangers' files hold, and a
    regular expression with three gaps took seconds for a few thousand characters.
    """
    if len(parts) == 1:
        return {} if message == parts[0] else None
    at, end = len(parts[0]), len(message) - len(parts[-1])
    if not message.startswith(parts[0]) or not message.endswith(parts[-1]):
        return None
    found: dict[str, str] = {}
    for name, words in zip(parts[1:-2:2], parts[2:-1:2], strict=True):
        stop = message.find(words, at + 1, end)
        if stop < 0:
            return None
        found[name], at = message[at:stop], stop + len(words)
    if at >= end:
        return None
    return found | {parts[-2]: message[at:end]}


@cache
def _messages() -> tuple[tuple[tuple[str, ...], str], ...]:
    """By message, its words and the names of its gaps in turn, and what it is in Chinese."""
    text = files("shopkeeper.console").joinpath("words/imports.toml").read_text("utf-8")
    messages: dict[str, str] = tomllib.loads(text)["messages"]
    return tuple((tuple(_GAP.split(message)), told) for message, told in messages.items())
