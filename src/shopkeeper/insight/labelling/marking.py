"""What a person marked in a text, checked against its words and placed in it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Final

from shopkeeper.core.errors import BadInput, Conflict, UnknownName
from shopkeeper.insight.types import Marked

_VALUES: Final = {"negative": -1, "neutral": 0, "positive": 1}
_NOWHERE: Final = -1


def placed(
    text: str, marked: Sequence[Marked], categories: Collection[str]
) -> list[dict[str, Any]]:
    """The marks as a label holds them: aspect, category, opinion, polarity (-1, 0, 1), start and end.

    Raises:
        BadInput: words that do not stand in the text as given, or a mark without any.
        UnknownName: a category that the task does not know.
        Conflict: the same mark twice.
    """
    found: list[dict[str, Any]] = []
    for one in marked:
        span = _placed(text, one, categories)
        if span in found:
            raise Conflict(f"{one.aspect or one.opinion!r} is marked twice.", field="spans")
        found.append(span)
    return sorted(found, key=lambda span: (span["start"], span["opinion"]))


def _placed(text: str, one: Marked, categories: Collection[str]) -> dict[str, Any]:
    if one.category not in categories:
        raise UnknownName("category", one.category, categories, field="spans")
    if not one.aspect.strip() and not one.opinion.strip():
        raise BadInput(
            "A mark holds no words.", hint="Give an aspect or an opinion.", field="spans"
        )
    if one.opinion not in text:
        raise _absent(one.opinion)
    start = _NOWHERE
    if one.aspect:
        start = text.find(one.aspect) if one.start is None else one.start
        if start < 0 or text[start : start + len(one.aspect)] != one.aspect:
            raise _absent(one.aspect)
    return {
        "aspect": one.aspect,
        "category": one.category,
        "opinion": one.opinion,
        "polarity": _VALUES[one.polarity],
        "start": start,
        "end": start + len(one.aspect) if one.aspect else _NOWHERE,
    }


def _absent(words: str) -> BadInput:
    return BadInput(
        f"{words[:60]!r} does not stand in the text at that place.",
        hint="Take the words over as they are.",
        field="spans",
    )
