"""Words by day and person, and those that rise: the arrays behind hot topics."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from shopkeeper.stats.changes import risen

Ints = NDArray[np.int64]

RISE = 1.25
"""A rate that has grown no more than this many times is no news."""

_BLOCKS = {1: 8, 3: 8, 7: 8, 14: 6, 28: 4}
"""By length of the window in days, how many blocks of the same weekdays before it are looked at."""

QUARTER = 91
HORIZON = max(_shift * (count + 1) for _shift, count in ((28, 4), (14, 6), (7, 8)))
"""Days that a look needs: the window and all blocks before it."""


class Alarm(NamedTuple):
    """A word that rises: over the ``days`` up to the day asked, ``people`` against ``before``.

    ``units`` are all people who wrote: in the window, and in the blocks before.
    """

    word: int
    days: int
    people: int
    before: int
    expected: float
    p_value: float
    units: tuple[int, int]


@dataclass(frozen=True)
class Look:
    """The alarms of one day, strongest first; at most one a word."""

    alarms: tuple[Alarm, ...]
    tested: int


@dataclass(frozen=True)
class Spoken:
    """Texts with the words they hold: of each text its day (an ordinal), author and wording as numbers.

    ``words`` of text i are ``words[starts[i]:starts[i+1]]``, each once.
    """

    days: Ints
    authors: Ints
    wordings: Ints
    words: Ints
    starts: Ints
    names: Sequence[str]

    @classmethod
    def of(
        cls,
        days: Sequence[int],
        authors: Sequence[str],
        wordings: Sequence[str],
        texts: Sequence[Sequence[str]],
    ) -> Spoken:
        """From texts as lists of words."""
        names: dict[str, int] = {}
        found = [sorted({names.setdefault(w, len(names)) for w in text}) for text in texts]
        starts = np.zeros(len(texts) + 1, np.int64)
        np.cumsum([len(one) for one in found], out=starts[1:])
        flat = np.fromiter((w for one in found for w in one), np.int64, int(starts[-1]))
        return cls(
            np.asarray(days, np.int64),
            _numbered(authors),
            _numbered(wordings),
            flat,
            starts,
            list(names),
        )

    @cached_property
    def _text_of_word(self) -> Ints:
        return np.repeat(np.arange(len(self.days)), np.diff(self.starts))

    def holding(self, word: int) -> Ints:
        """The texts that hold a word."""
        return np.asarray(self._text_of_word[self.words == word], np.int64)

    def of_text(self, text: int) -> list[int]:
        """The words of a text."""
        return [int(w) for w in self.words[self.starts[text] : self.starts[text + 1]]]

    def often(self, word: int) -> int:
        """How many texts hold a word."""
        return int(self._totals[word])

    @cached_property
    def _totals(self) -> Ints:
        return np.bincount(self.words, minlength=len(self.names))

    def look(self, day: int, budget: float) -> Look:
        """What rises up to that day, at ``budget`` false alarms on average."""
        best: dict[int, Alarm] = {}
        tested = 0
        for length, blocks in _BLOCKS.items():
            found, number = self._window(day, length, blocks, budget / len(_BLOCKS))
            tested = max(tested, number)
            for alarm in found:
                known = best.get(alarm.word)
                if known is None or alarm.p_value < known.p_value:
                    best[alarm.word] = alarm
        order = sorted(best.values(), key=lambda a: (a.p_value, self.names[a.word]))
        return Look(tuple(order), tested)

    def _window(self, day: int, length: int, blocks: int, budget: float) -> tuple[list[Alarm], int]:
        block = self._blocks(day, length, blocks)
        block = _once(block, self.wordings)  # the same words again, by whomever, say nothing more
        units = np.zeros(blocks + 1, np.int64)
        people = np.unique(np.stack([block, self.authors])[:, block >= 0], axis=1)
        np.add.at(units, people[0], 1)
        if not units[0] or units[1:].sum() == 0 or (units[1:] > 0).sum() < blocks // 2:
            return [], 0
        inside = block[self._text_of_word] >= 0
        texts, words = self._text_of_word[inside], self.words[inside]
        width, most = len(self.names), int(self.authors.max()) + 1
        keys = np.unique((block[texts] * most + self.authors[texts]) * width + words)
        known, place = np.unique(keys % width, return_inverse=True)
        counts = np.zeros((len(known), blocks + 1), np.int64)
        np.add.at(counts, (place, keys // width // most), 1)
        result = risen(counts, units, RISE, budget)
        totals = (int(units[0]), int(units[1:].sum()))
        alarms = [
            Alarm(
                int(known[n]), length, int(counts[n, 0]), int(counts[n, 1:].sum()),
                float(result.expected[n]), float(result.p_values[n]), totals,
            )
            for n in result.alarms
        ]  # fmt: skip
        return alarms, result.tested

    def _blocks(self, day: int, length: int, blocks: int) -> Ints:
        """The block of each text: 0 the window, 1 … those before it on the same weekdays; -1 none."""
        shift = 7 * -(-length // 7)
        age = day - self.days
        block = age // shift
        outside = (age < 0) | (age % shift >= length) | (block > blocks)
        return np.asarray(np.where(outside, -1, block), np.int64)


def _once(block: Ints, wordings: Ints) -> Ints:
    """The blocks, -1 for every further text of the same wording in the same block."""
    inside = np.flatnonzero(block >= 0)
    keys = block[inside] * (int(wordings.max(initial=0)) + 1) + wordings[inside]
    first = np.unique(keys, return_index=True)[1]
    found = np.full(len(block), -1)
    found[inside[first]] = block[inside[first]]
    return found


def _numbered(values: Sequence[str]) -> Ints:
    return np.asarray(np.unique(np.asarray(values, object), return_inverse=True)[1], np.int64)
