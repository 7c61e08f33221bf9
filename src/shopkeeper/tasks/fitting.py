"""How students are fitted: targets from labels, the fit itself, and predictions on texts left out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from shopkeeper.core.errors import BadInput
from shopkeeper.core.types import Value
from shopkeeper.tasks.calibration import temperature
from shopkeeper.tasks.features import NgramHasher
from shopkeeper.tasks.linear import Linear, fit_softmax, log_ratios
from shopkeeper.tasks.readable import refusals
from shopkeeper.tasks.vectors import Vectors, learn

Floats = NDArray[np.float32]
Places = NDArray[np.int64]
FOLDS = 5
_FOLDS_BELOW = 5_000
"""Below so many texts the temperature is fitted on 5-fold predictions, above on a tenth held out."""


class StudentSettings(Value):
    """How a student reads and how hard it is held back. The defaults were chosen on validation data."""

    hasher: NgramHasher = NgramHasher(sizes=(1, 2, 3, 4), bits=22)
    least: int = 2
    most: int = 700_000
    ridges: tuple[float, ...] = (0.3,)


class HeldOut(NamedTuple):
    """Scores of the texts ``places`` by students that had not seen them, with the best ridge."""

    scores: Floats
    places: Places
    ridge: float


def targets_of(labels: Sequence[str], names: Sequence[str]) -> tuple[Floats, tuple[str, ...]]:
    """The labels as rows of zeros and a one, and their order; ``names`` fixes it, default alphabetical."""
    order = tuple(names) or tuple(sorted(set(labels)))
    places = {label: place for place, label in enumerate(order)}
    unknown = sorted(set(labels) - set(places))
    if unknown:
        hint = f"Known: {', '.join(order)}."
        raise BadInput(f"Unknown label {unknown[0]!r}.", hint=hint, field="labels")
    targets = np.zeros((len(labels), len(order)), np.float32)
    targets[np.arange(len(labels)), [places[label] for label in labels]] = 1
    return targets, order


def readable(texts: Sequence[str], targets: Floats) -> tuple[list[str], Floats]:
    """The texts that can be read, and their targets; :class:`BadInput` for fewer than two labels."""
    if len(texts) != len(targets):
        raise BadInput(f"{len(texts)} texts but {len(targets)} labels.", hint="Give one a text.")
    refused = refusals(texts)
    kept = [place for place in range(len(texts)) if place not in refused]
    chosen = targets[kept]
    if (chosen.sum(axis=0) > 0).sum() < 2:
        hint = "Label texts of at least two kinds."
        raise BadInput("A student needs examples of at least two labels.", hint=hint)
    return [texts[place] for place in kept], chosen


def fitted(
    counts: Any, targets: Floats, settings: StudentSettings, ridge: float
) -> tuple[Vectors, Linear]:
    """The vectors and the linear model of these texts."""
    vectors = learn(settings.hasher, counts, least=settings.least, most=settings.most)
    matrix = vectors.weighted(counts)
    scale = np.abs(log_ratios(matrix.sign(), targets))
    return vectors, fit_softmax(matrix, targets, scale, ridge)


def held_out(counts: Any, targets: Floats, settings: StudentSettings, seed: int) -> HeldOut:
    """Predictions on five folds (of many texts: on one tenth) for each ridge, and the best of these."""
    many = len(targets) >= _FOLDS_BELOW
    cut = folds(len(targets), 2 * FOLDS if many else FOLDS, seed)
    tested = cut[:1] if many else cut
    places = np.concatenate(tested)
    best = (np.inf, HeldOut(np.zeros((0, 0), np.float32), places, 0.0))
    for ridge in settings.ridges:
        scores = np.vstack([without(counts, targets, settings, fold, ridge) for fold in tested])
        degree = temperature(scores, targets[places])
        chances = softmax(scores / degree, axis=1) + 1e-9
        loss = -float((targets[places] * np.log(chances)).sum())
        if loss < best[0]:
            best = loss, HeldOut(scores, places, ridge)
    return best[1]


def folds(count: int, parts: int, seed: int) -> list[Places]:
    """0 … count - 1 shuffled and cut into parts."""
    return np.array_split(np.random.default_rng(seed).permutation(count), parts)


def without(
    counts: Any, targets: Floats, settings: StudentSettings, fold: Places, ridge: float
) -> Floats:
    """Scores of the texts of ``fold`` by a student of all the others."""
    inside = np.setdiff1d(np.arange(len(targets)), fold)
    vectors, linear = fitted(counts[inside], targets[inside], settings, ridge)
    return linear.scores(vectors.weighted(counts[fold]))
