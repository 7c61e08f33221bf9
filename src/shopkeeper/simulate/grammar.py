"""Templates of one language: choices in brackets, slots in braces, and the slips of fast fingers."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from random import Random
from typing import Any, Final

from shopkeeper.core.errors import Corrupt
from shopkeeper.simulate.products import Product, catalogue, fact_names

_FOLDER = Path(__file__).parent / "words"
_CHOICE = re.compile(r"\[([^\]]*)\]")
_SLOT = re.compile(r"\{(\w+)\}")
_START = re.compile(r"(^|[.!?]\s+)([a-z])")
_UNITS_ZH: Final = {
    "months": "个月",
    "days": "天",
    "years": "年",
    "pieces": "件",
    "h": "小时",
    "people": "人",
    "ports": "口",
    "min": "分钟",
    "mesh": "目",
    "mg/serving": "毫克/份",
    "threads/inch": "根/英寸",
    "million presses": "百万次",
    "pH": "",
    "SPF": "",
    "UPF": "",
    "Ra": "",
}
_UNITS_EN: Final = {"pH": "", "SPF": "", "UPF": "", "ports": "", "pieces": ""}
_SLIPS_ZH: Final = (("的", "得"), ("在", "再"), ("很", "狠"), ("吗", "嘛"), ("已经", "以经"))

Slots = Mapping[str, str]


class Grammar:
    """The words of one language; every method takes the chance to use."""

    def __init__(self, language: str) -> None:
        words = tomllib.loads((_FOLDER / f"{language}.toml").read_text("utf-8"))
        self.language = language
        self.frames: dict[str, list[str]] = words["frames"]
        self.aspects: dict[str, dict[str, list[str]]] = words["aspects"]
        self.chat: dict[str, Any] = words["chat"]
        self._very: list[str] = words["very"]
        self._parts: dict[str, list[list[str]]] = {}

    def say(self, template: str, chance: Random, slots: Slots) -> str:
        """The template with its choices made and its slots filled."""
        parts = self._parts.get(template)
        if parts is None:
            split = _CHOICE.split(template)
            parts = [p.split("|") if n % 2 else [p] for n, p in enumerate(split)]
            self._parts[template] = parts
        text = "".join(one[0] if len(one) == 1 else chance.choice(one) for one in parts)

        def fill(match: re.Match[str]) -> str:
            name = match[1]
            if name == "very":
                return chance.choice(self._very)
            if name not in slots:
                raise Corrupt(f"The template {template!r} has an unknown slot {name!r}.")
            return slots[name]

        return _SLOT.sub(fill, text) if "{" in text else text

    def pick(self, templates: list[str], chance: Random, slots: Slots) -> str:
        return self.say(chance.choice(templates), chance, slots)

    def fact(self, product: Product, chance: Random) -> tuple[str, str, str]:
        """A fact of the product: its label, its value with the unit, and both together."""
        fact = chance.choice(product.facts)
        zh, en, _, _ = fact_names()[fact.name]
        if self.language == "zh":
            unit = _UNITS_ZH.get(fact.unit, fact.unit)
            value = f"{fact.zh}{' ' if unit.isascii() and unit else ''}{unit}"
            return zh, value, zh + value
        unit = _UNITS_EN.get(fact.unit, fact.unit)
        value = f"{fact.en}{' ' + unit if unit else ''}"
        return en, value, f"{en} {value}"

    def polish(self, text: str, chance: Random) -> str:
        """Sentences that start with a capital, and now and then a slip or a careless full stop."""
        if self.language == "zh":
            return _careless_zh(text, chance)
        return _careless_en(_START.sub(lambda m: m[1] + m[2].upper(), text), chance)


@cache
def grammar(language: str) -> Grammar:
    """The words of ``zh`` or ``en``, read once."""
    return Grammar(language)


def _careless_zh(text: str, chance: Random) -> str:
    roll = chance.random()
    if roll < 0.05:
        right, wrong = chance.choice(_SLIPS_ZH)
        return text.replace(right, wrong, 1)
    if roll < 0.13:
        return text.replace("，", " ").replace("。", " ").strip()
    if roll < 0.2:
        return text.rstrip("。") + chance.choice(["！", "！！", "～", "!"])
    return text.rstrip("。") if roll < 0.45 else text


def _careless_en(text: str, chance: Random) -> str:
    roll = chance.random()
    if roll < 0.06:
        return _slip(text, chance)
    if roll < 0.14:
        return text.lower()
    if roll < 0.19:
        return text.replace("'", "")
    if roll < 0.25:
        return text.rstrip(".") + chance.choice(["!", "!!", " :)", "..."])
    return text.rstrip(".") if roll < 0.36 else text


def _slip(text: str, chance: Random) -> str:
    places = [n for n in range(1, len(text) - 1) if text[n].isalpha() and text[n + 1].isalpha()]
    if not places:
        return text
    n = chance.choice(places)
    return text[:n] + text[n + 1] + text[n] + text[n + 2 :]


def check_words() -> None:
    """Raise :class:`Corrupt` unless both languages speak of every aspect, well and badly."""
    for language in ("zh", "en"):
        words = grammar(language)
        for aspect in catalogue().aspects:
            if not all(words.aspects.get(aspect, {}).get(way) for way in ("good", "bad")):
                raise Corrupt(f"{language}.toml has no words for {aspect}.")
