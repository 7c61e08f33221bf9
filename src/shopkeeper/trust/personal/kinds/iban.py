"""International bank account numbers: ISO 13616, check digits modulo 97, length by country."""

from __future__ import annotations

import re
from collections.abc import Iterator

from shopkeeper.trust.personal.finding import CERTAIN, Candidate
from shopkeeper.trust.personal.recogniser import Recogniser

_LENGTHS = {
    "AD": 24, "AE": 23, "AT": 20, "BE": 16, "BG": 22, "CH": 21, "CY": 28, "CZ": 24, "DE": 22, "DK": 18,
    "EE": 20, "ES": 24, "FI": 18, "FR": 27, "GB": 22, "GI": 23, "GR": 27, "HR": 21, "HU": 28, "IE": 22,
    "IL": 23, "IS": 26, "IT": 27, "KW": 30, "LI": 21, "LT": 20, "LU": 20, "LV": 21, "MC": 27, "MT": 31,
    "NL": 18, "NO": 15, "PL": 28, "PT": 25, "QA": 29, "RO": 24, "SA": 24, "SE": 24, "SI": 19, "SK": 24,
    "SM": 27, "TR": 26, "UA": 29,
}  # fmt: skip
_START = re.compile(
    rf"(?<![0-9A-Za-z])({'|'.join(_LENGTHS)})[0-9]{{2}}(?=[ -]?[0-9A-Za-z]{{4}})", re.IGNORECASE
)
_REST = re.compile(r"[ -]?[0-9A-Za-z]")


def _candidates(text: str) -> Iterator[Candidate]:
    for hit in _START.finditer(text):
        end = hit.end()
        for _ in range(_LENGTHS[hit[1].upper()] - 4):
            more = _REST.match(text, end)
            if more is None:
                break
            end = more.end()
        number = re.sub("[ -]", "", text[hit.start() : end]).upper()
        alone = end == len(text) or not (text[end].isascii() and text[end].isalnum())
        if alone and len(number) == _LENGTHS[number[:2]] and checks(number):
            yield Candidate("iban", hit.start(), end, CERTAIN)


def checks(number: str) -> bool:
    """Whether the check digits are right."""
    return int("".join(str(int(letter, 36)) for letter in number[4:] + number[:4])) % 97 == 1


RECOGNISER = Recogniser(
    "iban",
    "银行账号",
    "iban",
    re.compile(r"(?<![0-9A-Za-z])[A-Za-z]{2}[0-9]{2}[ -]?[0-9A-Za-z]{4}"),
    _candidates,
)
