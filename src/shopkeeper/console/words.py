"""The console's words in both languages, and the report's for what both of them name."""

from __future__ import annotations

from functools import cache

from shopkeeper.core.settings import Language
from shopkeeper.report.words import Words, finding_words, read
from shopkeeper.report.words import words as report_words

__all__ = ["Words", "finding_words", "own", "words"]


@cache
def words(lang: Language) -> Words:
    """All words of one language: `words/en.toml` or `words/zh.toml` over those of the report."""
    return Words(lang, {**report_words(lang).texts, **own(lang)})


def own(lang: Language) -> dict[str, str]:
    """The console's own words by key, with dots between table and name."""
    return read("shopkeeper.console", f"{lang}.toml")
