"""Travel permits between the mainland, Hong Kong, Macau and Taiwan, where the words around say so."""

from __future__ import annotations

import re
from collections.abc import Iterator

from shopkeeper.trust.personal.finding import CHECKED, SAID, Candidate
from shopkeeper.trust.personal.recogniser import Recogniser
from shopkeeper.trust.personal.surroundings import before, called_otherwise

_NUMBER = re.compile(
    r"(?<![0-9A-Za-z])(?:[CWcw][A-Za-z]?[0-9]{7,8}|[HMhm][0-9]{8}(?:[0-9]{2})?"
    r"|[LTlt][0-9]{8}"
    r"|[0-9]{8}(?:[0-9]{2})?)(?![0-9A-Za-z])"
)
_SAID = re.compile(
    r"(?<!车辆)(?<!小区)(?<!停车)(?<!临时)(?<!出入)通行证|回乡证|台胞证|入台证|往来港澳|来往(?:内地"
    r"|大陆)|往来台湾"
    r"|home return permit|compatriot|(?:mainland )?travel permit|exit[- ]entry permit",
    re.IGNORECASE,
)


def _candidates(text: str) -> Iterator[Candidate]:
    for hit in _NUMBER.finditer(text):
        near = before(text, hit.start(), 40)
        if _SAID.search(near) and not called_otherwise(text, hit.start()):
            yield Candidate(
                "permit", hit.start(), hit.end(), CHECKED if hit[0][0].isalpha() else SAID
            )


RECOGNISER = Recogniser(
    "permit",
    "通行证",
    "permit",
    re.compile("通行证|回乡证|台胞证|入台证|往来|来往|permit", re.IGNORECASE),
    _candidates,
)
