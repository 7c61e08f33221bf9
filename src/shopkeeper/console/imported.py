"""What imports say of a file, in the reader's language."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.resources import files

from shopkeeper.core.settings import Language

_PLACE = re.compile(r"\{([a-z]+)\}")


def said(lang: Language, message: str) -> str:
    """The message in this language; as it is where no words are known for it."""
    if lang == "en":
        return message
    for pattern, told in _patterns():
        if found := pattern.fullmatch(message):
            return _PLACE.sub(lambda place: found[place[1]] if place[1] in found.groupdict() else place[0],
                              told)  # fmt: skip
    return message


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], str], ...]:
    return tuple(_read())


def _read() -> Iterator[tuple[re.Pattern[str], str]]:
    text = files("shopkeeper.console").joinpath("words/imports.toml").read_text("utf-8")
    for message, told in tomllib.loads(text)["messages"].items():
        parts = _PLACE.split(message)
        pattern = "".join(f"(?P<{p}>.+?)" if i % 2 else re.escape(p) for i, p in enumerate(parts))
        yield re.compile(pattern, re.DOTALL), told
