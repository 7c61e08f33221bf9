"""Telephone numbers outside mainland China: with a country code, or as Americans and Britons write them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from shopkeeper.trust.personal.finding import CHECKED, LIKELY, SAID, SHAPED, Candidate
from shopkeeper.trust.personal.recogniser import Recogniser
from shopkeeper.trust.personal.surroundings import around, before, called_otherwise, counted

_ABROAD = re.compile(
    r"(?<![0-9A-Za-z+])(?:\+|00(?=[1-9]))(?:1|7|2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58]"
    r"|2[1-689][0-9]"
    r"|3[578][0-9]|42[0-9]|5[09][0-9]|6[789][0-9]|8[0578][0-9]"
    r"|9[679][0-9])(?:[ ./-]{0,2}\(?[0-9]{1,5}\)?){2,6}(?![0-9])"
)
_AMERICAN = re.compile(
    r"(?<![0-9A-Za-z+.#/-])(?:1[ .-]?)?(?:\(([2-9][0-9]{2})\) ?"
    r"|([2-9][0-9]{2})[ .-]{1,2})[2-9][0-9]{2}[ .-]?[0-9]{4}(?![0-9A-Za-z]|-[0-9])"
)
_TEN = re.compile(r"(?<![0-9A-Za-z+.#/-])1?[2-9][0-9]{2}[2-9][0-9]{6}(?![0-9A-Za-z]|-[0-9])")
_SEVEN = re.compile(r"(?<![0-9A-Za-z+.#/-])[2-9][0-9]{2}[ .-][0-9]{4}(?![0-9A-Za-z]|[.-][0-9])")
_BRITISH = re.compile(
    r"(?<![0-9A-Za-z+.#/-])\(?0(?:7[0-9]{3} ?[0-9]{3} ?[0-9]{3}|2[0-9]\)? [0-9]{4} ?[0-9]{4}"
    r"|1[0-9]{2,3}\)? ?[0-9]{3} ?[0-9]{3,4})(?![0-9A-Za-z]|-[0-9])"
)
_HAN = re.compile("[\u3400-\u9fff]")
_NATIONAL = re.compile(
    r"(?<![0-9A-Za-z+.#/-])(?:0[1-9](?:[ .-]?[0-9]{2,4}){3,4}"
    r"|[6-9][0-9]{4}[ -][0-9]{5})(?![0-9A-Za-z]|-[0-9])"
)
_SAID = re.compile(
    r"\b(?:phone|tel|t[eé]l[eé]phone|telefono?|telephone|call(?:ed)?|cell|mobile|text(?:ed)?|ring"
    r"|dial|whatsapp|reach|contact"
    r"|number|fax|ph|sms|mob"
    r"|voicemail)\b|电话|手机|联系|拨打",
    re.IGNORECASE,
)
_AT = re.compile(
    r"\b(?:phone|tel|telephone|call|cell|mobile|texted|text|ring|whatsapp|reach"
    r"|phone number)(?: (?:me|us|him|her|is|at|on|number|no))*[ :.#]{0,3}$",
    re.IGNORECASE,
)
_CHAT = re.compile(r"qq|扣扣|企鹅|微信|we ?chat", re.IGNORECASE)
_FREE = {"400", "800", "888", "877", "866", "855", "844", "833", "822"}
"""Toll-free codes: a business, not a person."""


def _candidates(text: str) -> Iterator[Candidate]:
    for pattern, confidence, wanted in _RULES:
        for hit in pattern.finditer(text):
            if wanted(text, hit):
                yield from _unless_other(text, hit, confidence)


def _is_long(_text: str, hit: re.Match[str]) -> bool:
    return 9 <= sum(letter.isdigit() for letter in hit[0]) <= 15


def _is_private(_text: str, hit: re.Match[str]) -> bool:
    return (hit[1] or hit[2]) not in _FREE


def _is_british(text: str, hit: re.Match[str]) -> bool:
    shaped = (hit[0].startswith("07") and " " in hit[0]) or hit[0].startswith("(")
    return shaped or _SAID.search(around(text, *hit.span())) is not None


def _is_called_a_phone(text: str, hit: re.Match[str]) -> bool:
    near = before(text, hit.start())
    said = _SAID.search(near) is not None and _CHAT.search(near) is None
    return said and hit[0][:3] not in _FREE


def _is_national(text: str, hit: re.Match[str]) -> bool:
    chinese = _HAN.search(around(text, *hit.span(), 80)) is not None
    return not chinese and not hit[0].startswith("080") and _is_called_a_phone(text, hit)


def _is_to_be_called(text: str, hit: re.Match[str]) -> bool:
    return _AT.search(before(text, hit.start())) is not None


def _unless_other(text: str, hit: re.Match[str], confidence: float) -> Iterator[Candidate]:
    said = _SAID.search(around(text, *hit.span()))
    if not called_otherwise(text, hit.start()) and not counted(text, hit.end()):
        yield Candidate("phone", hit.start(), hit.end(), CHECKED if said else confidence)


_RULES: tuple[tuple[re.Pattern[str], float, Callable[[str, re.Match[str]], bool]], ...] = (
    (_ABROAD, SAID, _is_long),
    (_AMERICAN, SHAPED, _is_private),
    (_BRITISH, LIKELY, _is_british),
    (_TEN, LIKELY, _is_called_a_phone),
    (_NATIONAL, LIKELY, _is_national),
    (_SEVEN, LIKELY, _is_to_be_called),
)

RECOGNISER = Recogniser(
    "phone",
    "手机",
    "phone",
    re.compile(
        r"\+[0-9]|00[1-9]|[2-9][0-9]{2}\)?[ .-]{0,2}[0-9]{3,4}|0[1-9][0-9 .-]|[6-9][0-9]{4}[ -]"
    ),
    _candidates,
)
