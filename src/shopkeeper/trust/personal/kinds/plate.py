"""Number plates of mainland China (GA 36), ordinary and new energy; foreign ones where words say so."""

from __future__ import annotations

import re
from collections.abc import Iterator

from shopkeeper.trust.personal.finding import CHECKED, SAID, SHAPED, Candidate
from shopkeeper.trust.personal.recogniser import Recogniser
from shopkeeper.trust.personal.surroundings import around, called_otherwise

_PROVINCES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
_CHARACTER = "[A-HJ-NP-Za-hj-np-z0-9]"
_CHINESE = re.compile(
    rf"[{_PROVINCES}] ?[A-HJ-NP-Za-hj-np-z] ?[-·•.]? ?"
    rf"((?:[A-HJKa-hjk]{_CHARACTER}[0-9]{{4}}|[0-9]{{5}}[A-HJKa-hjk])(?![A-Za-z0-9])"
    rf"|{_CHARACTER}{{5}}(?![A-Za-z0-9])|{_CHARACTER}{{4}}[挂学警港澳])(?![级款型码])"
)
_SAID = re.compile(
    r"车牌|车号|车主|司机|车辆|货车|轿车|汽车|驾驶|停车|违章|的车|plate|van|truck|car|vehicle"
)
_FOREIGN = re.compile(
    r"\b(?:(?:licen[cs]e |number )?plate(?: number| no\.?)?|reg(?:istration)?(?: number"
    r"| no\.?)?)(?: is|:"
    r"| ?#)? ?(?P<plate>[A-Z0-9]{2,4}[ -]?[A-Z0-9]{2,4})(?![A-Za-z0-9])"
)


def _candidates(text: str) -> Iterator[Candidate]:
    for hit in _CHINESE.finditer(text):
        digits = sum(letter.isdigit() for letter in hit[1])
        said = _SAID.search(around(text, *hit.span()))
        if (digits >= 3 or (said and digits)) and not called_otherwise(text, hit.start()):
            yield Candidate("plate", hit.start(), hit.end(), CHECKED if said else SHAPED)
    for hit in _FOREIGN.finditer(text):
        plate = hit["plate"]
        if any(map(str.isdigit, plate)) and any(map(str.isalpha, plate)):
            yield Candidate("plate", *hit.span("plate"), SAID)


RECOGNISER = Recogniser(
    "plate", "车牌", "plate", re.compile(rf"[{_PROVINCES}] ?[A-Za-z]|\bplate\b|\breg"), _candidates
)
