"""Masks such as ``<手机1>`` in place of personal data, which only their own masker can undo."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from shopkeeper.core.text import language
from shopkeeper.trust.personal.detect import find
from shopkeeper.trust.personal.folding import fold
from shopkeeper.trust.personal.patterns import NONE, ORDER_NUMBER, Patterns
from shopkeeper.trust.personal.recogniser import recognisers
from shopkeeper.trust.personal.recurring import Recurring

_LITERAL = "literal"
_LABELS = {one.kind: {"zh": one.zh, "en": one.en} for one in recognisers()} | {
    ORDER_NUMBER: {"zh": "订单号", "en": "order"},
    _LITERAL: {"zh": "原文", "en": "literal"},  # what looked like a mask before there was one
}
_NAMES = sorted(
    {name for names in _LABELS.values() for name in names.values()}, key=len, reverse=True
)
_MASK = re.compile(
    rf"[<＜] ?({'|'.join(_NAMES)}) ?([0-9]{{1,9}}(?:-[0-9]{{1,9}})?) ?[>＞]", re.IGNORECASE
)
_SEPARATORS = re.compile(r"[\s._()-]+")


@dataclass(frozen=True)
class Masked:
    """A masked text and what its masks stand for. ``secrets`` never leaves this machine.

    ``kinds`` says how many pieces of each kind were masked; what only looked like a mask is none.
    """

    text: str
    secrets: Mapping[str, str] = field(repr=False)
    kinds: Mapping[str, int] = field(default_factory=dict)

    def restore(self, reply: str) -> str:
        """``reply`` with the masks of this text undone; any other mask stays as it is."""
        return _restored(reply, self.secrets.get)


class Masker:
    """The masks of one conversation: the same value gets the same mask in all of its texts.

    A value that is written a second way, such as a telephone number with blanks, gets the mask of the
    first with a second number: ``<手机1>`` and ``<手机1-2>``.
    """

    def __init__(self, patterns: Patterns = NONE) -> None:
        self._patterns = patterns
        self._language = "zh"
        self._secrets: dict[str, str] = {}
        self._masks: dict[tuple[str, str], str] = {}
        self._stems: dict[tuple[str, str], str] = {}
        self._counts: Counter[str] = Counter()
        self._known = Recurring()

    def mask(self, text: str) -> Masked:
        """The text with a mask in place of each piece of personal data.

        What was found in an earlier text of the conversation is masked wherever it stands again, also
        where the words around would not give it away. What looks like a mask already is masked as well.
        """
        self._language = language(text) or self._language
        parts: list[str] = []
        secrets: dict[str, str] = {}
        kinds: Counter[str] = Counter()
        done = 0
        for kind, start, end in self._spans(text):
            value = text[start:end]
            mask = self._mask(kind, value)
            secrets[mask] = value
            parts += [text[done:start], mask]
            done = end
            kinds[kind] += kind != _LITERAL
        return Masked("".join([*parts, text[done:]]), secrets, dict(+kinds))

    def restore(self, reply: str) -> str:
        """``reply`` with every mask of the conversation undone; an unknown one stays as it is."""
        return _restored(reply, self._secrets.get)

    def _spans(self, text: str) -> list[tuple[str, int, int]]:
        found = [(one.kind, one.start, one.end) for one in find(text, patterns=self._patterns)]
        for kind, start, end in found:
            self._known.add(text[start:end], kind)
        literal = [(_LITERAL, *hit.span()) for hit in _MASK.finditer(text)]
        return list(_united([*found, *self._known.spans(text), *literal]))

    def _mask(self, kind: str, value: str) -> str:
        known = self._masks.get((kind, value))
        if known is not None:
            return known
        name = _LABELS[kind][self._language]
        plain = _SEPARATORS.sub("", fold(value).text).casefold()
        stem = self._stems.get((kind, plain))
        if stem is None:
            self._counts[name] += 1
            stem = self._stems[kind, plain] = f"{name}{self._counts[name]}"
            mask = f"<{stem}>"
        else:
            self._counts[stem] += 1
            mask = f"<{stem}-{self._counts[stem] + 1}>"
        self._masks[kind, value] = mask
        self._secrets[mask] = value
        return mask


def _united(spans: list[tuple[str, int, int]]) -> Iterator[tuple[str, int, int]]:
    """The spans in order; those that overlap become one, of the kind of the first found."""
    last: tuple[str, int, int] | None = None
    for kind, start, end in sorted(spans, key=lambda span: (span[1], -span[2])):
        if last is None:
            last = kind, start, end
        elif start >= last[2]:
            yield last
            last = kind, start, end
        else:
            told = kind if last[0] == _LITERAL else last[0]
            last = told, last[1], max(end, last[2])
    if last is not None:
        yield last


def _restored(reply: str, secret: Callable[[str], str | None]) -> str:
    def value(hit: re.Match[str]) -> str:
        told = secret(f"<{hit[1]}{hit[2]}>") or secret(f"<{hit[1].lower()}{hit[2]}>")
        return hit[0] if told is None else told

    return _MASK.sub(value, reply)
