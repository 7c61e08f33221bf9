"""Random streams by name: each part of each day has its own, so that parts do not shift each other."""

from __future__ import annotations

import numpy as np

from shopkeeper.core.seeds import derive


def stream(seed: int, *labels: str | int) -> np.random.Generator:
    """The generator of one named part of a world."""
    return np.random.Generator(np.random.PCG64(derive(seed, *labels)))
