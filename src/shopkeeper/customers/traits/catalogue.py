"""The traits by name: of what kind each is, its words, and what it rests on."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal, cast

from shopkeeper.core.errors import UnknownName
from shopkeeper.core.settings import Language

Kind = Literal["count", "days", "money", "share", "number", "date", "text"]
WHOLE = frozenset({"count", "days"})
NUMBERS = frozenset({"count", "days", "money", "share", "number"})


@dataclass(frozen=True)
class Trait:
    """One trait; ``words`` is its name by language."""

    name: str
    kind: Kind
    words: dict[str, str]

    def called(self, lang: Language) -> str:
        return self.words[lang]


@cache
def catalogue() -> dict[str, Trait]:
    """Every trait by name."""
    return {
        name: Trait(name, cast("Kind", told["kind"]), {"en": told["en"], "zh": told["zh"]})
        for name, told in _told()["traits"].items()
    }


def trait(name: str) -> Trait:
    """The trait of that name.

    Raises:
        UnknownName: there is none; says which is near.
    """
    known = catalogue()
    if name not in known:
        raise UnknownName("trait", name, known, field="definition")
    return known[name]


def evidence(family: str, lang: Language) -> str:
    """What the traits of a family rest on, in a sentence."""
    return str(_told()["evidence"][family][lang])


@cache
def _told() -> dict[str, dict[str, dict[str, str]]]:
    return tomllib.loads(files(__package__).joinpath("traits.toml").read_text("utf-8"))
