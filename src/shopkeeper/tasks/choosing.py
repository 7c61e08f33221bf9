"""Which texts to label next: those the student is unsure of and that differ, and some drawn at random."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from shopkeeper.core.errors import BadInput
from shopkeeper.core.text import normalise
from shopkeeper.tasks.readable import refusals
from shopkeeper.tasks.student import Student

Why = Literal["uncertain", "random"]
_CANDIDATES = 8
_ALIKE = 0.999


class Choice(NamedTuple):
    """The place of a text and why it was chosen: only "random" ones may calibrate or correct shares."""

    place: int
    why: Why


def choose(
    student: Student | None,
    texts: Sequence[str],
    count: int,
    *,
    random_share: float = 0.5,
    taken: Collection[int] = (),
    seed: int = 0,
) -> list[Choice]:
    """At most ``count`` texts to label, those drawn at random first.

    The random ones are drawn from all readable texts that are not ``taken``, before anything else is
    looked at, so they represent the pool. The others are the surest gain: of the texts with the least
    margin between the two best labels, one after the other that is least like those chosen already
    (so that a spammed text is labelled once). Without a student all are drawn at random.
    """
    if not 0 <= random_share <= 1:
        raise BadInput(f"A share of {random_share} is not between 0 and 1.", field="random_share")
    random = np.random.default_rng(seed)
    closed = set(taken) | set(refusals(texts))
    free = np.array([place for place in range(len(texts)) if place not in closed], np.int64)
    drawn = random.permutation(free)
    lot = count if student is None else round(count * random_share)
    chosen = [Choice(int(place), "random") for place in drawn[:lot]]
    wanted = min(count - len(chosen), len(drawn) - len(chosen))
    if student is None or wanted <= 0:
        return chosen
    rest = _different(texts, drawn[:lot], np.sort(drawn[lot:]))
    margins = _margins(student, [texts[place] for place in rest])
    likely = rest[np.argsort(margins, kind="stable")[: wanted * _CANDIDATES]]
    spread = _spread(student, [texts[place] for place in likely], wanted)
    return chosen + [Choice(int(likely[place]), "uncertain") for place in spread]


def _different(
    texts: Sequence[str], before: NDArray[np.int64], rest: NDArray[np.int64]
) -> NDArray[np.int64]:
    """The first of each text among ``rest`` that is not among those chosen before."""
    seen = {normalise(texts[place]) for place in before}
    kept = []
    for place in rest.tolist():
        text = normalise(texts[place])
        if text not in seen:
            seen.add(text)
            kept.append(place)
    return np.array(kept, np.int64)


def _margins(student: Student, texts: Sequence[str]) -> NDArray[np.float32]:
    top = np.sort(student.probabilities(texts), axis=1)[:, -2:]
    gap: NDArray[np.float32] = top[:, 1] - top[:, 0]
    return gap


def _spread(student: Student, texts: Sequence[str], count: int) -> list[int]:
    """Places of ``count`` texts, each the least like those before it among the front of the list."""
    vectors = student.vectors(texts)
    nearest = np.zeros(len(texts))
    chosen: list[int] = []
    for _ in range(min(count, len(texts))):
        # Unsure counts as much as unlike: the list is in order of the margin.
        worth = (1 - nearest) * np.linspace(1, 0.5, len(texts))
        worth[nearest >= _ALIKE] = -1
        worth[chosen] = -2
        place = int(worth.argmax())
        if worth[place] < 0:
            break
        chosen.append(place)
        nearest = np.maximum(nearest, (vectors @ vectors[place].T).toarray().ravel())
    return chosen
