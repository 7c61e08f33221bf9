"""The numbers that decide which places are promoted and what is tried out."""

from __future__ import annotations

import itertools
import random
from typing import Final

import numpy as np

from shopkeeper.recommend.rules.arrange import Draw

_GOLDEN: Final = (5**0.5 - 1) / 2
_start = random.SystemRandom().random()
_places = itertools.count()


def draw(decision_id: str, k: int) -> Draw:
    """For ``k`` places of one decision; the same decision draws the same items.

    Promoted places follow multiples of the golden ratio from a random start, counted over all requests
    of the process: every place has just the promised chance, and after n places the share is off by no
    more than about log(n) / n (Kronecker's sequence), where independent draws would be by 1 / sqrt(n).
    """
    numbers = np.array([next(_places) for _ in range(k)], dtype=np.float64)
    chance = np.random.default_rng(list(decision_id.encode()))
    return Draw((_start + numbers * _GOLDEN) % 1.0, chance.random(k), chance.random(k))
