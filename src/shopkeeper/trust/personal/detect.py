"""Where a text holds personal data."""

from __future__ import annotations

from collections.abc import Iterator

from shopkeeper.trust.personal.english_names import ALSO_WORDS
from shopkeeper.trust.personal.finding import LIKELY, SAID, Candidate, Finding
from shopkeeper.trust.personal.folding import fold
from shopkeeper.trust.personal.overlaps import resolve
from shopkeeper.trust.personal.patterns import NONE, Patterns
from shopkeeper.trust.personal.recogniser import recognisers
from shopkeeper.trust.personal.recurring import Recurring

_SAID_ONCE = frozenset(("name", "wechat", "qq", "passport", "permit", "plate", "license"))
"""Kinds that words give away: the second mention often comes without them."""


def find(text: str, *, patterns: Patterns = NONE) -> list[Finding]:
    """The personal data in ``text``, in order and without overlaps.

    Linear in the length of the text. ``patterns`` are the shop's own order numbers.
    """
    folded = fold(text)
    proposed: list[Candidate] = list(patterns.candidates(folded.text))
    for recogniser in recognisers():
        if recogniser.needs.search(folded.text):
            proposed.extend(recogniser.candidates(folded.text))
    held = resolve(proposed)
    again = list(_again(folded.text, held))
    if again:
        held = resolve([*held, *again])
    found = []
    for one in held:
        start, end = folded.span(one.start, one.end)
        found.append(Finding(one.kind, start, end, text[start:end], one.confidence))
    return found


def _again(text: str, held: list[Candidate]) -> Iterator[Candidate]:
    """Where what the words gave away once stands a second time."""
    values = Recurring()
    for one in held:
        value = text[one.start : one.end]
        if one.kind in _SAID_ONCE and one.confidence >= SAID and value.lower() not in ALSO_WORDS:
            values.add(value, one.kind)
    for kind, start, end in values.spans(text):
        yield Candidate(kind, start, end, LIKELY)
