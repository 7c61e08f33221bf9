"""What every check is given: the words with their places, the spec, and what is true of the items."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from shopkeeper.content.facts import Items, fact_of, item_variables
from shopkeeper.content.language import Missing, Piece, Variable, fill, line, parse
from shopkeeper.content.spec import Spec
from shopkeeper.content.types import Body, Check, Fact, Ruling
from shopkeeper.core.settings import Language

_DEFAULT: Final = re.compile(r"""["']([^"'{}]*)["']""")
_TAG: Final = re.compile(r"<(?:[^<>\"']|\"[^\"]*\"|'[^']*')*>")
MARKETING: Final = "marketing"


@dataclass(frozen=True, slots=True)
class Words:
    """One part in one language. ``bare`` is as long as ``source``: no variables, no tags, only words."""

    where: str
    language: Language
    name: str
    source: str
    bare: str
    pieces: tuple[Piece, ...]

    @property
    def variables(self) -> list[Variable]:
        return [one for one in self.pieces if isinstance(one, Variable)]


@dataclass(slots=True)
class Scene:
    """The words under check; checks add their findings and the facts that the words rest on."""

    body: Body
    purpose: str
    spec: Spec
    items: Items
    words: Sequence[Words]
    shop_name: str
    found: list[Check] = field(default_factory=list)
    facts: dict[tuple[str, str], Fact] = field(default_factory=dict)

    def add(
        self,
        verdict: Ruling,
        code: str,
        at: tuple[Words, int, int],
        because: str,
        detail: str = "",
    ) -> None:
        """Note one finding at a place of the words."""
        words, start, end = at
        self.found.append(
            Check(
                verdict=verdict,
                code=code,
                where=words.where,
                start=start,
                end=end,
                quote=words.source[start:end][:200],
                because=because,
                detail=detail,
            )
        )

    def block(self, code: str, where: str, detail: str = "") -> None:
        """Note what is wrong with a part as a whole."""
        self.found.append(
            Check(
                verdict="block",
                code=code,
                where=where,
                start=0,
                end=0,
                quote="",
                because=code,
                detail=detail,
            )
        )

    def rests_on(self, item_id: str, name: str) -> None:
        """Note that the words say this fact."""
        known = self.items[item_id][name]
        self.facts[item_id, name] = fact_of(item_id, known)

    def values(self) -> dict[str, str]:
        """The variables that are the same for everybody."""
        return item_variables(self.items, self.body.item_ids) | {"shop.name": self.shop_name}

    def sample(self, words: Words) -> str:
        """The part as most customers would read it: fall-backs where they have their own values."""
        told = dict(self.values())
        for one in words.variables:
            told.setdefault(one.name, one.default or "")
        try:
            return fill(words.pieces, told, "text")
        except Missing:  # another check says so
            return words.bare


def words_of(body: Body) -> Iterator[Words]:
    """Every part that has words, in order of language and part; variables of provider templates too.

    Raises:
        BadInput: a variable is not well formed; names the part.
    """
    for language, part in body.parts.items():
        for name, source in (("subject", part.subject), ("text", part.text), ("html", part.html)):
            if source:
                yield _words(language, name, source)
        for name, source in part.variables.items():
            yield _words(language, f"variables.{name}", source)


def _words(language: Language, name: str, source: str) -> Words:
    where = f"{language}.{name}"
    pieces = parse(source, f"parts.{where}")
    bare = source
    for one in pieces:
        if isinstance(one, Variable):
            told = source[one.start : one.end]
            kept = _DEFAULT.search(told) if one.default else None
            blank = " " * len(told)
            if kept:
                blank = blank[: kept.start(1)] + kept[1] + blank[kept.end(1) :]
            bare = bare[: one.start] + blank + bare[one.end :]
    if name == "html":
        bare = _TAG.sub(lambda tag: " " * len(tag[0]), bare)
    return Words(where, language, name, source, bare, pieces)


def names(items: Items) -> list[str]:
    """Brands and titles of the items: they name the goods."""
    found: Mapping[str, None] = {
        line(fact.said): None
        for one in items.values()
        for name, fact in one.items()
        if name in ("brand", "title")
    }
    return list(found)
