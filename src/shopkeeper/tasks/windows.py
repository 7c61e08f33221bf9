"""What a span tagger sees of each unit: hashed n-grams of the units around it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from shopkeeper.tasks.chain import Rows
from shopkeeper.tasks.features import Codes, Numbers, Units, mixed, read_units

_SLOTS = (
    (0,), (-1,), (1,), (-2,), (2,), (-3,), (3,),
    (-1, 0), (0, 1), (-2, -1), (1, 2), (-1, 1), (-2, 0), (0, 2),
    (-1, 0, 1), (-2, -1, 0), (0, 1, 2), (-3, -2, -1), (1, 2, 3),
)  # fmt: skip
"""Offsets of the units that each feature joins."""

_OUTSIDE = np.uint32(0xA5A5A5A5)
_STEP = np.uint32(0x85EBCA6B)


class Seen(NamedTuple):
    """The texts for the tagger, and where its units stand: characters ``begins``:``ends`` of each text."""

    rows: Rows
    begins: Numbers
    ends: Numbers


def look(texts: Sequence[str], bits: int) -> Seen:
    """The texts' units with their features, hashed into 2^``bits`` buckets."""
    units = read_units(texts, compose=False)
    lengths = np.fromiter((len(text) + 1 for text in texts), np.int64, len(texts))
    offsets = np.repeat(np.cumsum(lengths) - lengths, np.diff(units.starts))
    begins = units.places - offsets
    rows = Rows(_features(units.codes, units.starts, bits), units.starts)
    return Seen(rows, begins, begins + _widths(units))


def _features(codes: Codes, starts: Numbers, bits: int) -> NDArray[np.int32]:
    text = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
    shifted = {offset: _shifted(codes, text, offset) for offset in range(-3, 4)}
    table = np.empty((len(codes), len(_SLOTS)), np.int32)
    for slot, offsets in enumerate(_SLOTS):
        joined = np.full(len(codes), slot + 1, np.uint32)
        for offset in offsets:
            joined = mixed(joined * _STEP + shifted[offset])
        table[:, slot] = joined >> np.uint32(32 - bits)
    return table


def _shifted(codes: Codes, text: Numbers, offset: int) -> Codes:
    out = np.full(len(codes), _OUTSIDE, np.uint32)
    if offset >= len(codes) or -offset >= len(codes):
        return out
    here = slice(max(0, -offset), len(codes) - max(0, offset))
    there = slice(max(0, offset), len(codes) - max(0, -offset))
    out[here] = np.where(text[here] == text[there], codes[there], _OUTSIDE)
    return out


def _widths(units: Units) -> Numbers:
    widths = np.ones(len(units.codes), np.int64)
    widths[units.is_word] = np.diff(units.letter_starts)
    return widths
