"""The verdict of a review or post: negative, neutral or positive."""

from __future__ import annotations

from shopkeeper.tasks.features import NgramHasher
from shopkeeper.tasks.house import written
from shopkeeper.tasks.house.clauses import NEGATIVE, NEUTRAL, POSITIVE
from shopkeeper.tasks.house.fitting import Examples, Settings, examples, fit
from shopkeeper.tasks.house.grammar import Grammar
from shopkeeper.tasks.student import Student

USES = ("sentiment", "aspects", "grammar")
"""The tasks whose written data this reader is made from."""

_COMPOSED = {NEGATIVE: 15_000, NEUTRAL: 4_000, POSITIVE: 15_000}
_TIMES = {"zh": 2, "en": 1}
"""How many times as many are composed, and how often each phrase stands by itself."""
_SETTINGS = {
    "zh": Settings(hasher=NgramHasher(sizes=(1, 2, 3, 4), letters=(3, 4, 5), bits=20)),
    "en": Settings(
        hasher=NgramHasher(sizes=(1, 2, 3), letters=(4, 5), bits=20), written_weight=1.5
    ),
}


def train(language: str) -> Student:
    """The reader of one language."""
    labels = list(written.labels("sentiment"))
    return fit(labels, practice(language), whole(language), _SETTINGS[language])


def practice(language: str, seed: int = 0) -> Examples:
    """Composed texts, and every phrase and every word that leans to one side by itself."""
    labels = list(written.labels("sentiment"))
    grammar = Grammar(language, seed)
    times = _TIMES[language]
    pairs = [
        (grammar.text(label), [label])
        for label, count in _COMPOSED.items()
        for _ in range(count * times)
    ]
    phrases = [(phrase, [label]) for label in labels for phrase in grammar.phrases(label)]
    pairs += phrases * times
    tilts = written.tables("sentiment", language).get("tilts", {})
    pairs += [(word, [label]) for label, words in tilts.items() for word in words]
    return examples(pairs, labels)


def whole(language: str) -> Examples:
    """The texts that were written as a whole."""
    texts = written.tables("sentiment", language)["texts"]
    pairs = [(text, [label]) for label, said in texts.items() for text in said]
    return examples(pairs, list(written.labels("sentiment")))
