"""Which labels are probably wrong, and how often each label is given for another (confident learning)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from shopkeeper.core.types import Value
from shopkeeper.tasks.student import StudentSettings, cross_probabilities


class Suspect(Value):
    """A label that probably is wrong: what was said, what it should be, and how sure the others are."""

    place: int
    given: str
    likely: str
    likely_probability: float
    given_probability: float


class NoiseReport(Value):
    """The suspects, the worst first; ``share`` of all labels; and counts of (given, likely) labels."""

    labels: int
    share: float
    suspects: tuple[Suspect, ...]
    confused: dict[str, dict[str, int]]


class _Seen(NamedTuple):
    given: NDArray[np.int64]
    likely: NDArray[np.int64]


def report(
    texts: Sequence[str],
    labels: Sequence[str],
    *,
    settings: StudentSettings | None = None,
    seed: int = 0,
) -> NoiseReport:
    """The labels that five students, none of which had seen the text, confidently contradict.

    A text counts for a label when its probability reaches that label's own threshold: the mean
    probability of the texts that bear it, so that a label that is hard to learn is not suspected for it.
    Source: Northcutt, Jiang & Chuang, "Confident learning", JAIR 70 (2021), equations 1 and 2.
    """
    names, probabilities = cross_probabilities(texts, labels, settings=settings, seed=seed)
    seen = _confident(probabilities, np.array([names.index(label) for label in labels]))
    suspected = np.flatnonzero((seen.likely >= 0) & (seen.likely != seen.given))
    gap = probabilities[suspected, seen.likely[suspected]]
    gap = gap - probabilities[suspected, seen.given[suspected]]
    order = suspected[np.argsort(-gap, kind="stable")]
    return NoiseReport(
        labels=len(labels),
        share=len(suspected) / len(labels),
        suspects=tuple(_suspect(place, seen, names, probabilities) for place in order.tolist()),
        confused=_confused(seen, names),
    )


def _confident(probabilities: NDArray[Any], given: NDArray[np.int64]) -> _Seen:
    count = probabilities.shape[1]
    own = [probabilities[given == label, label] for label in range(count)]
    thresholds = np.array([each.mean() if len(each) else np.inf for each in own])
    reached = np.where(probabilities >= thresholds, probabilities, -1.0)
    likely = np.where(reached.max(axis=1) >= 0, reached.argmax(axis=1), -1)
    return _Seen(given, likely)


def _suspect(place: int, seen: _Seen, names: Sequence[str], chances: NDArray[Any]) -> Suspect:
    given, likely = int(seen.given[place]), int(seen.likely[place])
    return Suspect(
        place=place,
        given=names[given],
        likely=names[likely],
        likely_probability=float(chances[place, likely]),
        given_probability=float(chances[place, given]),
    )


def _confused(seen: _Seen, names: Sequence[str]) -> dict[str, dict[str, int]]:
    table: dict[str, dict[str, int]] = {}
    for given, likely in zip(seen.given.tolist(), seen.likely.tolist(), strict=True):
        if likely >= 0:
            row = table.setdefault(names[given], {})
            row[names[likely]] = row.get(names[likely], 0) + 1
    return table
