"""How each character is read: folded to one form, and as part of a word or as a unit of its own."""

from __future__ import annotations

import unicodedata
from functools import cache
from importlib.resources import files
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

SKIP, UNIT, WORD, COMPOSE = 0, 1, 2, 3
"""No part of anything (spaces, controls); a unit by itself (Han, kana, punctuation, emoji); a letter
of a word (Latin, Cyrillic, digits …); to be normalised with its neighbours before it can be read."""

LIMIT = 0x32000
"""Code points from here on (private use, tags) are skipped."""

_KANA = range(0x3040, 0x3100)


class Alphabet(NamedTuple):
    """``folded``: the code point each code point is read as; ``kind``: SKIP, UNIT, WORD or COMPOSE."""

    folded: NDArray[np.uint32]
    kind: NDArray[np.uint8]


@cache
def alphabet() -> Alphabet:
    """The table: NFKC and lower case where both are one character, traditional to simplified Han."""
    folded = np.arange(LIMIT, dtype=np.uint32)
    kind = np.full(LIMIT, UNIT, dtype=np.uint8)
    for code in (*range(0x3400), *range(0xA000, 0x20000)):  # between and above them: Han
        folded[code], kind[code] = _read(chr(code))
    simplified = np.arange(LIMIT, dtype=np.uint32)
    pairs = traditional()
    simplified[list(pairs)] = list(pairs.values())
    return Alphabet(simplified[folded], kind)


def traditional() -> dict[int, int]:
    """Each traditional Han character's code point, and its simplified form's."""
    text = files("shopkeeper.tasks").joinpath("traditional.txt").read_text("utf-8")
    pairs = "".join(line for line in text.splitlines() if not line.startswith("#")).replace(" ", "")
    return dict(zip(map(ord, pairs[::2]), map(ord, pairs[1::2]), strict=True))


def _read(character: str) -> tuple[int, int]:
    category = unicodedata.category(character)
    if category[0] in "CZ" or "\ufe00" <= character <= "\ufe0f":
        return ord(character), SKIP
    if category[0] == "M":
        return ord(character), COMPOSE
    form = unicodedata.normalize("NFKC", character).lower()
    if len(form) != 1 or ord(form) >= LIMIT:
        return ord(character), COMPOSE
    code = ord(form)
    if code in _KANA or not form.isalnum() or _is_han(code):
        return code, UNIT
    return code, WORD


def _is_han(code: int) -> bool:
    return 0x3400 <= code < 0xA000 or 0x20000 <= code < LIMIT
