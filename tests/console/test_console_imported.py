"""What imports say has Chinese words: every reason, hint, repair and note of the table importer."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import shopkeeper
from shopkeeper.console.imported import said

COLLECT = Path(shopkeeper.__file__).parent / "collect"
FILES = (
    "translation.py",
    "stage.py",
    "guessing.py",
    "inspecting.py",
    "formats/csv.py",
    "formats/excel.py",
)
TOML = re.compile(r"\w+ = ")
SAYS = {"_refuse": (1, 2), "_repair": (1,), "repair": (1,), "Broken": (2, 3), "append": (0,)}


def words(node: ast.expr) -> str | None:
    """A text of the source, with x for what differs."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if not isinstance(node, ast.JoinedStr):
        return None
    return "".join(str(v.value) if isinstance(v, ast.Constant) else "x" for v in node.values)


def messages() -> Iterator[str]:
    for name in FILES:
        for node in ast.walk(ast.parse((COLLECT / name).read_text("utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            called = getattr(node.func, "attr", getattr(node.func, "id", ""))
            for place in SAYS.get(called, ()):
                text = words(node.args[place]) if place < len(node.args) else None
                if text and " " in text and not TOML.match(text):
                    yield text


def test_every_message_of_a_table_has_words() -> None:
    found = sorted(set(messages()))
    assert len(found) > 40
    missing = [text for text in found if said("zh", text) == text]
    assert not missing


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("it is longer than 256 characters", "超过 256 个字符"),
        ("'cat', 'label' are left out", "'cat', 'label' are left out"),
        (
            "The header has 5. Put a text that holds ',' in quotes.",
            "表头有 5 列。含有 ',' 的文字请加引号。",
        ),
    ],
)
def test_what_differs_is_carried_over(message: str, told: str) -> None:
    assert said("zh", message) == told
    assert said("en", message) == message


def test_gaps_hold_what_files_hold_and_cost_no_time() -> None:
    said_so = said("zh", "The mapping was guessed: texts, with 'a, with b' as body.")
    assert said_so == "映射由系统猜测：texts，其中 'a, with b' as body。"
    # Long enough for anything that tries again from each place to run into the tests' time limit.
    hostile = "Amounts in " + "x were converted at " * 20_000 + "y"
    assert said("zh", hostile) == hostile
