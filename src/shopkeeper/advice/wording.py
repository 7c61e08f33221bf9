"""What a suggestion says, in both languages; the words stand in `words/en.toml` and `words/zh.toml`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Final

from shopkeeper.advice.types import Figure, Line
from shopkeeper.content.facts import said_price
from shopkeeper.core.settings import Language

LANGUAGES: Final[tuple[Language, ...]] = ("en", "zh")
_DAYS: Final = {"en": ("day", "days"), "zh": ("天", "天")}


class Words:
    """The words of one language, for a shop that counts in a currency."""

    def __init__(self, lang: Language, currency: str) -> None:
        self.lang = lang
        self._currency = currency
        self._texts = texts(lang)

    def __call__(self, key: str, figures: Mapping[str, Figure] | None = None) -> str:
        """The words of that key, such as ``cart.title``, with the figures written in."""
        told = self._texts[key]
        if not figures:
            return told
        values = {name: self.written(figure) for name, figure in figures.items()}
        for name, figure in figures.items():  # an interval stands beside its figure
            if figure.low is not None and figure.high is not None:
                for end in ("low", "high"):
                    part = Figure(unit=figure.unit, value=getattr(figure, end))
                    values.setdefault(end, self.written(part))
            if name == self.lang:
                values["theme"] = values[name]
        return told.format(**values)

    def line(self, rule: str, one: Line) -> str:
        """A line of evidence: the rule's own words, else those of lines that all rules share."""
        key = f"{rule}.{one.code}"
        return self(key if key in self._texts else f"line.{one.code}", one.figures)

    def written(self, figure: Figure) -> str:
        """A figure as people read it."""
        if isinstance(figure.value, str):
            return figure.value
        if figure.unit == "money":
            return said_price(
                round(figure.value, 0 if abs(figure.value) >= 1000 else 2), self._currency
            )
        if figure.unit == "share":
            return f"{figure.value:.0%}" if figure.value >= 0.1 else f"{figure.value:.1%}"
        if figure.unit == "days":
            return self._days(figure.value)
        return (
            f"{figure.value:,.0f}" if float(figure.value).is_integer() else f"{figure.value:,.1f}"
        )

    def _days(self, value: float) -> str:
        number = f"{value:,.0f}" if float(value).is_integer() else f"{value:,.1f}"
        return f"{number} {_DAYS[self.lang][value != 1]}"


@cache
def texts(lang: Language) -> Mapping[str, str]:
    """All words of one language by key, with a dot between table and name."""
    told = tomllib.loads(files(__package__).joinpath(f"words/{lang}.toml").read_text("utf-8"))
    return {f"{table}.{name}": text for table, some in told.items() for name, text in some.items()}
