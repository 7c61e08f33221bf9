"""Drafts by a grammar: greetings, a reason, facts and a closing, several ways each, in both languages."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from shopkeeper.content.facts import PRICE, STOCK, Known, variable_name
from shopkeeper.content.types import Evidence, Occasion, Part
from shopkeeper.core import text
from shopkeeper.core.settings import Language

HOUSE: Final = "house"
VARIANTS: Final = 3
LANGUAGES: Final[tuple[Language, ...]] = ("zh", "en")
_FACTS: Final = 2
_LONGEST: Final = 40
_LEFT_OUT: Final = frozenset({PRICE, STOCK, "title"})
_NAMES: Final = {
    "zh": {"brand": "品牌", "category": "类别"},
    "en": {"brand": "Brand", "category": "Category"},
}
_TITLE, _PRICE, _SHOP = "{{ item.title }}", "{{ item.price }}", "{{ shop.name }}"
_UNSUBSCRIBE: Final = "{{ unsubscribe_url }}"
_SLOTS: Final = {"name": "${name}", "title": "${title}", "price": "${price}"}


@dataclass(frozen=True)
class Subject:
    """What a draft is about: the item's facts, the shop's signature, and the proof of a price that fell."""

    facts: Mapping[str, Known]
    signature: str
    proof: str = ""


@cache
def grammar() -> dict[str, dict[str, Any]]:
    """The words of the house by language."""
    return tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8"))


def part(
    lang: Language, occasion: Occasion, about: Subject, variant: int, *, provider: bool
) -> Part:
    """The words of one language for one occasion; a variant differs in every sentence."""
    if provider:
        return _wording(lang, occasion, about)
    words = grammar()[lang]
    return dressed(
        lang,
        _subject(words[occasion], about, variant),
        _lines(lang, occasion, about, variant),
        variant,
    )


def dressed(lang: Language, subject: str, lines: Sequence[str], variant: int) -> Part:
    """A letter around its lines: greeting, closing, the way out."""
    words = grammar()[lang]
    name = '{{ customer.name | default: "' + words["nobody"] + '" }}'
    greeting = _one(words["greetings"], variant).format(name=name)
    closing = _one(words["closings"], variant).format(shop=_SHOP)
    paragraphs = [greeting, *lines, closing]
    out = words["unsubscribe"].format(unsubscribe=_UNSUBSCRIBE)
    # No page: who changed the text and forgot the page would send two different letters.
    return Part(subject=subject, text="\n\n".join([*paragraphs, out]) + "\n")


def proofs(occasion: Occasion, about: Subject, parts: Mapping[Language, Part]) -> list[Evidence]:
    """The proofs of what the occasion claims, quoting the words that claim it."""
    if not about.proof:
        return []
    quotes = {
        quote
        for lang, one in parts.items()
        for quote in grammar()[lang][occasion].get("proofs", ())
        if any(quote in told for told in (one.subject, one.text))
    }
    return [Evidence(quote=quote, document=about.proof) for quote in sorted(quotes)]


def supporting(lang: Language, occasion: Occasion) -> list[str]:
    """Everything that the house itself may say: what a model may say too."""
    words = grammar()[lang]
    return [
        *words[occasion]["subjects"],
        *words[occasion]["lines"],
        words[occasion]["sms"],
        *words["price"],
        *words["greetings"],
        *words["closings"],
    ]


def seed(item_id: str, occasion: str) -> int:
    """A number by which items differ in their words, the same at every call."""
    return int(hashlib.sha256(f"{item_id}\x1f{occasion}".encode()).hexdigest()[:8], 16)


def told_facts(lang: Language, facts: Mapping[str, Known]) -> list[tuple[str, Known]]:
    """The facts that a letter of that language may tell, named in it: short ones, those with an id first."""
    named = _NAMES[lang]
    order = sorted(facts.values(), key=lambda one: (not one.fact_id, one.name in named, one.name))
    return [
        (named.get(one.name, one.name), one)
        for one in order
        if one.name not in _LEFT_OUT
        and len(one.said) <= _LONGEST
        and (one.name in named or text.language(one.name) == lang)
        and text.language(one.said) in (None, lang)
    ]


def _subject(words: Mapping[str, Any], about: Subject, variant: int) -> str:
    usable = [one for one in words["subjects"] if PRICE in about.facts or "{price}" not in one]
    return str(_one(usable, variant)).format(title=_TITLE, price=_PRICE)


def _lines(lang: Language, occasion: Occasion, about: Subject, variant: int) -> list[str]:
    words = grammar()[lang]
    lines = [_one(words[occasion]["lines"], variant).format(title=_TITLE, price=_PRICE)]
    told = told_facts(lang, about.facts)[:_FACTS]
    if told:
        said = [
            words["fact"].format(fact=name, value="{{ item." + variable_name(one.name) + " }}")
            for name, one in told
        ]
        lines.append(words["between"].join(said) + words["ends"])
    if PRICE in about.facts:
        lines.append(_one(words["price"], variant).format(price=_PRICE))
    return lines


def _wording(lang: Language, occasion: Occasion, about: Subject) -> Part:
    words = grammar()[lang]
    name = '{{ customer.name | default: "' + words["nobody"] + '" | truncate: 12 }}'
    wording = str(words[occasion]["sms"]).format(**_SLOTS)
    comma, out = ("，", "拒收请回复R") if lang == "zh" else (", ", " Reply STOP to opt out.")
    values = {"name": name, "title": "{{ item.title | truncate: 30 }}"}
    if "${price}" in wording:
        values["price"] = _PRICE
    return Part(
        text=f"【{about.signature}】${{name}}{comma}{wording}{out}", variables=values
    )  # fmt: skip


def _one(choices: Sequence[str], variant: int) -> str:
    return choices[variant % len(choices)]
