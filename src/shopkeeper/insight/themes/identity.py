"""Which theme of a new fit is which theme of the last one, and what became of the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from shopkeeper.insight.themes.cluster import Labels
from shopkeeper.insight.themes.mixture import NONE

_SAME = 0.25  # texts in common, of those in either: below it, two themes are two themes
_PART = 0.3  # of a theme's texts: fewer say nothing about where it came from
_MOST = 0.5


@dataclass(frozen=True)
class Match:
    """By row of the new fit and of the old: who is who (NONE: nobody), and where texts came from.

    ``came`` (new, old): of a new theme's texts, the share that the old theme had; ``went`` (old, new):
    of an old theme's texts, the share that the new theme has.
    """

    same: Labels
    came: NDArray[np.float64]
    went: NDArray[np.float64]

    def sources(self, new: int) -> list[int]:
        """Old themes that a sizeable part of a new theme's texts had."""
        return [int(n) for n in np.flatnonzero(self.came[new] >= _PART)]

    def heir(self, old: int) -> int | None:
        """The new theme that has most of an old theme's texts; None where they are scattered."""
        if not self.went.shape[1]:
            return None
        best = int(self.went[old].argmax())
        return best if self.went[old, best] >= _MOST else None


def match(old: Labels, new: Labels, sizes: tuple[int, int]) -> Match:
    """Match themes by the texts they have in common: the assignment of greatest total Jaccard index.

    Args:
        old: the theme of each text before (NONE: none).
        new: the theme of each of the same texts now.
        sizes: how many themes there were, and are.

    Source: Kuhn, Naval Research Logistics 2 (1955); as ``scipy.optimize.linear_sum_assignment``.
    """
    both = np.zeros(sizes)
    inside = (old != NONE) & (new != NONE)
    np.add.at(both, (old[inside], new[inside]), 1)
    before = np.bincount(old[old != NONE], minlength=sizes[0])
    after = np.bincount(new[new != NONE], minlength=sizes[1])
    common = both / np.maximum(before[:, None] + after[None, :] - both, 1)
    same = np.full(sizes[1], NONE)
    for one, other in zip(*linear_sum_assignment(-common), strict=True):
        if common[one, other] >= _SAME:
            same[other] = one
    came = (both / np.maximum(after[None, :], 1)).T
    return Match(same, came, both / np.maximum(before[:, None], 1))


def same_words(before: Sequence[str], now: Sequence[str]) -> bool:
    """Whether a theme is still called what it was: half of its first five words are the same."""
    first, second = set(before[:5]), set(now[:5])
    return len(first & second) * 2 >= min(len(first), len(second), 5)
