"""The unified social credit code of Chinese organisations: GB 32100, check character modulo 31."""

from __future__ import annotations

import re
from collections.abc import Iterator

from shopkeeper.trust.personal.finding import CERTAIN, CHECKED, Candidate
from shopkeeper.trust.personal.recogniser import Recogniser
from shopkeeper.trust.personal.regions import PROVINCES
from shopkeeper.trust.personal.surroundings import around, called_otherwise

_SHAPE = re.compile(
    r"(?<![0-9A-Za-z])[1-9ANYany][1239](?:[ -]?[0-9]){6}"
    r"(?:[ -]?[0-9A-HJ-NP-RTUW-Ya-hj-np-rtuw-y]){10}(?![0-9A-Za-z])"
)
_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_AUTHORITIES = PROVINCES | {"10", "00"}  # the last two: registered by the state itself
_VALUES = {letter: value for value, letter in enumerate(_ALPHABET)}
_SAID = re.compile(
    r"税号|纳税|识别号|信用代码|机构代码|发票|专票|普票|抬头|开票|统一代码|执照|tax|USCC|fapiao|VAT"
    r"|credit code",
    re.IGNORECASE,
)


def checks(code: str) -> bool:
    """Whether the last character is right for the other seventeen: weights 3^i modulo 31."""
    total = sum(_VALUES[letter] * pow(3, at, 31) for at, letter in enumerate(code[:17]))
    return _ALPHABET[-total % 31] == code[17]


def _candidates(text: str) -> Iterator[Candidate]:
    for hit in _SHAPE.finditer(text):
        code = re.sub("[ -]", "", hit[0]).upper()
        if code[2:4] in _AUTHORITIES:
            said = _SAID.search(around(text, *hit.span()))
            if checks(code) and (said or not called_otherwise(text, hit.start())):
                yield Candidate("credit_code", hit.start(), hit.end(), CERTAIN if said else CHECKED)


RECOGNISER = Recogniser(
    "credit_code",
    "信用代码",
    "credit code",
    re.compile(r"[0-9ANYany][1239][ -]?[0-9]{4}"),
    _candidates,
)
