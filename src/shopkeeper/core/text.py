"""Plain functions on text that every layer needs."""

from __future__ import annotations

import difflib
import hashlib
import re
import unicodedata
from collections.abc import Iterable

_HAN = re.compile(r"[\u3400-\u9fff]")
_LETTER = re.compile(r"[A-Za-z]")


def normalise(text: str) -> str:
    """The text in Unicode form NFKC with runs of white space made one blank."""
    return " ".join(unicodedata.normalize("NFKC", text).split())


def language(text: str) -> str | None:
    """``zh`` or ``en`` by the letters used; None where there are none of either."""
    han, latin = len(_HAN.findall(text)), len(_LETTER.findall(text))
    if not han and not latin:
        return None
    return "zh" if han * 3 >= latin else "en"  # a Han character carries about three letters


def digest(*parts: str) -> str:
    """A stable 128-bit id of the parts, as 32 hexadecimal digits."""
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:32]


def did_you_mean(name: str, known: Iterable[str]) -> str | None:
    """The known name most like ``name``, or None when none is near."""
    near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return near[0] if near else None
