"""The words of a text that can name a theme, for Chinese and English alike."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.resources import files
from typing import Literal

import rjieba

from shopkeeper.core.text import language
from shopkeeper.tasks.alphabet import traditional
from shopkeeper.tasks.readable import refusal

Tongue = Literal["zh", "en"]
TONGUES: tuple[Tongue, ...] = ("zh", "en")

LONGEST = 4_000
"""Characters of a text that are read: what follows in a longer one is left out."""

_LATIN = re.compile(r"[a-z][a-z0-9]*(?:['’+.-][a-z0-9]+)*")
_HAN = re.compile(r"[\u3400-\u9fff]+")
_ADDRESS = re.compile(r"https?://\S+|www\.\S+|\S+@\S+|<[^<>]{1,200}>|&[a-z#0-9]{1,8};")
_LONG_NUMBER = re.compile(r"\d{4,}")
_LONGEST_WORD = 24
_SINGLE = frozenset(
    "茶书酒米面油盐糖奶肉鱼虾鸡蛋菜果梨桃橙枣药花布棉丝皮鞋帽裤裙衣被床灯锅刀碗杯壶桌椅门窗墙"
    "车屏键盘线壳膜贵慢快吵臭香甜酸苦咸辣脏旧薄厚硬软烫冷热漏裂碎坏掉色霉虫"
)
"""Single characters that are words with a subject; any other alone says too little."""


def clean(text: str) -> str:
    """The text as it is compared: one form of each character, lower case, no addresses, not too long."""
    short = unicodedata.normalize("NFKC", text[:LONGEST]).lower().translate(_folds())
    return " ".join(_ADDRESS.sub(" ", short).split())


def tongue(cleaned: str) -> Tongue | None:
    """In which of the two ways the text is read; None where it has no letters to read."""
    found = language(cleaned)
    return "zh" if found == "zh" else "en" if found == "en" else None


def readable(text: str) -> bool:
    """Whether it is a text at all: not empty, not binary. A long one is cut, not refused."""
    return not refusal(text[:LONGEST])


def words(cleaned: str, spoken: Tongue) -> list[str]:
    """The words of a cleaned text in their order, without those that name no theme."""
    stopped = stop(spoken)
    found = _chinese(cleaned) if spoken == "zh" else _english(cleaned)
    return [w for w in found if w not in stopped and (1 < len(w) <= _LONGEST_WORD or w in _SINGLE)]


def _english(cleaned: str) -> Iterator[str]:
    for word in _LATIN.findall(cleaned.replace("’", "'")):
        yield word.removesuffix("'s")


def _chinese(cleaned: str) -> Iterator[str]:
    for word in rjieba.cut(cleaned):
        if _HAN.fullmatch(word) or (_LATIN.fullmatch(word) and not _LONG_NUMBER.search(word)):
            yield word


@cache
def stop(spoken: Tongue) -> frozenset[str]:
    """The words that name no theme: grammar, degree, mere judgement."""
    text = files("shopkeeper.insight.themes").joinpath("stop", f"{spoken}.txt").read_text("utf-8")
    return frozenset(_listed(text.splitlines()))


def _listed(lines: Iterable[str]) -> Iterator[str]:
    for line in lines:
        if not line.startswith("#"):
            yield from line.split()


@cache
def _folds() -> dict[int, int]:
    return traditional()
