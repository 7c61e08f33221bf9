"""Payment cards: Luhn's check, the issuers' number ranges, and the words around."""

from __future__ import annotations

import re
from collections.abc import Iterator

from shopkeeper.trust.personal.finding import CERTAIN, CHECKED, LIKELY, SAID, SHAPED, Candidate
from shopkeeper.trust.personal.numbers import Number, luhn, numbers
from shopkeeper.trust.personal.recogniser import Recogniser
from shopkeeper.trust.personal.surroundings import around, before, called_otherwise

_SAID = re.compile(
    r"银行|储蓄|信用卡|借记卡|贷记卡|卡号|[账帐]号|[账帐]户|工资卡|这张卡|的卡|[工农建招交中]行|工商"
    r"|农行|邮储|兴业|浦发|民生|光大|中信|平安|广发|华夏|转[账到]|打款|打到"
    r"|收款|退[款到]|还款|提现|户名|开户|\b(?:cards?|visa|master ?card|amex|american express|debit"
    r"|credit|bank|account|cc"
    r"|unionpay|jcb|discover|charged|refund)\b",
    re.IGNORECASE,
)
_LABEL = re.compile(
    r"(?:银行卡|储蓄卡|信用卡|借记卡|工资卡|银行[账帐]号|card number)(?:的?卡?号码?)?(?: ?(?:是|为|is"
    r"|[:：#]) ?| )?$",
    re.IGNORECASE,
)
_ISSUERS = re.compile(
    r"62[0-9]{14,17}|4(?:[0-9]{12}|[0-9]{15}|[0-9]{18})|5[1-5][0-9]{14}"
    r"|(?:222[1-9]|22[3-9][0-9]|2[3-6][0-9]{2}|27[01][0-9]|2720)[0-9]{12}|3[47][0-9]{13}"
    r"|35(?:2[89]|[3-8][0-9])[0-9]{12}|(?:6011|64[4-9][0-9]|65[0-9]{2})[0-9]{12}|3(?:0[0-5]"
    r"|[68][0-9])[0-9]{11}"
)
_ACCOUNT = re.compile(
    r"(?:银行|开户行|信用社|对公|打款).{0,30}?[账帐][号户](?:[ :]|是"
    r"|为){0,3}(?P<id>[0-9](?:[ -]?[0-9]){8,21})(?![0-9A-Za-z])"
)
_ACCOUNT_EN = re.compile(
    r"(?:bank|routing|sort code|checking|savings|wire|transfer|branch).{0,40}?\bacc(?:oun)?t"
    r"(?: ?(?:number|no\.?|num|#|is|:)){0,3} ?(?P<id>[0-9](?:[ -]?[0-9]){7,16})(?![0-9A-Za-z])",
    re.IGNORECASE,
)
_LENGTHS = range(13, 20)


def _candidates(text: str) -> Iterator[Candidate]:
    for number in numbers(text, _LENGTHS):
        if not number.digits.isdigit():
            continue
        confidence = _confidence(text, number)
        if confidence:
            yield Candidate("bank_card", number.start, number.end, confidence)

    for pattern in (_ACCOUNT, _ACCOUNT_EN):
        for hit in pattern.finditer(text):
            yield Candidate("bank_card", *hit.span("id"), SAID)


def _confidence(text: str, number: Number) -> float:
    if called_otherwise(text, number.start):
        return 0.0
    issued = _ISSUERS.fullmatch(number.digits) is not None
    long = len(number.digits) >= 16
    if not luhn(number.digits):  # a slip of the pen, where its writer calls it a card
        labelled = _LABEL.search(before(text, number.start)) is not None
        return LIKELY if labelled and issued and long else 0.0
    if _SAID.search(around(text, number.start, number.end)):
        return CERTAIN if issued else SAID if long else 0.0
    return _bare(number) if issued else 0.0


def _bare(number: Number) -> float:
    """Nobody says what it is: only as cards are printed, or where few other numbers look the same."""
    if number.groups[:3] == (4, 4, 4) or number.groups == (4, 6, 5):
        return CHECKED
    if number.digits.startswith("62") and len(number.groups) == 1:
        return SHAPED
    return LIKELY if len(number.digits) == 16 and len(number.groups) == 1 else 0.0


_NEEDS = re.compile(
    r"[0-9]{4}[ -]?[0-9]{4}[ -]?[0-9]{1,4}|[0-9]{6}[ -][0-9]{6}|3[47][0-9]{2}[ -][0-9]{6}"
    r"|acc(?:oun)?t.{0,16}[0-9]{4}",
    re.IGNORECASE,
)
RECOGNISER = Recogniser("bank_card", "银行卡", "card", _NEEDS, _candidates)
