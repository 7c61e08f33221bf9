"""Whether a text says nothing about an item that its facts do not."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Final

_WORD: Final = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*|\d+(?:[.,]\d+)*")
_HAN: Final = re.compile(r"[\u3400-\u9fff]+")
_ENGLISH: Final = """
a an and are as at be by for from has have here in into is it its of on one or our that the their them these
they this those to was we with you your which who what when where while also but so than then there like
liked looking choose chosen pick comes come brand category item product
"""
_CHINESE: Final = """
的 了 和 与 及 或 在 是 为 您 你 这 款 件 个 一 来自 属于 喜欢 选择 如果 也 还 品牌 类别 分类 商品 产品
它 我们 本 此 其 中 之 以 由
"""
_PLAIN: Final = frozenset(_ENGLISH.split())
"""Words that claim nothing about an item."""
_PLAIN_HAN: Final = frozenset(_CHINESE.split())


def unsupported(text: str, support: Iterable[str]) -> list[str]:
    """The words of a text that claim something which stands in none of the supporting texts.

    Latin words and numbers are compared whole and without case (a plural s apart), Chinese by whether each
    run of characters can be put together from supporting texts and words that claim nothing.
    """
    known = [unicodedata.normalize("NFKC", one).casefold() for one in support]
    words = {_stem(word) for one in known for word in _WORD.findall(one) if not _HAN.search(word)}
    plain = unicodedata.normalize("NFKC", text).casefold()
    latin = _WORD.findall(_HAN.sub(" ", plain))
    found = [word for word in latin if word not in _PLAIN and _stem(word) not in words]
    left = (_uncovered(run, known) for run in _HAN.findall(plain))
    return [*found, *(part for part in left if part)]


def _stem(word: str) -> str:
    if len(word) > 3 and word.endswith("s") and not word.endswith("ss"):
        return word[:-1]
    return word.replace(",", "")


def _uncovered(run: str, known: Sequence[str]) -> str:
    """The first part of a run of characters that no supporting text holds; empty: all is covered."""
    at = 0
    while at < len(run):
        length = next((n for n in range(len(run) - at, 0, -1) if _has(run[at : at + n], known)), 0)
        if not length:
            return run[at:]
        at += length
    return ""


def _has(part: str, known: Sequence[str]) -> bool:
    if part in _PLAIN_HAN:
        return True
    if len(part) == 1:  # alone it stands in too many words, but for a unit behind a number
        return any(re.search(rf"\d\s*{part}", one) for one in known)
    return any(part in one for one in known)
