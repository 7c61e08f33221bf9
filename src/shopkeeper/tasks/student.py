"""The student: a linear reader fitted in seconds that answers a task for millions of texts on a CPU."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from shopkeeper.core.errors import Corrupt
from shopkeeper.tasks import arrays
from shopkeeper.tasks.calibration import calibrated, calibration_error, temperature
from shopkeeper.tasks.features import NgramHasher, batches
from shopkeeper.tasks.fitting import (
    FOLDS,
    StudentSettings,
    fitted,
    folds,
    held_out,
    readable,
    targets_of,
    without,
)
from shopkeeper.tasks.linear import Linear
from shopkeeper.tasks.readable import refusals
from shopkeeper.tasks.types import Answer
from shopkeeper.tasks.vectors import Vectors

Floats = NDArray[np.float32]
__all__ = ["Fitness", "Student", "StudentSettings", "cross_probabilities", "judged"]

KIND = "student"
FORMAT = 1


class Fitness(NamedTuple):
    """What the fit saw of itself on texts it had not been fitted on."""

    n: int
    accuracy: float
    calibration_error: float


class Student:
    """A fitted reader. ``labels`` are the columns of :meth:`probabilities`; ``version`` its checksum."""

    def __init__(
        self,
        name: str,
        labels: Sequence[str],
        vectors: Vectors,
        linear: Linear,
        temperature: float,
        card: dict[str, Any],
    ) -> None:
        self.name = name
        self.labels = tuple(labels)
        self.card = card
        self._vectors = vectors
        self._weights = linear.weights.astype(np.float16)
        self._linear = Linear(self._weights.astype(np.float32), linear.bias)
        self._temperature = temperature
        self.version = arrays.version(
            *self.labels,
            str(temperature),
            vectors.hasher.model_dump_json(),
            *self._arrays().values(),
        )

    @classmethod
    def fit(
        cls,
        name: str,
        texts: Sequence[str],
        labels: Sequence[str],
        *,
        names: Sequence[str] = (),
        settings: StudentSettings | None = None,
        seed: int = 0,
    ) -> Student:
        """A student of ``labels`` (one a text); ``names`` fixes their order, default alphabetical.

        Texts that cannot be read are left out. Raises :class:`BadInput` for fewer than two labels.
        """
        targets, order = targets_of(labels, names)
        return cls.fit_soft(name, texts, targets, names=order, settings=settings, seed=seed)

    @classmethod
    def fit_soft(
        cls,
        name: str,
        texts: Sequence[str],
        targets: Floats,
        *,
        names: Sequence[str],
        settings: StudentSettings | None = None,
        seed: int = 0,
    ) -> Student:
        """The same from shares: ``targets`` (n, k), each row adding to 1."""
        chosen = settings or StudentSettings()
        kept, goals = readable(texts, targets)
        counts = chosen.hasher.matrix(kept)
        held = held_out(counts, goals, chosen, seed)
        degree, fitness = judged(held.scores, goals[held.places])
        vectors, linear = fitted(counts, goals, chosen, held.ridge)
        card = {
            "texts": len(kept),
            "settings": chosen.model_dump(mode="json"),
            "ridge": held.ridge,
            "fitness": fitness._asdict(),
        }
        return cls(name, names, vectors, linear, degree, card)

    def scores(self, texts: Sequence[str]) -> Floats:
        """The uncalibrated scores (n, k); of an unreadable text those of no text at all."""
        parts = [self._linear.scores(self._vectors.of(batch)) for batch in batches(texts)]
        return np.vstack(parts) if parts else np.zeros((0, len(self.labels)), np.float32)

    def probabilities(self, texts: Sequence[str]) -> Floats:
        """The calibrated probability of each label, (n, k) float32, rows adding to 1."""
        return calibrated(self.scores(texts), self._temperature)

    def answer(self, texts: Sequence[str]) -> list[Answer]:
        """One answer a text; a text that cannot be read abstains with the reason."""
        refused = refusals(texts)
        readable = [text if place not in refused else "" for place, text in enumerate(texts)]
        probabilities = self.probabilities(readable)
        best = probabilities.argmax(axis=1)
        sure = probabilities[np.arange(len(best)), best].tolist()
        labels, name, version = self.labels, self.name, self.version
        answers = [
            Answer(labels[place], confidence, name, version)
            for place, confidence in zip(best.tolist(), sure, strict=True)
        ]
        for place, reason in refused.items():
            answers[place] = Answer(None, 0.0, name, version, True, reason)
        return answers

    def vectors(self, texts: Sequence[str]) -> Any:
        """The texts as the student sees them: a CSR matrix with rows of length 1."""
        return self._vectors.of(texts)

    def save(self, folder: Path) -> None:
        """Write the student into ``folder`` as arrays and a card."""
        card = {
            "kind": KIND,
            "format": FORMAT,
            "name": self.name,
            "version": self.version,
            "labels": list(self.labels),
            "hasher": self._vectors.hasher.model_dump(mode="json"),
            "temperature": self._temperature,
            "card": self.card,
        }
        arrays.save(folder, card, self._arrays())

    @classmethod
    def load(cls, folder: Path) -> Student:
        """The student saved in ``folder``; raises NotFound or :class:`Corrupt` for a damaged one."""
        card, held = arrays.load(folder, KIND)
        try:
            vectors = Vectors(NgramHasher(**card["hasher"]), held["rows"], held["idf"])
            linear = Linear(held["weights"].astype(np.float32), held["bias"])
            student = cls(
                card["name"], card["labels"], vectors, linear, card["temperature"], card["card"]
            )
            same = student.version == card["version"]
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise _damaged(folder) from error
        if not same:
            raise _damaged(folder)
        return student

    def _arrays(self) -> dict[str, arrays.Array]:
        return {
            "rows": self._vectors.rows,
            "idf": self._vectors.idf,
            "weights": self._weights,
            "bias": self._linear.bias,
        }


def _damaged(folder: Path) -> Corrupt:
    return Corrupt(
        f"The model {folder.name!r} is damaged: its card.", hint="Train the model again."
    )


def judged(scores: Floats, targets: Floats) -> tuple[float, Fitness]:
    """The temperature that calibrates these scores of texts not fitted on, and how good they are."""
    degree = temperature(scores, targets)
    right = scores.argmax(axis=1) == targets.argmax(axis=1)
    sure = calibrated(scores, degree).max(axis=1)
    error = calibration_error(sure, right)
    return degree, Fitness(len(scores), float(right.mean()), error)


def cross_probabilities(
    texts: Sequence[str],
    labels: Sequence[str],
    *,
    settings: StudentSettings | None = None,
    seed: int = 0,
) -> tuple[tuple[str, ...], Floats]:
    """The labels' names and each text's calibrated probabilities by a student that had not seen it."""
    chosen = settings or StudentSettings()
    targets, names = targets_of(labels, ())
    counts = chosen.hasher.matrix(texts)
    scores = np.zeros_like(targets)
    for fold in folds(len(texts), FOLDS, seed):
        scores[fold] = without(counts, targets, chosen, fold, chosen.ridges[0])
    return names, calibrated(scores, temperature(scores, targets))
