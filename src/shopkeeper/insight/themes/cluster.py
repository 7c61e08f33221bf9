"""Groups of texts by direction: spherical k-means, afresh or from centres that are known already."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from shopkeeper.insight.themes.space import Vectors, unit

Labels = NDArray[np.int64]

_ROUNDS = 60
_TRIED = 8  # candidates for each new centre, the best of which is taken
_STILL = 1e-3  # share of texts that still move: below it, the rounds end


def centres(rows: Vectors, k: int, seed: int, known: Vectors | None = None) -> Vectors:
    """Up to k centres (k, dimensions) of length 1; those ``known`` come first and keep their place.

    New ones start where the texts are worst served (greedy k-means++ on 1 - cosine).
    """
    start = _seeded(rows, k, np.random.default_rng(seed), known)
    return settle(rows, start)


def settle(rows: Vectors, start: Vectors, rounds: int = _ROUNDS) -> Vectors:
    """The centres after Lloyd's rounds: each the mean direction of the texts nearest to it."""
    found, before = start, np.full(len(rows), -1)
    for _ in range(rounds):
        nearest = assign(rows, found)[0]
        if np.mean(nearest != before) < _STILL:
            break
        before = nearest
        found = means(rows, nearest, len(found), found)
    return found


def assign(rows: Vectors, found: Vectors) -> tuple[Labels, Vectors]:
    """The nearest centre of each row, and the cosine to it."""
    nearest = np.empty(len(rows), np.int64)
    cosine = np.empty(len(rows), np.float32)
    for start in range(0, len(rows), 50_000):
        part = slice(start, start + 50_000)
        similar = rows[part] @ found.T
        nearest[part] = similar.argmax(axis=1)
        cosine[part] = similar.max(axis=1)
    return nearest, cosine


def means(rows: Vectors, labels: Labels, k: int, empty: Vectors) -> Vectors:
    """The mean direction of each group; a group without rows has that of ``empty``."""
    sums = np.zeros((k, rows.shape[1]), np.float32)
    for group in range(k):
        inside = labels == group
        sums[group] = rows[inside].sum(axis=0) if inside.any() else empty[group]
    return unit(sums)


def _seeded(rows: Vectors, k: int, chance: np.random.Generator, known: Vectors | None) -> Vectors:
    chosen = [] if known is None else list(known)
    if not chosen:
        chosen.append(rows[chance.integers(len(rows))])
    far = 1 - assign(rows, np.stack(chosen))[1]
    while len(chosen) < k:
        odds = np.maximum(far, 0).astype(np.float64)
        if odds.sum() < 1e-6 * len(rows):
            break  # every text lies on a centre: there are no more kinds of text than centres
        tried = chance.choice(len(rows), size=_TRIED, p=odds / odds.sum())
        near = np.minimum(far[:, None], 1 - rows @ rows[tried].T)
        best = int(near.sum(axis=0).argmin())
        chosen.append(rows[tried[best]])
        far = near[:, best]
    return np.stack(chosen).astype(np.float32)
