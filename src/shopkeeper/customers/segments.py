"""The named RFM segments: which scores belong to each, and what to do for it, in both languages."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import product
from typing import Any

from shopkeeper.core.errors import UnknownName
from shopkeeper.core.settings import Language
from shopkeeper.customers.types import Advice

Range = tuple[int, int]

SCORES = range(1, 6)


@dataclass(frozen=True)
class Definition:
    """One segment: its code, the boxes of (R, F, M) scores it holds, and its words."""

    code: str
    boxes: tuple[tuple[Range, Range, Range], ...]
    words: dict[str, dict[str, str]]

    def holds(self, r: int, f: int, m: int) -> bool:
        """Whether a customer with these scores belongs here."""
        return any(
            all(low <= score <= high for score, (low, high) in zip((r, f, m), box, strict=True))
            for box in self.boxes
        )

    @property
    def cells(self) -> set[tuple[int, int, int]]:
        """Every (R, F, M) that belongs here."""
        return {(r, f, m) for r, f, m in product(SCORES, SCORES, SCORES) if self.holds(r, f, m)}

    def name(self, lang: Language) -> str:
        return self.words[lang]["name"]

    def rule(self, lang: Language) -> str:
        return self.words[lang]["rule"]

    def advice(self, lang: Language) -> Advice:
        """What to do for these customers."""
        words = self.words[lang]
        return Advice(**{field: words[field] for field in Advice.model_fields})


@cache
def definitions() -> dict[str, Definition]:
    """All segments by code, in the order in which they are shown."""
    text = files("shopkeeper.customers").joinpath("segments.toml").read_text("utf-8")
    return {code: _definition(code, values) for code, values in tomllib.loads(text).items()}


def _definition(code: str, values: dict[str, Any]) -> Definition:
    boxes = tuple((_range(r), _range(f), _range(m)) for r, f, m in values["boxes"])
    return Definition(code, boxes, {lang: values[lang] for lang in ("en", "zh")})


def _range(pair: list[int]) -> Range:
    low, high = pair
    return low, high


def definition(code: str) -> Definition:
    """The segment of that code.

    Raises:
        UnknownName: there is none; says which is near.
    """
    known = definitions()
    if code not in known:
        raise UnknownName("segment", code, known, field="segment")
    return known[code]
