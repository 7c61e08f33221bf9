"""Refuses patterns that could take long: every accepted one tries a bounded number of ways a place."""

from __future__ import annotations

import re
from dataclasses import dataclass

from shopkeeper.core.errors import BadInput

LONGEST_PATTERN = 200
LONGEST_MATCH = 64
SHORTEST_MATCH = 5
MOST_WAYS = 256
_HINT = r"Write letters, digits, \d, [A-Z0-9], {n}, {n,m}, ?, | and (...), for example SO\d{10}."
_ATOM = re.compile(
    r"\\d|\\[-./_#\\]|\[(?:[A-Za-z0-9_./#-]|\\d)+\]|[A-Za-z0-9 _/#:-]|[\u3400-\u9fff]"
)
_COUNT = re.compile(r"\{(\d{1,3})(?:,(\d{1,3}))?\}|\?")


@dataclass(frozen=True)
class _Extent:
    """How long a piece matches at least and at most, and in how many ways."""

    least: int
    most: int
    ways: int

    def then(self, other: _Extent) -> _Extent:
        return _Extent(self.least + other.least, self.most + other.most, self.ways * other.ways)

    def either(self, other: _Extent) -> _Extent:
        return _Extent(
            min(self.least, other.least), max(self.most, other.most), self.ways + other.ways
        )


_NOTHING = _Extent(0, 0, 1)


def check(pattern: str, *, field: str) -> None:
    """Nothing, where the pattern is one of the safe kind.

    Raises:
        BadInput: names the place and the reason.
    """
    if len(pattern) > LONGEST_PATTERN:
        raise _refused(pattern[:40] + "…", f"is longer than {LONGEST_PATTERN} characters", field)
    extent = _Parser(pattern, field).whole()
    if extent.least < SHORTEST_MATCH:
        raise _refused(pattern, f"matches fewer than {SHORTEST_MATCH} characters", field)
    if extent.most > LONGEST_MATCH:
        raise _refused(pattern, f"matches more than {LONGEST_MATCH} characters", field)
    if extent.ways > MOST_WAYS:
        raise _refused(pattern, "can match in too many ways", field)
    if not re.search(r"\\d|[0-9]", re.sub(r"\{[0-9,]*\}", "", pattern)):
        raise _refused(pattern, "matches no digit: words would be taken for numbers", field)
    try:
        re.compile(pattern)
    except re.error as error:
        raise _refused(pattern, f"is no regular expression ({error})", field) from error


class _Parser:
    """Reads one pattern by recursive descent; depth and length are bounded."""

    def __init__(self, pattern: str, field: str) -> None:
        self._pattern = pattern
        self._field = field
        self._at = 0

    def whole(self) -> _Extent:
        extent = self._either(depth=0)
        if self._at < len(self._pattern):
            raise self._unexpected()
        return extent

    def _either(self, depth: int) -> _Extent:
        extent = self._sequence(depth)
        while self._taken("|"):
            extent = extent.either(self._sequence(depth))
        return extent

    def _sequence(self, depth: int) -> _Extent:
        extent = _NOTHING
        while self._at < len(self._pattern) and self._pattern[self._at] not in "|)":
            extent = extent.then(self._piece(depth))
        return extent

    def _piece(self, depth: int) -> _Extent:
        if self._taken("("):
            return self._group(depth)
        atom = _ATOM.match(self._pattern, self._at)
        if atom is None:
            raise self._unexpected()
        self._at = atom.end()
        least, most = self._count()
        return _Extent(least, most, most - least + 1)

    def _group(self, depth: int) -> _Extent:
        if depth == 3:
            raise _refused(self._pattern, "nests more than three groups", self._field)
        if self._pattern.startswith("?:", self._at):
            self._at += 2
        inner = self._either(depth + 1)
        if not self._taken(")"):
            raise _refused(self._pattern, "leaves a group open", self._field)
        if self._taken("?"):
            return inner.either(_NOTHING)
        if _COUNT.match(self._pattern, self._at):
            raise _refused(self._pattern, "repeats a group", self._field)
        return inner

    def _count(self) -> tuple[int, int]:
        count = _COUNT.match(self._pattern, self._at)
        if count is None:
            return 1, 1
        self._at = count.end()
        if count[0] == "?":
            return 0, 1
        least = int(count[1])
        most = int(count[2]) if count[2] else least
        if most < least:
            raise _refused(self._pattern, f"counts backwards in {count[0]!r}", self._field)
        return least, most

    def _taken(self, letter: str) -> bool:
        taken = self._pattern.startswith(letter, self._at)
        self._at += taken
        return taken

    def _unexpected(self) -> BadInput:
        what = f"cannot use {self._pattern[self._at]!r} at position {self._at}"
        return _refused(self._pattern, what, self._field)


def _refused(pattern: str, why: str, field: str) -> BadInput:
    return BadInput(f"The pattern {pattern!r} {why}.", hint=_HINT, field=field)
