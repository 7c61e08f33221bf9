"""Long numbers as people write them: in one piece or in groups."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

_GROUPED = re.compile(
    r"(?<![0-9A-Za-z])[0-9]{3,30}(?:[ -][0-9]{1,19}[Xx]?(?![0-9A-Za-z]))*[Xx]?(?![0-9A-Za-z])"
)
_GROUP = re.compile(r"[0-9]+[Xx]?")
_MOST_GROUPS = 6


class Number(NamedTuple):
    """Digits without their separators, and where they stand. ``groups`` are their lengths."""

    digits: str
    start: int
    end: int
    groups: tuple[int, ...]


def numbers(text: str, lengths: range) -> Iterator[Number]:
    """Every number of an allowed length, whole or made of up to six neighbouring groups.

    Groups but the last have at least three digits. An X may end a number.
    """
    for run in _GROUPED.finditer(text):
        pieces = [(hit[0], hit.start(), hit.end()) for hit in _GROUP.finditer(text, *run.span())]
        for first in range(len(pieces)):
            yield from _from(pieces[first : first + _MOST_GROUPS], lengths)


def _from(pieces: list[tuple[str, int, int]], lengths: range) -> Iterator[Number]:
    digits = ""
    for count, (piece, _, end) in enumerate(pieces, 1):
        digits += piece
        if len(digits) in lengths:
            groups = tuple(len(one) for one, _, _ in pieces[:count])
            yield Number(digits, pieces[0][1], end, groups)
        if len(digits) >= lengths.stop or len(piece) < 3 or not piece.isdigit():
            return


_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)


def luhn(digits: str) -> bool:
    """Whether the last digit is right for the others: ISO/IEC 7812-1, annex B."""
    plain = sum(map(int, digits[-1::-2]))
    return (plain + sum(_DOUBLED[int(digit)] for digit in digits[-2::-2])) % 10 == 0
