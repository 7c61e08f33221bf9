"""One spelling for what people write in many: widths, digits of all scripts, hidden characters.

Nothing is joined or split, so every position of the folded text leads back to the text as written.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from shopkeeper.trust.personal.scripts import SIMPLIFIED

_COMPATIBLE = (
    range(0xFF01, 0xFF5F),  # full width
    range(0x00B2, 0x00BA),
    range(0x2070, 0x20A0),  # raised and lowered
    range(0x2460, 0x2500),  # in circles
    range(0x1D400, 0x1D800),  # mathematical
    range(0x0660, 0x066A),
    range(0x06F0, 0x06FA),
    range(0x2776, 0x2794),
    range(0x24EA, 0x2500),
)
_SPACES = "\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000\t"
_DASHES = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\u30fc\u2500"
_HIDDEN = re.compile(
    "[\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufe00-\ufe0f\ufeff\u20e3]"
)
_ATTACHED = re.compile("[\ufe00-\ufe0f\u20e3]+")  # the rest of a keycap such as 1️⃣
_SPELLED = "〇零○一二三四五六七八九幺壹贰叁肆伍陆柒捌玖"
_NUMERALS = str.maketrans(_SPELLED, "000" + "123456789" + "1" + "123456789")
_NUMERAL_RUN = re.compile(f"[0-9{_SPELLED}](?:[ -]?[0-9{_SPELLED}]){{6,}}")
_BEGINS_MOBILE = re.compile("[ -]?[1一幺壹][ -]?[3-9三四五六七八九叁肆伍陆柒捌玖]")


def _table() -> dict[int, str]:
    table = dict.fromkeys(map(ord, _SPACES), " ") | dict.fromkeys(map(ord, _DASHES), "-")
    for code in (code for codes in _COMPATIBLE for code in codes):
        digit = unicodedata.digit(chr(code), None)
        plain = str(digit) if digit is not None else unicodedata.normalize("NFKC", chr(code))
        if len(plain) == 1 and plain.isascii():
            table[code] = plain
    return table | {ord(old): new for old, new in SIMPLIFIED.items()}


_TABLE = _table()


@dataclass(frozen=True)
class Folded:
    """The folded text and the way back: ``span`` of a folded range is the range as written."""

    text: str
    written: str
    kept: list[int] | None

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Where ``text[start:end]`` (not empty) stands in the text as written."""
        if self.kept is None:
            return start, end
        attached = _ATTACHED.match(self.written, self.kept[end - 1] + 1)
        return self.kept[start], attached.end() if attached else self.kept[end - 1] + 1


def fold(text: str) -> Folded:
    """The text with widths, digits, blanks, dashes and common traditional characters made one.

    Seven or more numerals in a row, such as 一三八零零…, become digits too.
    """
    folded, kept = text.translate(_TABLE), None
    if _HIDDEN.search(folded):
        kept = [at for at, letter in enumerate(folded) if not _HIDDEN.match(letter)]
        folded = "".join(folded[at] for at in kept)
    return Folded(_NUMERAL_RUN.sub(_in_digits, folded), text, kept)


def _in_digits(run: re.Match[str]) -> str:
    """A run of numerals as digits; 三 of 张三 before a telephone number stays what it is."""
    text = run[0]
    spelled = sum(not letter.isascii() for letter in text)
    length = sum(letter not in " -" for letter in text)
    if length == 12 and not text[0].isascii() and _BEGINS_MOBILE.match(text, 1):
        return text[0] + text[1:].translate(_NUMERALS)
    if spelled >= 4 or (length == 11 and _BEGINS_MOBILE.match(text)):
        return text.translate(_NUMERALS)
    return text
