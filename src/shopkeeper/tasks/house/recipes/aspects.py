"""What a review says of what: aspect, category, opinion and polarity of each mention."""

from __future__ import annotations

from shopkeeper.tasks.house import inline, written
from shopkeeper.tasks.house.clauses import NEGATIVE, NEUTRAL, POSITIVE
from shopkeeper.tasks.house.fitting import NAME
from shopkeeper.tasks.house.grammar import Grammar, Marked
from shopkeeper.tasks.spans import SpanReader, SpanSettings

USES = ("aspects", "grammar")
"""The tasks whose written data this reader is made from."""

_COMPOSED = {NEGATIVE: 2_600, NEUTRAL: 800, POSITIVE: 2_600}
_WRITTEN = 3
"""How often each written sentence is shown beside the composed ones."""


def train(language: str) -> SpanReader:
    """The reader of one language."""
    marked = practice(language) + whole(language) * _WRITTEN
    texts, mentions = [text for text, _ in marked], [said for _, said in marked]
    return SpanReader.fit(
        NAME, texts, mentions, settings=SpanSettings(bits=17, rounds=6, most=15_000)
    )


def practice(language: str, seed: int = 0) -> list[Marked]:
    """Composed texts with their mentions."""
    grammar = Grammar(language, seed, known_only=True)
    return [grammar.marked(label) for label, count in _COMPOSED.items() for _ in range(count)]


def whole(language: str) -> list[Marked]:
    """The sentences that people wrote and marked."""
    categories = written.labels("aspects")
    marked = written.tables("aspects", language).get("texts", {}).get("marked", [])
    return [inline.read(text, categories) for text in marked]
