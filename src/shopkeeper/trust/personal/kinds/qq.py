"""QQ numbers after the words that stand for QQ. A group's number belongs to nobody and is left."""

from __future__ import annotations

import re
from collections.abc import Iterator

from shopkeeper.trust.personal.finding import SAID, Candidate
from shopkeeper.trust.personal.recogniser import Recogniser
from shopkeeper.trust.personal.surroundings import counted

_NAMED = re.compile(
    r"(?:(?<![A-Za-z])q ?q|(?<![A-Za-z0-9])q(?=:)|扣扣|球球|蔻蔻|叩叩|抠抠|企鹅|[加联系找我的](?:q|扣"
    r"|抠)(?![a-z])"
    r"|(?<![折抵克])扣(?= |号"
    r"|:))(?:号码|号|账号|帐号|联系|是|为|is|number"
    r"|[ :：=，,\-(（]){0,10}(?P<id>[1-9](?: ?[0-9]){4,10})(?![0-9A-Za-z.])",
    re.IGNORECASE,
)


def _candidates(text: str) -> Iterator[Candidate]:
    for hit in _NAMED.finditer(text):
        if not counted(text, hit.end()):
            yield Candidate("qq", *hit.span("id"), SAID)


RECOGNISER = Recogniser(
    "qq",
    "QQ",
    "qq",
    re.compile(r"q ?q|q:|[扣球蔻叩抠]|企鹅|[加系找的我]q", re.IGNORECASE),
    _candidates,
)
