"""The report's words in both languages: `words/en.toml` and `words/zh.toml`, the same keys in each."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from shopkeeper.core.settings import Language


class Words:
    """Looks words up by key, with dots between table and name."""

    def __init__(self, lang: Language, texts: Mapping[str, str]) -> None:
        self.lang = lang
        self.texts = texts

    def __call__(self, key: str, /, **values: object) -> str:
        """The words of that key with ``{name}`` filled in; a missing key is our own mistake."""
        return self.texts[key].format(**values) if values else self.texts[key]

    def get(self, key: str, default: str) -> str:
        """The words of that key, or the default: for names that come from data."""
        return self.texts.get(key, default)


@cache
def words(lang: Language) -> Words:
    """All words of one language."""
    return Words(lang, read("shopkeeper.report", f"{lang}.toml"))


@cache
def finding_words(lang: Language) -> Words:
    """What `collect health` finds, by code: it says so in English itself."""
    return Words(lang, read("shopkeeper.report", f"findings.{lang}.toml"))


def read(package: str, name: str) -> dict[str, str]:
    """The words in a file of the package's folder ``words``, with dots between table and name."""
    text = files(package).joinpath(f"words/{name}").read_text("utf-8")
    return dict(_flat(tomllib.loads(text)))


def _flat(table: Mapping[str, object], prefix: str = "") -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for key, value in table.items():
        if isinstance(value, Mapping):
            found += _flat(value, f"{prefix}{key}.")
        else:
            found.append((prefix + key, str(value)))
    return found
