"""A mapping's conditions as SQL."""

from __future__ import annotations

from shopkeeper.collect.cells import literal


def test(key: str, value: object, cell: str, number: str) -> str:
    """The SQL of one test (``starts_with``, ``below`` …) on a cell's text or number."""
    words = {
        "starts_with": "starts_with({0}, {1})",
        "ends_with": "ends_with({0}, {1})",
        "contains": "contains({0}, {1})",
        "matches": "regexp_matches({0}, {1})",
    }
    numbers = {"below": "<", "above": ">", "at_least": ">=", "at_most": "<="}
    if key in words:
        return words[key].format(cell, literal(str(value)))
    if key in numbers:
        return f"{number} {numbers[key]} {value}"
    if key == "one_of" and isinstance(value, tuple):
        # Not IN: that becomes a join, which costs five times as much as a pattern.
        return f"regexp_full_match({cell}, {literal('|'.join(map(_exactly, value)))})"
    if key == "empty":
        return f"{cell} IS {'' if value else 'NOT '}NULL"
    if isinstance(value, float):
        return f"{number} = {value}"
    return f"{cell} = {literal(str(value))}"


def _exactly(text: str) -> str:
    """A pattern (RE2) that matches this text alone."""
    return "".join(c if c.isascii() and c.isalnum() else f"\\x{{{ord(c):x}}}" for c in text)
