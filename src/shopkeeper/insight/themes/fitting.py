"""Finding themes in a sample of texts: embed, reduce, cluster, refine; afresh or from known themes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shopkeeper.core.seeds import derive
from shopkeeper.core.types import CannotSay, Estimate
from shopkeeper.insight.themes import cluster, space
from shopkeeper.insight.themes.cluster import Labels
from shopkeeper.insight.themes.mixture import NONE, Mixture, estimate, presence, refine
from shopkeeper.insight.themes.space import Vectors
from shopkeeper.stats.intervals import proportion
from shopkeeper.stats.summary import Proportion

LEAST_TEXTS, LEAST_AUTHORS = 50, 20
"""Fewer different texts, or by fewer people, have no themes that would be found again."""

MOST_THEMES = 60
_SMALLEST = 10  # texts; and at least 0.2 % of all
_SMALLEST_SHARE = 0.002
_FEWEST_AUTHORS = 5
_HALVES = 3
_LOOKED_AT = 20_000
_FOUND_AGAIN = 0.25
_TRIES = 4
_DRAWN = 4  # rounds in which a new theme draws texts


@dataclass(frozen=True)
class Fitted:
    """Themes of a sample: rows of ``mixture`` and ``labels`` go together.

    ``came_from`` is the known theme that a row started as, -1 for a new one. ``stability``: how much
    of the theme is found again in half of the texts (mean of the greatest Jaccard index), null where
    it was not tried.
    """

    words: tuple[str, ...]
    mixture: Mixture
    present: Any
    labels: Labels
    came_from: Labels
    stability: tuple[float | None, ...]


@dataclass(frozen=True)
class Known:
    """The theme that each text has under the model so far (-1: none); which came ``since`` its fit."""

    labels: Labels
    since: NDArray[np.bool_]


_NO_THEME = CannotSay(
    reason="No theme has enough texts by enough people.", needed="more texts", code="more_texts"
)


@dataclass(frozen=True)
class _Rows:
    """The sample's texts that have known words: their vectors, their words, their authors."""

    vectors: Vectors
    present: Any
    authors: Labels
    seed: int


def how_many(texts: int) -> int:
    """With how many themes a search starts: a quarter of the root of the texts, 2 to 60."""
    return int(min(MOST_THEMES, max(2, round(texts**0.5 / 4))))


def fit(
    texts: Sequence[Sequence[str]],
    authors: Sequence[str],
    seed: int,
    *,
    known: Known | None = None,
    k: int | None = None,
) -> Fitted | CannotSay:
    """The themes of these texts, or why there are none.

    Args:
        texts: words of each text, each text different from the others.
        authors: who wrote it.
        seed: the same gives the same themes.
        known: what the model so far says of them: its themes are kept, and new ones added.
        k: this many themes, in place of what size and stability say.
    """
    people = np.unique(np.asarray(authors, object), return_inverse=True)[1]
    if len(texts) < LEAST_TEXTS or people.max(initial=-1) + 1 < LEAST_AUTHORS:
        return _too_few(len(texts), int(people.max(initial=-1)) + 1)
    made = space.fit(texts, seed)
    if made is None:
        return CannotSay(
            reason="No word stands in five of the texts.", needed="more texts", code="more_texts"
        )
    counts = made.counts(texts)
    rows = _Rows(made.embed(counts), presence(counts), people, seed)
    if known is not None and (known.labels != NONE).any():
        mixture, labels, came_from = _grown(rows, known)
        stability: tuple[float | None, ...] = (None,) * len(came_from)
    else:
        labels = _afresh(rows, k or how_many(len(texts)))
        mixture, labels = _settled(rows, labels, smallest=k is None)
        if not len(mixture.evidence):
            return _NO_THEME
        stability = _stability(rows, labels)
        if k is None and (weak := [n for n, s in enumerate(stability) if s < _FOUND_AGAIN]):
            weak = weak[: max(0, len(stability) - 2)]
            labels = _dissolved(rows, mixture, labels, weak)
            mixture, labels = _settled(rows, labels)
            if not len(mixture.evidence):
                return _NO_THEME
            stability = _stability(rows, labels)
        came_from = np.full(len(mixture.evidence), NONE)
    if len(mixture.evidence) < 1:
        return _NO_THEME
    return Fitted(made.words, mixture, rows.present, labels, came_from, stability)


def _too_few(texts: int, authors: int) -> CannotSay:
    return CannotSay(
        reason=f"{texts} different texts by {authors} people are too few to find themes in.",
        needed=f"at least {LEAST_TEXTS} different texts by at least {LEAST_AUTHORS} people",
        code="few_texts",
        values={"texts": texts, "authors": authors, "least": LEAST_TEXTS, "people": LEAST_AUTHORS},
    )


def _spoken(rows: _Rows) -> Labels:
    """The texts with at least one known word."""
    return np.flatnonzero(rows.vectors.any(axis=1))


def _afresh(rows: _Rows, k: int) -> Labels:
    inside = _spoken(rows)
    vectors = rows.vectors[inside]
    tries = [cluster.centres(vectors, k, derive(rows.seed, n)) for n in range(_TRIES)]
    found = max(tries, key=lambda one: _served(vectors, one))
    labels = np.full(len(rows.vectors), NONE)
    labels[inside] = cluster.assign(vectors, found)[0]
    return labels


def _settled(rows: _Rows, labels: Labels, *, smallest: bool = True) -> tuple[Mixture, Labels]:
    """Refine, dissolve what is too small or the voice of too few, until nothing is.

    Each turn leaves fewer themes; where the last one is too small as well there is none.
    """
    while True:
        labels, k = _numbered(labels)
        mixture, labels = refine(rows.present, labels, k, rows.seed)
        small = _too_small(rows, labels, k) if smallest else []
        if not small:
            return mixture, labels
        if k == 1 or (labels == NONE).all():  # nothing is left that could be told apart
            return replace(mixture, evidence=mixture.evidence[:0]), np.full(len(labels), NONE)
        labels = _dissolved(rows, mixture, labels, small)


def _dissolved(rows: _Rows, mixture: Mixture, labels: Labels, gone: Sequence[int]) -> Labels:
    """The labels without these themes: their texts go to the theme that is next best for them."""
    evidence = mixture.evidence.copy()
    evidence[list(gone)] = -np.inf if len(gone) == len(evidence) else -1e6
    inside = np.isin(labels, gone)
    fresh = labels.copy()
    fresh[inside] = (rows.present[inside] @ evidence.T).argmax(axis=1)
    return fresh


def _too_small(rows: _Rows, labels: Labels, k: int) -> list[int]:
    least = _least(rows)
    return [
        n
        for n in range(k)
        if (labels == n).sum() < least
        or len(np.unique(rows.authors[labels == n])) < _FEWEST_AUTHORS
    ]


def _numbered(labels: Labels) -> tuple[Labels, int]:
    """Labels from 0 without gaps, in their order; NONE stays."""
    used = np.unique(labels[labels != NONE])
    fresh = np.searchsorted(used, labels)
    return np.where(labels == NONE, NONE, fresh), len(used)


def _stability(rows: _Rows, labels: Labels) -> tuple[float, ...]:
    """Of each theme, how much is found again by a search in random halves of the texts.

    Source: Hennig, Computational Statistics & Data Analysis 52 (2007): cluster-wise stability.
    """
    k = int(labels.max(initial=NONE)) + 1
    chance = np.random.default_rng(derive(rows.seed, "halves"))
    seen = chance.permutation(len(labels))[:_LOOKED_AT]
    found = np.zeros((_HALVES, k))
    for turn in range(_HALVES):
        half = np.sort(chance.permutation(seen)[: len(seen) // 2])
        part = _Rows(
            rows.vectors[half], rows.present[half], rows.authors[half], derive(rows.seed, turn)
        )
        mixture, _ = _settled(part, _afresh(part, k), smallest=False)
        again = mixture.assign(rows.present[seen])[0]
        found[turn] = _overlaps(labels[seen], again, k)
    return tuple(float(value) for value in found.mean(axis=0))


def _overlaps(labels: Labels, again: Labels, k: int) -> NDArray[np.float64]:
    both = np.zeros((k, int(again.max(initial=0)) + 1))
    inside = (labels != NONE) & (again != NONE)
    np.add.at(both, (labels[inside], again[inside]), 1)
    sizes = np.bincount(labels[labels != NONE], minlength=k)[:, None]
    others = np.bincount(again[again != NONE], minlength=both.shape[1])[None, :]
    return np.asarray((both / np.maximum(sizes + others - both, 1)).max(axis=1))


def _grown(rows: _Rows, known: Known) -> tuple[Mixture, Labels, Labels]:
    """Known themes as their own texts tell them, and new ones for what new texts leave over.

    A text of before keeps its theme, so nothing that was known is cut anew. A new subject lands where
    no theme fits: new themes start as groups of the new texts without one, and draw from all texts
    that have none. Each must be a theme of the new texts: see :func:`_is_new`.
    """
    old = np.unique(known.labels[known.labels != NONE])
    before = np.where(known.labels == NONE, NONE, np.searchsorted(old, known.labels))
    fixed = ~known.since & (before != NONE)
    labels = np.where(known.since, NONE, before)
    left = np.flatnonzero(known.since & (before == NONE) & rows.vectors.any(axis=1))
    k = _groups_left(rows, left)
    if k:
        part = _Rows(rows.vectors[left], rows.present[left], rows.authors[left], rows.seed)
        labels[left] = _afresh(part, k) + len(old)
    mixture = estimate(rows.present, labels, len(old) + k, rows.seed)
    for _ in range(_DRAWN if k else 0):
        fresh = mixture.assign(rows.present)[0]
        labels = np.where(fixed, before, np.where(fresh >= len(old), fresh, NONE))
        mixture = estimate(rows.present, labels, len(old) + k, rows.seed)
    kept = [n for n in range(len(old), len(old) + k) if _is_new(rows, labels == n, known.since)]
    if len(kept) < k:
        kept_rows = np.concatenate([np.arange(len(old)), np.array(kept, np.int64)])
        labels = np.where(np.isin(labels, kept_rows), np.searchsorted(kept_rows, labels), NONE)
        mixture = estimate(rows.present, labels, len(kept_rows), rows.seed)
    came_from = np.concatenate([old, np.full(len(kept), NONE)])
    return mixture, mixture.assign(rows.present)[0], came_from


def _groups_left(rows: _Rows, left: Labels) -> int:
    """With how many groups to start among texts without a theme: as fine as the rest, at least one."""
    if len(left) < _least(rows):
        return 0
    return max(1, how_many(len(rows.vectors)) * len(left) // len(rows.vectors))


def _is_new(rows: _Rows, inside: NDArray[np.bool_], since: NDArray[np.bool_]) -> bool:
    """Whether a group is large enough, of enough people, and twice as common in the new texts."""
    if inside.sum() < _least(rows) or len(np.unique(rows.authors[inside])) < _FEWEST_AUTHORS:
        return False
    share = proportion(Proportion(n=int(inside.sum()), hits=int(since[inside].sum())))
    return isinstance(share, Estimate) and share.low >= min(0.5, 2 * float(since.mean()))


def _least(rows: _Rows) -> float:
    return max(_SMALLEST, _SMALLEST_SHARE * len(rows.vectors))


def _served(vectors: Vectors, found: Vectors) -> float:
    return float(cluster.assign(vectors, found)[1].sum(dtype=np.float64))
