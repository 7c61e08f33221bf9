"""What a customer wants in a chat with a shop."""

from __future__ import annotations

import random
import re

from shopkeeper.tasks.features import NgramHasher
from shopkeeper.tasks.house import written
from shopkeeper.tasks.house.fitting import Examples, Settings, examples, fit
from shopkeeper.tasks.student import Student

USES = ("intents",)
"""The tasks whose written data this reader is made from."""

_FRAMED = 3
_BARE = "{m}"
_SLOT = re.compile(r"\{(\w+)\}")
_SETTINGS = {
    "zh": Settings(hasher=NgramHasher(sizes=(1, 2), letters=(3,), bits=18), most=15_000),
    "en": Settings(hasher=NgramHasher(sizes=(1, 2, 3), letters=(3, 4, 5), bits=18), most=15_000),
}


def train(language: str) -> Student:
    """The reader of one language."""
    labels = list(written.labels("intents"))
    return fit(labels, practice(language), whole(language), _SETTINGS[language])


def practice(language: str, seed: int = 0) -> Examples:
    """Messages and phrases in the frames that people put around them, slots filled anew each time."""
    tables = written.tables("intents", language)
    slots, frames = tables["slots"], tables.get("frames", {}).get("texts", [_BARE])
    chance = random.Random(seed)  # noqa: S311 - chance, not secrets
    pairs: list[tuple[str, list[str]]] = []
    origins: list[int] = []
    for origin, (text, label) in enumerate(
        [*_messages(tables, "texts"), *_messages(tables, "phrases")]
    ):
        framed = [_BARE, *(chance.choice(frames) for _ in range(_FRAMED))]
        for frame in framed:
            pairs.append((_filled(frame.replace(_BARE, text), slots, chance), [label]))
            origins.append(
                origin
            )  # a phrase's is beyond the whole texts: nothing is held out with it
    return examples(pairs, list(written.labels("intents")), origins)


def whole(language: str, seed: int = 1) -> Examples:
    """Each message as it was written, its slots filled once."""
    tables = written.tables("intents", language)
    chance = random.Random(seed)  # noqa: S311 - chance, not secrets
    pairs = [
        (_filled(text, tables["slots"], chance), [label])
        for text, label in _messages(tables, "texts")
    ]
    return examples(pairs, list(written.labels("intents")))


def _messages(tables: written.Tables, kind: str) -> list[tuple[str, str]]:
    return [
        (text, label)
        for label in written.labels("intents")
        for text in tables.get(label, {}).get(kind, [])
    ]


def _filled(text: str, slots: dict[str, list[str]], chance: random.Random) -> str:
    return _SLOT.sub(lambda slot: chance.choice(slots[slot[1]]), text)
