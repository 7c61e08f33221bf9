"""The console's words in both languages, and the report's for what both of them name."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from shopkeeper.core.settings import Language
from shopkeeper.report.words import Words, finding_words
from shopkeeper.report.words import words as report_words

__all__ = ["Words", "finding_words", "own", "words"]


@cache
def words(lang: Language) -> Words:
    """All words of one language: `words/en.toml` or `words/zh.toml` over those of the report."""
    return Words(lang, {**report_words(lang).texts, **own(lang)})


def own(lang: Language) -> dict[str, str]:
    """The console's own words by key, with dots between table and name."""
    text = files("shopkeeper.console").joinpath(f"words/{lang}.toml").read_text("utf-8")
    return dict(_flat(tomllib.loads(text)))


def _flat(table: Mapping[str, object], prefix: str = "") -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for key, value in table.items():
        if isinstance(value, Mapping):
            found += _flat(value, f"{prefix}{key}.")
        else:
            found.append((prefix + key, str(value)))
    return found
