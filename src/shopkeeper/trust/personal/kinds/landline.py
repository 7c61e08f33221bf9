"""Fixed telephone lines of mainland China, with their area code, or without one where words say so."""

from __future__ import annotations

import re
from collections.abc import Iterator

from shopkeeper.trust.personal.finding import CHECKED, SAID, SHAPED, Candidate
from shopkeeper.trust.personal.recogniser import Recogniser
from shopkeeper.trust.personal.surroundings import around, before, called_otherwise, counted

_BIG = r"(?:10|2[0-57-9])"  # eight digits follow
_SMALL = r"(?:3[1-79][0-9]|4[3-8][0-9]|5[1-9][0-9]|6[36][0-9]|7[0-9]{2}|8[0-9]{2}|9[0-9]{2})"
_AREA = re.compile(
    rf"(?<![0-9A-Za-z.])(?<![0-9][ -])(?:\(?(?:\+|00)86\)?[ -]{{0,2}}\(?0?"
    rf"|\(?0)(?:{_BIG}\)?([ -]{{0,3}})[2-8][0-9]{{3}}"
    rf"|{_SMALL}\)?([ -]{{0,3}})[2-8][0-9]{{2,3}})[ -]?[0-9]{{4}}(?![0-9A-Za-z])"
)
_TAIPEI = re.compile(
    r"(?<![0-9A-Za-z.-])(?:0[2-8]-|\(0[2-8]\) ?)[2-8][0-9]{2,3}-?[0-9]{4}(?![0-9A-Za-z-])"
)
_LOCAL = re.compile(r"(?<![0-9A-Za-z.-])[2-8][0-9]{2,3}[- ]?[0-9]{4}(?![0-9A-Za-z]|-[0-9])")
_HAN = re.compile("[\u3400-\u9fff]")
_SAID = re.compile(
    r"座机|固话|固定电话|电话|拨打|打|联系|市话|总机|前台|传真|办公室|tel|phone|call|landline|desk|office",
    re.IGNORECASE,
)
_LABEL = re.compile(
    r"(?:座机|固话|固定电话|市话|(?:家里?|公司|单位|办公室?|店里?)的?电话|家电"
    r"|(?<!客服)(?<!热线)(?<!服务)(?<!投诉)电话)(?:号码?|是|为|[ :：])*$"
)


def _candidates(text: str) -> Iterator[Candidate]:
    for hit in _AREA.finditer(text):
        said = _SAID.search(around(text, *hit.span()))
        parted = hit[1] or hit[2] or ")" in hit[0] or "86" in hit[0][:5]
        if (said or parted) and _wanted(text, hit):
            yield Candidate("landline", hit.start(), hit.end(), CHECKED if said else SHAPED)
    for hit in _TAIPEI.finditer(text):
        if _wanted(text, hit):
            yield Candidate("landline", hit.start(), hit.end(), SHAPED)
    for hit in _LOCAL.finditer(text):
        if _LABEL.search(before(text, hit.start())) and _wanted(text, hit):
            yield Candidate("landline", hit.start(), hit.end(), SAID)


def _wanted(text: str, hit: re.Match[str]) -> bool:
    start, end = hit.span()
    london = hit[0].lstrip("(").startswith("020") and not _HAN.search(around(text, start, end, 80))
    long = re.match(r"-[0-9]{5}", text[end : end + 6]) is not None
    return not (london or long or called_otherwise(text, start) or counted(text, end))


RECOGNISER = Recogniser(
    "landline",
    "座机",
    "landline",
    re.compile(r"0[1-9][0-9)-]|86|座机|固话|固定电话|市话|家电|电话"),
    _candidates,
)
