"""Which texts can be read at all, and why not."""

from __future__ import annotations

from collections.abc import Sequence

MAX_CHARACTERS = 100_000
_MAX_UNPRINTABLE = 0.1  # share of the characters; more is a picture or an archive, not a text
_CONTROLS = dict.fromkeys((*range(9), *range(14, 32), *range(127, 160), 65533))


def refusal(text: str) -> str:
    """Why ``text`` is not read: one short reason, or "" for a text that is."""
    if len(text) > MAX_CHARACTERS:
        return f"too long: {len(text)} characters, at most {MAX_CHARACTERS}"
    if not text or text.isspace():
        return "empty"
    if text.isprintable():
        return ""
    if len(text.translate(_CONTROLS)) < (1 - _MAX_UNPRINTABLE) * len(text):
        return "not a text: control characters or undecodable bytes"
    return ""


def refusals(texts: Sequence[str]) -> dict[int, str]:
    """The places of the texts that cannot be read, each with its reason."""
    return {place: why for place, text in enumerate(texts) if (why := refusal(text))}
