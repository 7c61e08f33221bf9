"""Identity cards of Hong Kong and Taiwan, each with its own check digit."""

from __future__ import annotations

import re
from collections.abc import Iterator

from shopkeeper.trust.personal.finding import CERTAIN, CHECKED, Candidate
from shopkeeper.trust.personal.recogniser import Recogniser
from shopkeeper.trust.personal.surroundings import around, called_otherwise

_HONG_KONG = re.compile(r"(?<![A-Za-z0-9])([A-Za-z]{1,2})([0-9]{6}) ?\(([0-9Aa])\)")
_TAIWAN = re.compile(r"(?<![A-Za-z0-9])([A-Za-z])([1289][0-9]{8})(?![A-Za-z0-9])")
_SAID = re.compile(r"身[份分]|证[号件]|香港|台[湾灣]|HKID|\bID\b|identity|字号", re.IGNORECASE)
_TAIWAN_VALUES = {
    letter: value for value, letter in enumerate("ABCDEFGHJKLMNPQRSTUVXYWZIO", start=10)
}


def _candidates(text: str) -> Iterator[Candidate]:
    for hit in _HONG_KONG.finditer(text):
        if _hong_kong(hit[1].upper(), hit[2], hit[3].upper()) and _wanted(text, hit):
            yield Candidate("resident_id", hit.start(), hit.end(), CERTAIN)
    for hit in _TAIWAN.finditer(text):
        said = _SAID.search(around(text, *hit.span()))
        if said and _taiwan(hit[1].upper(), hit[2]) and _wanted(text, hit):
            yield Candidate("resident_id", hit.start(), hit.end(), CHECKED)


def _wanted(text: str, hit: re.Match[str]) -> bool:
    return not called_otherwise(text, hit.start())


def _hong_kong(letters: str, digits: str, check: str) -> bool:
    values = [36 if letter == " " else ord(letter) - 55 for letter in letters.rjust(2)]
    values += [*map(int, digits), int(check, 16)]
    return sum(value * (9 - at) for at, value in enumerate(values)) % 11 == 0


def _taiwan(letter: str, digits: str) -> bool:
    tens, ones = divmod(_TAIWAN_VALUES[letter], 10)
    weighted = sum(int(digit) * (8 - at) for at, digit in enumerate(digits[:8]))
    return (tens + ones * 9 + weighted + int(digits[8])) % 10 == 0


RECOGNISER = Recogniser("resident_id", "身份证", "id", re.compile(r"[A-Za-z][0-9]{6}"), _candidates)
