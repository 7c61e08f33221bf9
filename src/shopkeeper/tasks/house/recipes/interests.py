"""What interests stand behind a search or a view."""

from __future__ import annotations

import random

from shopkeeper.tasks.features import NgramHasher
from shopkeeper.tasks.house import written
from shopkeeper.tasks.house.fitting import Examples, Settings, examples, fit
from shopkeeper.tasks.house.readers import NONE
from shopkeeper.tasks.student import Student

USES = ("interests",)
"""The tasks whose written data this reader is made from."""

_TIMES = 4
_VIEWED = 1
_SETTINGS = {
    "zh": Settings(hasher=NgramHasher(sizes=(1, 2, 3), letters=(3, 4, 5), bits=18), most=11_000),
    "en": Settings(hasher=NgramHasher(sizes=(1, 2), letters=(3, 4, 5), bits=18), most=11_000),
}


def train(language: str) -> Student:
    """The reader of one language."""
    return fit(names(), practice(language), whole(language), _SETTINGS[language])


def names() -> list[str]:
    """The interests, and that there is none."""
    return [*written.labels("interests"), NONE]


def practice(language: str, seed: int = 0) -> Examples:
    """Words by themselves, in the patterns of searches and in those of titles."""
    tables = written.tables("interests", language)
    chance = random.Random(seed)  # noqa: S311 - chance, not secrets
    queries = tables["templates"]["query"]
    views = tables["templates"].get("view", queries)
    pairs: list[tuple[str, list[str]]] = []
    for name in written.labels("interests"):
        for term in tables.get(name, {}).get("terms", []):
            patterns = [chance.choice(queries) for _ in range(_TIMES)]
            patterns += [chance.choice(views) for _ in range(_VIEWED)]
            pairs += [(term, [name])]
            pairs += [(pattern.replace("{term}", term), [name]) for pattern in patterns]
    return examples(pairs, names())


def whole(language: str) -> Examples:
    """Searches and titles that were written as they are, also those of several interests or none."""
    tables = written.tables("interests", language)
    pairs: list[tuple[str, list[str]]] = []
    for name in names():
        table = tables.get(name, {})
        pairs += [(text, [name]) for kind in ("queries", "views") for text in table.get(kind, [])]
    for group in tables.get("several", []):
        pairs += [(text, group["labels"]) for text in group["texts"]]
    return examples(pairs, names())
