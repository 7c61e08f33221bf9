"""Values that were found once, wherever they stand again."""

from __future__ import annotations

from collections.abc import Iterator

_HEAD = 2
_LONGEST = 64


class Recurring:
    """A set of values to look for, in time linear in the text however many there are."""

    def __init__(self) -> None:
        self._values: dict[str, str] = {}
        self._lengths: dict[str, list[int]] = {}

    def add(self, value: str, kind: str) -> None:
        """Look for ``value`` from now on; one character alone, or a very long one, is left out."""
        if not _HEAD <= len(value) <= _LONGEST or value in self._values:
            return
        self._values[value] = kind
        lengths = self._lengths.setdefault(value[:_HEAD], [])
        if len(value) not in lengths:
            lengths.append(len(value))
            lengths.sort(reverse=True)

    def spans(self, text: str) -> Iterator[tuple[str, int, int]]:
        """``(kind, start, end)`` of each occurrence that is not part of a longer Latin word or number."""
        if not self._values:
            return
        for start in range(len(text) - 1):
            for length in self._lengths.get(text[start : start + _HEAD], ()):
                kind = self._values.get(text[start : start + length])
                if kind and _alone(text, start, start + length):
                    yield kind, start, start + length
                    break


def _alone(text: str, start: int, end: int) -> bool:
    before = start > 0 and _joins(text[start - 1]) and _joins(text[start])
    after = end < len(text) and _joins(text[end]) and _joins(text[end - 1])
    return not before and not after


def _joins(letter: str) -> bool:
    return letter.isascii() and letter.isalnum()
