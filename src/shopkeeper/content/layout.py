"""The page of a letter whose author wrote a text alone: made of the filled-in text, so both say the same.

Quiet on purpose: the shop's name, the text's paragraphs and line breaks, the way out and the label small at
the foot. No colours but the reader's own (so it is right in the dark), no pictures, no tables.
"""

from __future__ import annotations

import re
from html import escape
from typing import Final

from shopkeeper.content.language import UNSUBSCRIBE
from shopkeeper.core.settings import Language

_MARK: Final = "{{" + UNSUBSCRIBE + "}}"
_BLANK: Final = re.compile(r"\n[^\S\n]*\n\s*")
# ASCII alone: Chinese words follow an address without a space between.
_ADDRESS: Final = re.compile(
    r"https?://[a-z0-9\[][-!#$%&'()*+,./0-9:;=?@a-z\[\]_~]*", re.IGNORECASE
)
_SENTENCES: Final = re.compile(r"(.*[.!?;。！？；…]\s*)(.*)", re.DOTALL)
_ENDS: Final = ".,;:!?'"
_PAIRS: Final = {")": "(", "]": "["}
_SHORT: Final = 48
"""Characters of a sentence that may go to the foot with the way out."""
_WAY_OUT: Final[dict[Language, str]] = {"zh": "退订", "en": "Unsubscribe"}
_GAP: Final[dict[Language, str]] = {"zh": "", "en": " "}

_HEAD: Final = (
    '<!doctype html>\n<html lang="{lang}"><head><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width, initial-scale=1">'
    '<meta name="color-scheme" content="light dark">'
    '<meta name="supported-color-schemes" content="light dark">'
    "<title>{subject}</title><style>:root{{color-scheme:light dark}}</style></head>\n"
    '<body style="margin:0;padding:0">'
    '<div role="article" aria-roledescription="email" lang="{lang}" style="max-width:600px;margin:0 auto;'
    "padding:24px 16px;font:16px/1.6 system-ui,-apple-system,'Segoe UI','PingFang SC','Microsoft YaHei',"
    'sans-serif;overflow-wrap:anywhere;text-align:left">\n'
)
_NAME: Final = '<h1 style="margin:0 0 24px;font-size:16px;font-weight:600">{name}</h1>\n'
_PARAGRAPH: Final = '<p style="margin:0 0 16px">{words}</p>\n'
_FOOT: Final = '<p style="margin:{above}px 0 0;font-size:13px;opacity:.8">{words}</p>\n'
_END: Final = "</div></body></html>\n"


def page(lang: Language, shop: str, words: tuple[str, str], label: str) -> str:
    """The page of a letter; ``words`` are its subject and its text, filled in and not escaped.

    Web addresses become links. Of the way out a link remains, which `contact` fills in as the letter leaves.
    """
    subject, text = words
    body, foot = _parted(lang, text)
    made = [_HEAD.format(lang=lang, subject=escape(subject))]
    if shop:
        made.append(_NAME.format(name=escape(shop)))
    made += [_PARAGRAPH.format(words=one) for one in body]
    if label:
        foot.append(escape(label))
    made += [
        _FOOT.format(above=8 if place else 32, words=one) for place, one in enumerate(foot)
    ]  # fmt: skip
    return "".join([*made, _END])


def _parted(lang: Language, text: str) -> tuple[list[str], list[str]]:
    """The paragraphs, and the lines with the way out; both escaped."""
    body: list[str] = []
    foot: list[str] = []
    for paragraph in _BLANK.split(text.strip()):
        lines: list[str] = []
        for line in paragraph.split("\n"):
            if _MARK not in line:
                lines.append(_linked(line))
                continue
            before, out = _way_out(lang, line, alone=not (body or lines))
            if before:
                lines.append(_linked(before))
            foot.append(out)
        if any(lines):
            body.append("<br>\n".join(lines))
    return body, foot


def _way_out(lang: Language, line: str, *, alone: bool) -> tuple[str, str]:
    """What of the line stays with the letter's words, and the line of the foot.

    The link carries the words around it, not its own long address.
    """
    before, _, after = line.partition(_MARK)
    sentences = _SENTENCES.fullmatch(before)
    first, said = sentences.groups() if sentences else ("", before)
    said = said.strip().rstrip(":：-–—>→").rstrip()
    after = after.replace(_MARK, "").strip(" .。")
    if after and len(after) <= _SHORT:
        said, after = f"{said}{_GAP[lang]}{after}".strip(), ""
    link = f'<a href="{_MARK}" style="color:inherit">{escape(said or _WAY_OUT[lang])}</a>'
    stays = alone or len(first) > _SHORT
    told = ("" if stays else escape(first)) + link
    return (first.strip() if stays else ""), told + (f" {_linked(after)}" if after else "")


def _linked(line: str) -> str:
    """The line, escaped, its web addresses as links."""
    if "://" not in line:
        return escape(line)
    made, at = [], 0
    for found in _ADDRESS.finditer(line):
        address = _trimmed(found[0])
        made.append(escape(line[at : found.start()]))
        made.append(f'<a href="{escape(address)}">{escape(address)}</a>')
        at = found.start() + len(address)
    return "".join(made) + escape(line[at:])


def _trimmed(address: str) -> str:
    """Without the stop or the bracket that closes the sentence around it."""
    while address[-1] in _ENDS or (
        address[-1] in _PAIRS and address.count(address[-1]) > address.count(_PAIRS[address[-1]])
    ):
        address = address[:-1]
    return address
