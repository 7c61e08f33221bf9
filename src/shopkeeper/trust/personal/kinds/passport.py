"""Passport numbers, where the words around say that it is one."""

from __future__ import annotations

import re
from collections.abc import Iterator

from shopkeeper.trust.personal.finding import SAID, Candidate
from shopkeeper.trust.personal.recogniser import Recogniser
from shopkeeper.trust.personal.surroundings import before, called_otherwise

_NUMBER = re.compile(
    r"(?<![0-9A-Za-z])(?:[A-Za-z]{1,2} ?[0-9]{6,8}[A-Z]?|[0-9]{9}"
    r"|[A-Za-z][0-9]{2}[A-Za-z][0-9]{2}[A-Za-z][0-9]{2}"
    r"|[CFGHJKLMNPRTVWXYZ][0-9CFGHJKLMNPRTVWXYZ]{8})(?![0-9A-Za-z])"
)
_SAID = re.compile(
    r"护照(?!夹|套|包|本套|照片)|passport(?! (?:holder|cover|photo|case|wallet))", re.IGNORECASE
)
_REACH = 32


def _candidates(text: str) -> Iterator[Candidate]:
    for hit in _NUMBER.finditer(text):
        if sum(letter.isdigit() for letter in hit[0]) < 5 or called_otherwise(text, hit.start()):
            continue
        near = before(text, hit.start(), _REACH)
        after = text[hit.end() : hit.end() + 16]
        if _SAID.search(near) or re.match(r"[ (（]{0,2}(?:是|is)?.{0,4}(?:护照|passport)", after):
            yield Candidate("passport", hit.start(), hit.end(), SAID)


RECOGNISER = Recogniser(
    "passport", "护照", "passport", re.compile("护照|passport", re.IGNORECASE), _candidates
)
