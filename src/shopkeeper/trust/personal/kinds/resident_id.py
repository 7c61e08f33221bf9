"""The resident identity number of mainland China: GB 11643, check character by ISO 7064 MOD 11-2."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

from shopkeeper.trust.personal.finding import CERTAIN, CHECKED, LIKELY, SAID, Candidate
from shopkeeper.trust.personal.numbers import Number, numbers
from shopkeeper.trust.personal.recogniser import Recogniser
from shopkeeper.trust.personal.regions import is_region
from shopkeeper.trust.personal.surroundings import around, called_otherwise

_SAID = re.compile(
    r"身份|证件|居民证|居住证|实名|清关|报关|公民|\bID\b|identity|resident|passport|customs|clearance",
    re.IGNORECASE,
)
_CHECKS = "10X98765432"
_CENTURY = "19"
_LENGTHS = range(15, 19)


def checks(number: str) -> bool:
    """Whether the 18th character is right for the other seventeen."""
    total = sum(int(digit) * pow(2, 17 - at, 11) for at, digit in enumerate(number[:17]))
    return _CHECKS[total % 11] == number[17].upper()


def _candidates(text: str) -> Iterator[Candidate]:
    for number in numbers(text, _LENGTHS):
        confidence = _confidence(text, number)
        if confidence:
            yield Candidate("resident_id", number.start, number.end, confidence)


def _confidence(text: str, number: Number) -> float:
    digits = number.digits
    said = _SAID.search(around(text, number.start, number.end)) is not None
    otherwise = called_otherwise(text, number.start)
    if len(digits) == 18 and _is_born(digits[:6], digits[6:14]):
        if checks(digits) and not (otherwise and not said):
            return CERTAIN if said else CHECKED
        return LIKELY if said and not otherwise else 0.0
    if len(digits) == 15 and digits.isdigit() and _is_born(digits[:6], _CENTURY + digits[6:12]):
        return SAID if said and not otherwise else 0.0
    return 0.0


def _is_born(region: str, day: str) -> bool:
    if not is_region(region) or not day.isdigit() or not "1890" < day[:4] < "2100":
        return False
    try:
        date(int(day[:4]), int(day[4:6]), int(day[6:]))
    except ValueError:
        return False
    return True


RECOGNISER = Recogniser(
    "resident_id",
    "身份证",
    "id",
    re.compile(r"[0-9]{6}[ -]?[0-9]{6,8}"),
    _candidates,
)
