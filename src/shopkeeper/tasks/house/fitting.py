"""Fits a house reader: on composed practice and written texts, calibrated on the written ones alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from shopkeeper.core.types import Value
from shopkeeper.tasks.calibration import calibrated, calibration_error, temperature
from shopkeeper.tasks.features import NgramHasher
from shopkeeper.tasks.linear import Linear, fit_softmax, log_ratios
from shopkeeper.tasks.student import Student
from shopkeeper.tasks.vectors import Vectors, learn

Floats = NDArray[np.float32]
NAME = "house"
_FOLDS = 3


class Settings(Value):
    """How a reader sees texts (``hasher``), how many n-grams it keeps and how hard it is held back."""

    hasher: NgramHasher
    least: int = 2
    most: int = 150_000
    ridge: float = 0.3
    written_weight: float = 3.0
    """How many composed texts a whole text weighs."""


class Examples(NamedTuple):
    """Texts and the share of each label in them (n, k), each row adding to 1.

    ``origins``: of composed texts, the place of the whole text that each was made from, -1 for none.
    """

    texts: list[str]
    targets: Floats
    origins: NDArray[np.int64]


def examples(
    pairs: Sequence[tuple[str, Sequence[str]]],
    labels: Sequence[str],
    origins: Sequence[int] | None = None,
) -> Examples:
    """The texts with equal shares of the labels that each bears."""
    targets = np.zeros((len(pairs), len(labels)), np.float32)
    places = {label: place for place, label in enumerate(labels)}
    for row, (_, borne) in enumerate(pairs):
        for label in borne:
            targets[row, places[label]] = 1 / len(borne)
    made_from = np.full(len(pairs), -1, np.int64) if origins is None else np.array(origins)
    return Examples([text for text, _ in pairs], targets, made_from)


def fit(
    labels: Sequence[str], practice: Examples, whole: Examples, settings: Settings, seed: int = 0
) -> Student:
    """The reader of both, with the figures of ``whole`` texts that it was not fitted on in its card.

    ``practice`` is composed or repetitive, so agreement with it says little: the temperature comes from
    3-fold predictions of ``whole``, the texts that were written one by one; what was made from a text
    that is held out is held out with it.
    """
    counts = settings.hasher.matrix([*practice.texts, *whole.texts])
    targets = np.vstack([practice.targets, whole.targets])
    mass = np.ones(len(targets), np.float32)
    mass[len(practice.texts) :] = settings.written_weight
    first = len(practice.texts)
    order = np.random.default_rng(seed).permutation(len(whole.texts)) + first
    scores = np.zeros((len(order), len(labels)), np.float32)
    for fold in np.array_split(order, _FOLDS):
        kin = np.flatnonzero(np.isin(practice.origins, fold - first))
        inside = np.setdiff1d(np.arange(len(targets)), np.concatenate([fold, kin]))
        vectors, linear = _fitted(counts[inside], targets[inside], mass[inside], settings)
        scores[fold - first] = linear.scores(vectors.weighted(counts[fold]))
    degree = temperature(scores, whole.targets)
    vectors, linear = _fitted(counts, targets, mass, settings)
    card = {
        "settings": settings.model_dump(mode="json"),
        "practice": len(practice.texts),
        "written": len(whole.texts),
        "held_out": _figures(scores, whole.targets, degree),
    }
    return Student(NAME, labels, vectors, linear, degree, card)


def _fitted(
    counts: Any, targets: Floats, mass: Floats, settings: Settings
) -> tuple[Vectors, Linear]:
    vectors = learn(settings.hasher, counts, least=settings.least, most=settings.most)
    matrix = vectors.weighted(counts)
    scale = log_ratios(matrix.sign(), targets)
    return vectors, fit_softmax(matrix, targets, scale, settings.ridge, mass)


def _figures(scores: Floats, targets: Floats, degree: float) -> dict[str, float]:
    right = targets[np.arange(len(targets)), scores.argmax(axis=1)] > 0
    sure = calibrated(scores, degree).max(axis=1)
    return {
        "texts": len(targets),
        "accuracy": round(float(right.mean()), 4),
        "calibration_error": round(calibration_error(sure, right), 4),
    }
