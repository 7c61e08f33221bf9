"""WeChat ids after the many words that stand for WeChat."""

from __future__ import annotations

import re
from collections.abc import Iterator

from shopkeeper.trust.personal.finding import CHECKED, LIKELY, SAID, Candidate
from shopkeeper.trust.personal.recogniser import Recogniser

_WORD = (
    r"(?:[微薇威徽维伟][ .]?[信❤♥x]|卫星|绿泡泡|绿色软件|wei ?(?:xin|信)|we ?chat"
    r"|(?<![A-Za-z])(?:[vw][ .]?x"
    r"|[vw][ .]?[信❤♥芯])|(?<![A-Za-z0-9])v(?=[:：])"
    r"|(?:加|\+|搜|➕)(?:我|店主|客服|群主|个|下|一下|老板)?(?:的|私人)?(?:[vw]"
    r"|[微薇威徽❤])(?![A-Za-z]{1,3}(?![A-Za-z0-9_-]))[信❤♥x]?)"
)
_NAMED = re.compile(
    rf"{_WORD}(?P<mark>(?:xin|号码?|账号|帐号|ID|同号|搜索?|是|为|is|me|my|at|联系|加|添加|吧|哈|哦|呀"
    rf"|number"
    rf"|[ :：，,;=\-（(>→~]){{0,10}})"
    r"(?P<id>[A-Za-z][A-Za-z0-9_-]{5,19}|[1-9][0-9]{5,9})(?![A-Za-z0-9_-])",
    re.IGNORECASE,
)
_OWN = re.compile(r"(?<![A-Za-z0-9_])wxid_[a-z0-9]{6,24}(?![A-Za-z0-9_])", re.IGNORECASE)
_STRONG = re.compile(r"[:：=]|号|ID|是|为|(?<![a-z])is", re.IGNORECASE)
_WORDS_ONLY = re.compile(r"[A-Za-z]+")
_NOT_IDS = re.compile(
    r"(?:official|account|moments|payment|message|customer|service|support|screenshot|working|blocked"
    r"|banned|hacked"
    r"|broken|number|please|friend|mini|program|version|public|group|store|iphone|android)",
    re.IGNORECASE,
)


def _candidates(text: str) -> Iterator[Candidate]:
    for hit in _OWN.finditer(text):
        yield Candidate("wechat", hit.start(), hit.end(), CHECKED)
    for hit in _NAMED.finditer(text):
        confidence = _confidence(hit)
        if confidence:
            yield Candidate("wechat", *hit.span("id"), confidence)


def _confidence(hit: re.Match[str]) -> float:
    strong = _STRONG.search(hit["mark"]) is not None
    if hit["id"][0].isdigit():
        return LIKELY if strong else 0.0
    if not _WORDS_ONLY.fullmatch(hit["id"]):
        return SAID
    return LIKELY if strong and not _NOT_IDS.match(hit["id"]) else 0.0


RECOGNISER = Recogniser(
    "wechat",
    "微信",
    "wechat",
    re.compile(
        r"[微薇威徽维伟][ .]?[信❤♥x]|卫星|绿泡泡|绿色软件|wei ?(?:xin|信)|we ?chat|wxid|[vw][ .]?[x信❤♥芯]"
        r"|(?:加|\+|搜|➕).{0,4}[vw微薇威徽❤]|(?<![a-z0-9])v:",
        re.IGNORECASE,
    ),
    _candidates,
)
