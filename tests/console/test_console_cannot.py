"""What cannot be said is told in the reader's language: each code has words that take its values."""

from __future__ import annotations

import ast
import string
from collections.abc import Iterator
from pathlib import Path

import pytest

import shopkeeper
from shopkeeper.console.words import own
from shopkeeper.core.operation import WRITE
from shopkeeper.core.settings import Language
from shopkeeper.server.agents.tools import every

ROOT = Path(shopkeeper.__file__).parent


def codes() -> Iterator[tuple[str, frozenset[str]]]:
    """Every code that the source gives to a CannotSay, with the names of its values."""
    for path in sorted(ROOT.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not (isinstance(node, ast.Call) and getattr(node.func, "id", "") == "CannotSay"):
                continue
            given = {one.arg: one.value for one in node.keywords}
            code = given.get("code")
            if isinstance(code, ast.Constant):
                values = given.get("values")
                keys = values.keys if isinstance(values, ast.Dict) else []
                named = (str(key.value) for key in keys if isinstance(key, ast.Constant))
                yield str(code.value), frozenset(named)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_code_has_words_and_every_word_a_code(lang: Language) -> None:
    words = own(lang)
    found: dict[str, frozenset[str]] = {}
    for code, values in codes():
        found[code] = found.get(code, values) & values
        text = words[f"cannot.{code}"]
        wanted = {name for _, name, _, _ in string.Formatter().parse(text) if name}
        assert wanted <= values, f"{code} is told with {wanted - values}, which it does not give"
    told = {key.removeprefix("cannot.") for key in words if key.startswith("cannot.")}
    assert told == set(found)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_everything_that_the_audit_log_names_has_words(lang: Language) -> None:
    words = own(lang)
    writes = {f"{one.capability}.{one.name}" for one in every().values() if one.effect >= WRITE}
    assert not {name for name in writes if f"operation.{name}" not in words}
