"""Social security numbers of the United States and national insurance numbers of Britain."""

from __future__ import annotations

import re
from collections.abc import Iterator

from shopkeeper.trust.personal.finding import CHECKED, SAID, SHAPED, Candidate
from shopkeeper.trust.personal.recogniser import Recogniser
from shopkeeper.trust.personal.surroundings import around, called_otherwise, counted

_AMERICAN = re.compile(
    r"(?<![0-9A-Za-z.#/-])([0-9]{3})([ -]?)([0-9]{2})\2([0-9]{4})(?![0-9A-Za-z]|[./-][0-9])"
)
_BRITISH = re.compile(
    r"(?<![0-9A-Za-z])[A-CEGHJ-TW-Z][A-CEGHJ-NP-TW-Z]"
    r"( ?)[0-9]{2}\1[0-9]{2}\1[0-9]{2}\1[A-D](?![0-9A-Za-z])",
    re.IGNORECASE,
)
_SAID = re.compile(
    r"\bssn\b|social|\bitin\b|\btin\b|tax ?id|taxpayer|社保号|社会安全", re.IGNORECASE
)
_SAID_BRITISH = re.compile(r"\bni(?:no)?\b|national insurance|insurance n", re.IGNORECASE)


def _candidates(text: str) -> Iterator[Candidate]:
    for hit in _AMERICAN.finditer(text):
        said = _SAID.search(around(text, *hit.span())) is not None
        other = called_otherwise(text, hit.start()) or counted(text, hit.end())
        if (said or hit[2] == "-") and _is_issued(hit, said) and not other:
            yield Candidate("ssn", hit.start(), hit.end(), CHECKED if said else SHAPED)
    for hit in _BRITISH.finditer(text):
        if _SAID_BRITISH.search(around(text, *hit.span())):
            yield Candidate("ssn", hit.start(), hit.end(), SAID)


def _is_issued(hit: re.Match[str], said: bool) -> bool:
    area, group, serial = hit[1], hit[3], hit[4]
    if area in ("000", "666") or group == "00" or serial == "0000":
        return False
    return said or area < "900"  # from 900 on: a taxpayer's number


RECOGNISER = Recogniser(
    "ssn",
    "社保号",
    "ssn",
    re.compile(r"[0-9]{3}[ -]?[0-9]{2}[ -]?[0-9]{4}|[A-Za-z]{2} ?[0-9]{2} ?[0-9]{2}"),
    _candidates,
)
