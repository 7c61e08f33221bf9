"""Texts as hashed n-grams: one vectoriser for Chinese, English and their mixture, without a dictionary.

A text is a row of *units*: each Han character, kana, mark and emoji is one, each run of other letters
or digits (a word) is one. Features are n-grams of units, so Chinese is read by character n-grams and
English by word n-grams, and n-grams of the letters within each word, so that "sizes" and "sized" are
alike. Everything is folded first (see ``alphabet``): full width, case, traditional characters.

No Python loop runs over characters: the texts are one UTF-32 buffer, words are hashed by a rolling
(prefix) hash, n-grams by recurrence over whole arrays.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from scipy import sparse

from shopkeeper.core.types import Value
from shopkeeper.tasks.alphabet import COMPOSE, LIMIT, UNIT, WORD, alphabet

Codes: TypeAlias = NDArray[np.uint32]
Numbers: TypeAlias = NDArray[np.int64]

NOTHING = 0
"""The bucket of what is no n-gram (one that would run over a text's end); its weight is always 0."""

BATCH_CHARACTERS = 1_000_000
_BASE = 0x9E3779B97F4A7C15  # odd, so it has an inverse modulo 2^64
_INVERSE = pow(_BASE, -1, 1 << 64)
_STEP = np.uint32(0x85EBCA6B)
_MIX = (np.uint32(0x7FEB352D), np.uint32(0x846CA68B))
_WORD_MARK = np.uint32(0x5BD1E995)
_BETWEEN, _WITHIN = np.uint32(0x165667B1), np.uint32(0x27D4EB2F)  # salts of the two kinds of n-gram
_OPEN, _CLOSE = np.uint32(ord("<")), np.uint32(ord(">"))


class Grams(NamedTuple):
    """The n-grams of some texts in CSR layout: text i's buckets are ``indices[indptr[i]:indptr[i+1]]``.

    A bucket stands as often as its n-gram does; :data:`NOTHING` may stand between.
    """

    indices: NDArray[np.int32]
    indptr: Numbers


class Units(NamedTuple):
    """The units of some texts: ``codes`` (one hash each), ``starts`` (first unit of each text, and the end).

    ``places`` is each unit's first character in the joined texts, ``letters`` the words' letters,
    ``letter_starts`` the first letter of each word and the end, ``words`` the first word of each text
    and the end, ``is_word`` which units are words.
    """

    codes: Codes
    starts: Numbers
    places: Numbers
    letters: Codes
    letter_starts: Numbers
    words: Numbers
    is_word: NDArray[np.bool_]


class NgramHasher(Value):
    """N-grams of units (``sizes``) and of letters within words (``letters``), in 2^``bits`` buckets."""

    sizes: tuple[int, ...] = (1, 2, 3)
    letters: tuple[int, ...] = (3, 4, 5)
    bits: int = Field(default=20, ge=8, le=24)

    @property
    def buckets(self) -> int:
        """How many buckets there are, :data:`NOTHING` among them."""
        return 1 << self.bits

    def transform(self, texts: Sequence[str]) -> list[Grams]:
        """The texts' n-grams as blocks of equal height whose sum is the text (see :meth:`matrix`).

        The caller bounds the batch: memory is about 40 bytes a character and size. See :func:`batches`.
        """
        units = read_units(texts)
        blocks = [self._of(units.codes, units.starts, self.sizes, _BETWEEN)]
        if self.letters and len(units.letters):
            blocks.append(self._within_words(units))
        return blocks

    def matrix(self, texts: Sequence[str]) -> Any:
        """Counts of n-grams as a scipy CSR matrix, texts × buckets, each bucket once per row."""
        parts = [self._counted(self.transform(batch)) for batch in batches(texts)]
        if not parts:
            return sparse.csr_matrix((0, self.buckets), dtype=np.float32)
        return sparse.vstack(parts, format="csr")

    def _counted(self, blocks: list[Grams]) -> Any:
        total: Any = 0
        for block in blocks:
            ones = np.ones(len(block.indices), np.float32)
            shape = (len(block.indptr) - 1, self.buckets)
            counts = sparse.csr_matrix((ones, block.indices, block.indptr), shape=shape)
            counts.sum_duplicates()
            total = counts + total
        total.data[total.indices == NOTHING] = 0.0
        total.eliminate_zeros()
        return total

    def _of(self, codes: Codes, starts: Numbers, sizes: tuple[int, ...], salt: np.uint32) -> Grams:
        """The n-grams of every row: position by position, all sizes side by side."""
        table = np.empty((len(codes), len(sizes)), np.int32)
        first = mixed(codes ^ salt)
        running = first.copy()
        for size in range(1, max(sizes) + 1):
            if size > 1:
                reach = max(0, len(codes) - size + 1)
                running[:reach] = running[:reach] * _STEP + first[size - 1 :]
            if size in sizes:
                column = table[:, sizes.index(size)]
                column[:] = mixed(running + np.uint32(size)) >> np.uint32(32 - self.bits)
                for over in range(1, size):  # these would run into the next text
                    late = starts[1:] - over
                    column[late[late >= starts[:-1]]] = NOTHING
        return Grams(table.ravel(), starts * len(sizes))

    def _within_words(self, units: Units) -> Grams:
        count = len(units.letter_starts) - 1
        lengths = np.diff(units.letter_starts)
        shift = 2 * np.repeat(np.arange(count, dtype=np.int64), lengths) + 1
        framed = np.empty(len(units.letters) + 2 * count, np.uint32)
        framed[np.arange(len(units.letters)) + shift] = units.letters
        edges = units.letter_starts + 2 * np.arange(count + 1, dtype=np.int64)
        framed[edges[:-1]] = _OPEN
        framed[edges[1:] - 1] = _CLOSE
        words = self._of(framed, edges, self.letters, _WITHIN)
        return Grams(words.indices, words.indptr[units.words])


def batches(texts: Sequence[str], characters: int = BATCH_CHARACTERS) -> Iterator[Sequence[str]]:
    """The texts in runs of at most ``characters`` (a single longer text comes alone)."""
    ends = list(accumulate(len(text) + 1 for text in texts))
    first, base = 0, 0
    for place, end in enumerate(ends):
        if end - base > characters and place > first:
            yield texts[first:place]
            first, base = place, ends[place - 1]
    if first < len(texts):
        yield texts[first:]


def read_units(texts: Sequence[str], *, compose: bool = True) -> Units:
    """The units of the texts, folded and in order.

    Without ``compose`` combining marks stay as they are, so that ``places`` are those of the texts given.
    """
    table = alphabet()
    codes, bounds = _joined(texts)
    kind = table.kind[codes]
    if compose and (kind == COMPOSE).any():
        codes, bounds = _composed(texts, kind == COMPOSE, bounds)
        kind = table.kind[codes]
    folded = table.folded[codes]
    letter = kind >= WORD  # a mark that composed with nothing is a letter of its word
    begins = letter.copy()
    begins[1:] &= ~letter[:-1]
    places = np.flatnonzero(begins | (kind == UNIT))
    starts = np.searchsorted(places, bounds)
    letters = folded[letter]
    units = folded[places]
    words = np.zeros(len(bounds), np.int64)
    heads = np.zeros(1, np.int64)
    if len(letters):
        heads = np.append(np.flatnonzero(begins[letter]), len(letters))
        units[begins[places]] = _word_codes(letters, heads)
        words = np.searchsorted(np.flatnonzero(begins), bounds)
    return Units(units, starts, places, letters, heads, words, begins[places])


def _joined(texts: Sequence[str]) -> tuple[Codes, Numbers]:
    """All characters in one array, each text followed by a skipped one; and where each text begins."""
    joined = "\n".join([*texts, ""])
    codes = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), np.uint32)
    lengths = np.fromiter((len(text) + 1 for text in texts), np.int64, len(texts))
    bounds = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)])
    return np.where(codes < LIMIT, codes, np.uint32(0)), bounds


def _composed(
    texts: Sequence[str], marks: NDArray[np.bool_], bounds: Numbers
) -> tuple[Codes, Numbers]:
    """The same texts, those that hold such a mark in normal form NFKC."""
    held = np.add.reduceat(marks, bounds[:-1])
    whole = list(texts)
    for place in np.flatnonzero(held):
        whole[place] = unicodedata.normalize("NFKC", whole[place])
    return _joined(whole)


def _word_codes(letters: Codes, heads: Numbers) -> Codes:
    """A hash of each word by prefix sums of letter · base^position, divided by base^start."""
    powers = _powers(_BASE, len(letters))
    prefix = np.zeros(len(letters) + 1, np.uint64)
    np.cumsum(letters * powers, out=prefix[1:])
    sums = prefix[heads[1:]] - prefix[heads[:-1]]
    hashed = sums * _powers(_INVERSE, len(letters))[heads[:-1]]
    return (
        mixed((hashed >> np.uint64(32)).astype(np.uint32) ^ hashed.astype(np.uint32)) ^ _WORD_MARK
    )


def _powers(base: int, count: int) -> NDArray[np.uint64]:
    powers = np.full(count, base, np.uint64)
    powers[:1] = 1
    return np.cumprod(powers, dtype=np.uint64)


def mixed(values: Codes) -> Codes:
    """Every bit of the result depends on every bit of the value (the "lowbias32" finaliser)."""
    mixed = values ^ (values >> np.uint32(16))
    mixed *= _MIX[0]
    mixed ^= mixed >> np.uint32(15)
    mixed *= _MIX[1]
    mixed ^= mixed >> np.uint32(16)
    return mixed
