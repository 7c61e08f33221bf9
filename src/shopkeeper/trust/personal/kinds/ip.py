"""Internet addresses, versions 4 and 6; version numbers and section numbers are not."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator

from shopkeeper.trust.personal.finding import SAID, SHAPED, Candidate
from shopkeeper.trust.personal.recogniser import Recogniser
from shopkeeper.trust.personal.surroundings import around, before

_FOUR = re.compile(r"(?<![0-9A-Za-z.])[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?![0-9A-Za-z]|\.[0-9])")
_SIX = re.compile(r"(?<![0-9A-Za-z:.])[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){3,7}(?![0-9A-Za-z:])")
_SAID = re.compile(
    r"(?<![A-Za-z])ip(?![A-Za-z0-9])|登[录陆]|地址|来自|日志|服务器|log|from|server|address|router|device",
    re.IGNORECASE,
)
_VERSION = re.compile(
    r"版本?|固件|系统|升级|更新|驱动|章|节|\b(?:v|ver|version|firmware|section|chapter|release|update"
    r"|driver|build|ios|android)\b",
    re.IGNORECASE,
)


def _candidates(text: str) -> Iterator[Candidate]:
    for hit in _FOUR.finditer(text):
        if _is_address(hit[0]) and not _VERSION.search(before(text, hit.start(), 12)):
            said = _SAID.search(around(text, *hit.span()))
            if said or any(len(part) == 3 for part in hit[0].split(".")):
                yield Candidate("ip", hit.start(), hit.end(), SAID if said else SHAPED)
    for hit in _SIX.finditer(text):
        if len(hit[0]) > 8 and ("::" in hit[0] or hit[0].count(":") == 7) and _is_address(hit[0]):
            yield Candidate("ip", hit.start(), hit.end(), SHAPED)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


RECOGNISER = Recogniser(
    "ip", "IP", "ip", re.compile(r"[0-9]\.[0-9]{1,3}\.|:[0-9A-Fa-f]{0,4}:"), _candidates
)
