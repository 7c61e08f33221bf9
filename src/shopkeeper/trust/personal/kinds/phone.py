"""Mobile numbers of mainland China, Hong Kong and Taiwan, in every grouping that people use."""

from __future__ import annotations

import re
from collections.abc import Iterator

from shopkeeper.trust.personal.finding import CHECKED, SAID, SHAPED, Candidate
from shopkeeper.trust.personal.recogniser import Recogniser
from shopkeeper.trust.personal.surroundings import around, before, called_otherwise, counted

_PREFIX = r"(?:\(?(?:\+|00)? ?86\)?[ -]{0,2})?"
_SEPARATED = r"[ ._·/*-]{0,3}"
_MAINLAND = re.compile(
    rf"(?<![0-9]){_PREFIX}(1{_SEPARATED}[3-9]{_SEPARATED}[0-9](?:{_SEPARATED}[0-9OoIl]){{8}})(?![0-9])"
)
_SEGMENT = re.compile(r"1(?:3[0-9]|4[0-9]|5[0-35-9]|6[2-7]|7[0-9]|8[0-9]|9[0-9])")
_GROUPS = {
    (11,), (3, 4, 4), (3, 8), (7, 4), (3, 3, 5), (3, 5, 3), (4, 3, 4), (4, 4, 3), (5, 6), (6, 5),
    (3, 3, 3, 2), (3, 2, 2, 2, 2), (1,) * 11,
}  # fmt: skip
_SAID = re.compile(
    r"手机|电话|联系|号码|致电|来电|短信|拨打|打给|打我|打他|打这个|加我|微信|[Vv][Xx]|同号"
    r"|收[件货]人?|预留|本机|派[件送]员?|快递员|师傅"
    r"|[Tt]el|[Pp]hone|[Mm]obile|[Cc]all|[Cc]ell|\bMOB|TEL|[Cc]ontact|[Nn]umber",
)
_GLUED = re.compile(r"(?:tel|phone|mobile|mob|vx|wx|qq|call|cell|ph|tl)[:.]?$", re.IGNORECASE)
_TAIWAN = re.compile(r"(?<![0-9A-Za-z-])09[0-9]{2}([ -]?)[0-9]{3}\1[0-9]{3}(?![0-9A-Za-z-])")
_HONG_KONG = re.compile(r"(?<![0-9A-Za-z-])[5-9][0-9]{3}[ -]?[0-9]{4}(?![0-9A-Za-z-])")
_IN_HONG_KONG = re.compile(r"(?:香港|港区|嘅)[^0-9]{0,4}(?:电话|手机|号)[^0-9]{0,4}$")


def _candidates(text: str) -> Iterator[Candidate]:
    for hit in _MAINLAND.finditer(text):
        if _stands_alone(text, hit) and _in_groups(hit[1]):
            said = _SAID.search(around(text, *hit.span()))
            otherwise = called_otherwise(text, hit.start())
            if otherwise and not _SAID.search(before(text, hit.start(), 6)):
                continue
            if said or not re.search("[OoIl]", hit[1]):
                yield Candidate("phone", hit.start(), hit.end(), CHECKED if said else SAID)
    for hit in _TAIWAN.finditer(text):
        said = _SAID.search(around(text, *hit.span()))
        if (hit[1] or said) and not called_otherwise(text, hit.start()):
            yield Candidate("phone", hit.start(), hit.end(), SAID if said else SHAPED)
    for hit in _HONG_KONG.finditer(text):
        if _IN_HONG_KONG.search(before(text, hit.start())):
            yield Candidate("phone", hit.start(), hit.end(), SAID)


def _in_groups(written: str) -> bool:
    """Whether the segment is in use and the digits are grouped as people group them."""
    digits = re.sub(r"[^0-9OoIl]", "", written)
    if not _SEGMENT.match(digits) or sum(digit.isdigit() for digit in digits) < 6:
        return False
    return tuple(len(group) for group in re.findall("[0-9OoIl]+", written)) in _GROUPS


def _stands_alone(text: str, hit: re.Match[str]) -> bool:
    start, end = hit.span()
    before_it, after_it = text[max(0, start - 6) : start], text[end : end + 2]
    if re.search(r"[0-9A-Za-z][./=-]$|[.]$", before_it) or re.match(r"[./-][0-9]", after_it):
        return False
    if re.search(r"[A-Za-z_]$", before_it) and not _GLUED.search(before_it):
        return False
    if re.match("号[订商包客店单]", after_it):
        return False
    glued_after = re.match(r"[A-Za-z_]", after_it) and not _SAID.search(before(text, start, 8))
    return not glued_after and not counted(text, end)


RECOGNISER = Recogniser(
    "phone",
    "手机",
    "phone",
    re.compile(r"1[ ._·/*-]{0,3}[3-9][ ._·/*-]{0,3}[0-9]|09[0-9]{2}|香港|港区|嘅"),
    _candidates,
)
