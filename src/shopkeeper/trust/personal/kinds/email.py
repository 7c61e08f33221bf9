"""E-mail addresses, also spelled out to escape machines: ``name (at) example dot com``."""

from __future__ import annotations

import re
from collections.abc import Iterator

from shopkeeper.trust.personal.finding import CERTAIN, SAID, SHAPED, Candidate
from shopkeeper.trust.personal.recogniser import Recogniser

_LOCAL = r"(?<![A-Za-z0-9._%+'-])[A-Za-z0-9][A-Za-z0-9._%+'-]{0,63}"
_PLAIN = re.compile(
    _LOCAL + r"@[A-Za-z0-9](?:[A-Za-z0-9-]{0,62}\.){1,5}[A-Za-z]{2,12}(?![A-Za-z0-9])"
)
_TOP = r"(?:com|cn|net|org|io|co|edu|gov|me|info|hk|tw|uk|us|de|fr|jp|ca|au|in)"
_PROVIDER = (
    r"(?:gmail|outlook|hotmail|yahoo|icloud|qq|163|126|139|189|foxmail|sina|sohu|yeah|live|msn|aol"
    r"|proton(?:mail)?|gmx)"
)
_DOT = r" ?(?:[.。、，,]|\(dot\)|\[dot\]|\{dot\}|点|\bdot\b) ?"
_SPELLED = re.compile(
    rf"(?<![A-Za-z0-9._%+-])[A-Za-z0-9][A-Za-z0-9_%+'-]{{0,63}}(?:(?: \. |\."
    rf"|{_DOT})[A-Za-z0-9_-]{{1,40}}){{0,3}}"
    r" ?(?:@|\(at\)|\[at\]|\{at\}|<at>|艾特|\(a\)) ?"
    rf"[A-Za-z0-9][A-Za-z0-9-]{{0,62}}(?:{_DOT}[A-Za-z0-9-]{{1,30}}){{0,2}}{_DOT}{_TOP}(?![A-Za-z0-9])",
    re.IGNORECASE,
)
_HASHED = re.compile(
    rf"(?<![A-Za-z0-9._%+-])[A-Za-z0-9][A-Za-z0-9._-]{{2,40}}[#*&]{_PROVIDER}\.{_TOP}(?![A-Za-z0-9])",
    re.IGNORECASE,
)
_SPOKEN = re.compile(
    rf"(?<![A-Za-z0-9._%+-])[A-Za-z0-9][A-Za-z0-9._%+-]{{0,63}}(?: dot [A-Za-z0-9_-]{{1,40}}){{0,2}} at "
    rf"(?:{_PROVIDER}{_DOT}|[A-Za-z0-9-]{{1,40}} dot ){_TOP}(?![A-Za-z0-9])",
    re.IGNORECASE,
)


def _candidates(text: str) -> Iterator[Candidate]:
    for hit in _PLAIN.finditer(text):
        yield Candidate("email", hit.start(), hit.end(), CERTAIN)
    for hit in _HASHED.finditer(text):
        yield Candidate("email", hit.start(), hit.end(), SAID)
    for hit in _SPELLED.finditer(text):
        yield Candidate("email", hit.start(), hit.end(), SAID)
    for hit in _SPOKEN.finditer(text):
        yield Candidate("email", hit.start(), hit.end(), SHAPED)


RECOGNISER = Recogniser(
    "email",
    "邮箱",
    "email",
    re.compile(
        r"@|[#*&][a-z0-9]{2,10}\.|[\[({<]at?[\])}>]|艾特| at [^ ]{2,40} ?(?:\.|。|点|dot)",
        re.IGNORECASE,
    ),
    _candidates,
)
