"""Themes as distributions of words: how strongly a text's words speak for each theme, or for none.

A theme is a unigram distribution, drawn towards that of all texts (a Dirichlet prior). A text's
evidence for a theme is the log likelihood ratio of its distinct words under the theme against all texts,
in nats. It has the theme with most evidence, unless texts of as many randomly drawn words have
that much as well: the threshold is the quantile ``NULL_SHARE`` of their greatest evidence.

Source: Nigam, McCallum, Thrun & Mitchell, Machine Learning 39 (2000), section 3 (hard assignments).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from shopkeeper.insight.themes.cluster import Labels
from shopkeeper.insight.themes.space import Vectors

NONE = -1
"""The label of a text without a theme."""

NULL_SHARE = 0.75
"""Of texts made of random words this share gets no theme."""

_PRIOR_WORDS = 50.0
_ROUNDS, _STILL = 12, 0.005
_RANDOM_TEXTS = 20_000
_LENGTHS = 9  # classes of length: 1, 2-3, 4-7, … words
_BACKGROUND = 1e-3


@dataclass(frozen=True)
class Mixture:
    """``evidence`` (themes, words): what each word adds; ``thresholds`` by class of length."""

    evidence: Vectors
    thresholds: Vectors

    def assign(self, present: Any) -> tuple[Labels, Vectors]:
        """The theme of each text (or NONE) and its evidence in nats.

        Args:
            present: CSR (texts, words) of which words each text has, all ones.
        """
        scores = np.asarray(present @ self.evidence.T)
        best = scores.argmax(axis=1)
        strength = scores[np.arange(len(best)), best]
        enough = strength > self.thresholds[length_class(present)]
        return np.where(enough, best, NONE), strength.astype(np.float32)


def presence(counts: Any) -> Any:
    """Which words each text has, however often: a word repeated a hundred times says no more."""
    present = counts.copy()
    present.data[:] = 1
    return present


def length_class(present: Any) -> Labels:
    """0 for one word, 1 for two or three, 2 for four to seven, … at most 8."""
    lengths = np.maximum(np.diff(present.indptr), 1)
    return np.asarray(np.minimum(np.log2(lengths), _LENGTHS - 1), np.int64)


def refine(present: Any, labels: Labels, k: int, seed: int) -> tuple[Mixture, Labels]:
    """The mixture that the grouping leads to, and the labels it gives to the texts."""
    for _ in range(_ROUNDS):
        found = estimate(present, labels, k, seed)
        fresh = found.assign(present)[0]
        moved = np.mean(fresh != labels)
        labels = fresh
        if moved < _STILL:
            break
    return found, labels


def estimate(present: Any, labels: Labels, k: int, seed: int) -> Mixture:
    """The mixture of texts whose labels are known."""
    totals = theme_counts(present, labels, k)
    everywhere = np.asarray(present.sum(axis=0), np.float64).ravel() + _BACKGROUND
    everywhere /= everywhere.sum()
    shares = totals + _PRIOR_WORDS * everywhere
    shares /= shares.sum(axis=1, keepdims=True)
    evidence = np.log(shares / everywhere).astype(np.float32)
    return Mixture(evidence, _thresholds(present, evidence, everywhere, seed))


def theme_counts(present: Any, labels: Labels, k: int) -> Any:
    """(themes, words): how many texts of each theme have each word."""
    inside = np.flatnonzero(labels != NONE)
    ones = np.ones(len(inside), np.float32)
    members = sparse.csr_matrix((ones, (labels[inside], inside)), shape=(k, len(labels)))
    return (members @ present).toarray()


def _thresholds(present: Any, evidence: Vectors, everywhere: Any, seed: int) -> Vectors:
    """By class of length, the evidence that only a quarter of texts of random words exceed."""
    chance = np.random.default_rng(seed)
    lengths = np.diff(present.indptr)
    lengths = lengths[lengths > 0]
    found = np.full(_LENGTHS, np.inf, np.float32)  # a length never seen is never decided
    if not len(lengths):
        return found
    drawn = chance.choice(lengths, _RANDOM_TEXTS)
    edges = np.concatenate([[0], np.cumsum(drawn)])
    columns = chance.choice(len(everywhere), size=int(edges[-1]), p=everywhere)
    ones = np.ones(len(columns), np.float32)
    shape = (_RANDOM_TEXTS, len(everywhere))
    random = sparse.csr_matrix((ones, columns.astype(np.int32), edges), shape=shape)
    strength = (random @ evidence.T).max(axis=1)
    classes = np.minimum(np.log2(drawn).astype(np.int64), _LENGTHS - 1)
    for one in np.unique(classes):
        found[one] = np.quantile(strength[classes == one], NULL_SHARE)
    last = np.flatnonzero(np.isfinite(found))[-1]
    found[last:] = found[last]
    return np.maximum.accumulate(np.where(np.isfinite(found), found, 0)).astype(np.float32)
