"""Driving licences, and the file numbers and service cards of China, where the words around say so."""

from __future__ import annotations

import re
from collections.abc import Iterator

from shopkeeper.trust.personal.finding import SAID, Candidate
from shopkeeper.trust.personal.recogniser import Recogniser

_LABEL = (
    r"(?:driv\w{1,4}(?:['’]s)? licen[cs]e|\bDL\b|\blicen[cs]e (?=n(?:umber|o)\b"
    r"|#))(?: ?(?:number|no\.?|num|is|id|[,:#])){0,4} ?"
)
_ABROAD = re.compile(
    _LABEL + r"(?P<id>[A-Z][0-9]{3}(?:-[0-9]{3,4}){2,3}|[A-Z]{1,2}[0-9]{5,13}"
    r"|[A-Z9]{5} ?[0-9]{6} ?[A-Z9]{2}[A-Z0-9]{3}|[0-9]{7,9})(?![0-9A-Za-z])",
    re.IGNORECASE,
)
_FILE = re.compile(r"档案编号(?:[ :：是为]){0,4}(?P<id>[0-9]{12})(?![0-9A-Za-z])")
_SERVICE = re.compile(r"(?P<id>[南北沈兰成济广海空参政后装军武][字]第? ?[0-9]{6,8} ?号)")


def _candidates(text: str) -> Iterator[Candidate]:
    for pattern in (_ABROAD, _FILE, _SERVICE):
        for hit in pattern.finditer(text):
            yield Candidate("license", *hit.span("id"), SAID)


RECOGNISER = Recogniser(
    "license",
    "证件号",
    "license",
    re.compile(r"licen[cs]e|\bDL\b|档案编号|字第?[ 0-9]{2}", re.IGNORECASE),
    _candidates,
)
