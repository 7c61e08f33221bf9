"""What customers searched for and wrote: each saying as words and as the interests that it gives away.

A saying is a row of counts of hashed words, as item texts are compared by, and of the interests that a
reader finds in it: the shop's own student of the task ``interests`` where there is one, the house reader
elsewhere. Sensitive interests (health, family, age) are never inferred.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from shopkeeper.tasks.features import NgramHasher
from shopkeeper.tasks.house import readers, written
from shopkeeper.tasks.types import Solver

Ints = NDArray[np.int64]
Floats = NDArray[np.float32]

TASK: Final = "interests"
INTERESTS: Final = tuple(
    label for label in written.labels(TASK) if label not in readers.sensitive(TASK)
)
HASHER: Final = NgramHasher(sizes=(1, 2), letters=(), bits=20)
WIDTH: Final = HASHER.buckets + len(INTERESTS)
"""Columns of a saying: buckets of words, then interests."""

LONGEST: Final = 300
"""Characters of a saying that are read: of a search more is pasted text."""

KEPT: Final = 20
"""Latest sayings of a customer that are looked at."""

_REMEMBERED: Final = 20_000


@dataclass(frozen=True)
class Spoken:
    """Sayings by speaker, oldest first: speaker ``s`` has the rows ``starts[s]:starts[s+1]``.

    ``time`` is milliseconds since 1970, ``said`` (rows x :data:`WIDTH`), ``texts`` the words of searches: for
    the reason that a customer is given; they stay in memory.
    """

    starts: Ints
    time: Ints
    said: sparse.csr_array
    texts: tuple[str, ...]

    @classmethod
    def by(cls, speaker: Ints, time: Ints, texts: Sequence[str], speakers: int) -> Spoken:
        """Of searches in any order, read by the house reader."""
        distinct = sorted(set(texts))
        place = {text: row for row, text in enumerate(distinct)}
        rows = np.array([place[text] for text in texts], dtype=np.int64)
        return cls._ordered(speaker, time, sparse.csr_array(read(distinct)[rows]), texts, speakers)

    def joined(self, speaker: Ints, time: Ints, labels: Sequence[str], chances: Floats) -> Spoken:
        """With interests that somebody else has read: one row each, without words."""
        column = {label: place for place, label in enumerate(INTERESTS)}
        rows = np.array([n for n, label in enumerate(labels) if label in column], dtype=np.int64)
        columns = np.array([HASHER.buckets + column[labels[n]] for n in rows.tolist()], np.int64)
        cells = (chances[rows].astype(np.float32), (np.arange(len(rows)), columns))
        told = sparse.csr_array(sparse.coo_array(cells, shape=(len(rows), WIDTH)))
        speakers = len(self.starts) - 1
        own = np.repeat(np.arange(speakers), np.diff(self.starts))
        return self._ordered(
            np.concatenate([own, speaker[rows]]),
            np.concatenate([self.time, time[rows]]),
            sparse.csr_array(sparse.vstack([self.said, told]), dtype=np.float32),
            (*self.texts, *("" for _ in rows)),
            speakers,
        )

    @classmethod
    def _ordered(
        cls, speaker: Ints, time: Ints, said: sparse.csr_array, texts: Sequence[str], speakers: int
    ) -> Spoken:
        order = np.lexsort((time, speaker))
        starts = np.searchsorted(speaker[order], np.arange(speakers + 1)).astype(np.int64)
        words = tuple(texts[row] for row in order.tolist())
        return cls(starts, time[order].astype(np.int64), sparse.csr_array(said[order]), words)

    def select(self, speakers: Ints, until: Ints | None = None) -> Spoken:
        """Those of some speakers, in the order given; of each what was said before ``until``."""
        starts, ends = self.starts[speakers], self.starts[speakers + 1]
        if until is not None:
            early = [
                int(np.searchsorted(self.time[a:b], t))
                for a, b, t in zip(starts, ends, until, strict=True)
            ]
            ends = starts + np.array(early, dtype=np.int64)
        lengths = ends - starts
        begins = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        take = np.repeat(starts - begins[:-1], lengths) + np.arange(begins[-1])
        return Spoken(
            begins,
            self.time[take],
            sparse.csr_array(self.said[take]),
            tuple(self.texts[row] for row in take.tolist()),
        )


def read(texts: Sequence[str], solver: Solver | None = None) -> sparse.csr_array:
    """(texts x :data:`WIDTH`): words, and the chance of each interest that is likely."""
    if not len(texts):
        return sparse.csr_array((0, WIDTH), dtype=np.float32)
    short = [text[:LONGEST] for text in texts]
    words = sparse.csr_array(HASHER.matrix(short), dtype=np.float32)
    return sparse.csr_array(sparse.hstack([words, interests(short, solver)]), dtype=np.float32)


def interests(texts: Sequence[str], solver: Solver | None = None) -> sparse.csr_array:
    """(texts x :data:`INTERESTS`): the chance of each interest that is likely."""
    column = {label: place for place, label in enumerate(INTERESTS)}
    answers = (solver or readers.load(TASK)).answer(list(texts))
    cells = [
        (row, column[span.category], span.confidence)
        for row, answer in enumerate(answers)
        for span in answer.value or ()
        if not isinstance(span, str) and span.category in column
    ]
    rows, columns, chances = zip(*cells, strict=True) if cells else ((), (), ())
    found = sparse.coo_array(
        (np.array(chances, np.float32), (np.array(rows, np.int64), np.array(columns, np.int64))),
        shape=(len(texts), len(INTERESTS)),
    )
    return sparse.csr_array(found)


@lru_cache(_REMEMBERED)
def read_once(text: str) -> sparse.csr_array:
    """One saying as a row, remembered: the same search is made by many."""
    return read([text])


def lately(sayings: Sequence[tuple[int, str]]) -> Spoken | None:
    """What one customer said, as (ms since 1970, words) in any order; None: nothing."""
    if not sayings:
        return None
    order = sorted(sayings)[-KEPT:]
    said = sparse.csr_array(sparse.vstack([read_once(text) for _, text in order]), dtype=np.float32)
    time = np.array([at for at, _ in order], dtype=np.int64)
    return Spoken(np.array([0, len(order)]), time, said, tuple(text for _, text in order))
