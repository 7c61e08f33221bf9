"""The words that a theme is known by, and its name made of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shopkeeper.insight.themes.words import Tongue

SHOWN = 10
_CANDIDATES = 30
_TOGETHER = 5.0
_NAMED_BY = 3
_ADJACENT = 0.4  # of the texts that have both words this share has them side by side: a phrase
_JOIN = {"zh": "、", "en": ", "}


def relevance(counts: Any) -> NDArray[np.float64]:
    """Class-based TF-IDF of words for themes, (themes, words).

    Args:
        counts: (themes, words) how many texts of each theme have each word.

    Source: Grootendorst, "BERTopic", arXiv 2203.05794 (2022), equation 2.
    """
    lengths = np.maximum(counts.sum(axis=1, keepdims=True), 1)
    everywhere = np.maximum(counts.sum(axis=0), 1e-9)
    found: NDArray[np.float64] = (
        counts / lengths * np.log(1 + counts.sum() / len(counts) / everywhere)
    )
    return found


def chosen(counts: Any, present: Any, shown: int = SHOWN) -> list[list[int]]:
    """For each theme the columns of its words, most telling first.

    A word stands for one theme only, that in which its share is greatest: so names tell themes apart.
    Out of the 30 most relevant words of a theme each next one is that which is relevant and also stands
    in the same texts as those chosen before: log relevance + 5 × mean NPMI with them. Words that are
    merely frequent, of several subjects, would make a list that no reader can name.

    Args:
        counts: as of :func:`relevance`.
        present: CSR (texts, words), all ones: the texts in which words stand together.
        shown: how many words.
    """
    columns = present.tocsc()
    rates = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    shares = rates / np.maximum(rates.sum(axis=0), 1e-12)
    own = shares.argmax(axis=0)
    scores = relevance(counts) * np.sqrt(shares)
    return [
        _chosen(np.where(own == theme, row, 0), columns, shown) for theme, row in enumerate(scores)
    ]


def _chosen(row: NDArray[np.float64], columns: Any, shown: int) -> list[int]:
    candidates = np.argsort(-row, kind="stable")[:_CANDIDATES]
    candidates = candidates[row[candidates] > 0]
    if not len(candidates):
        return []
    together = npmi(columns[:, candidates])
    merit = np.log(row[candidates])
    kept = [0]
    while len(kept) < min(shown, len(candidates)):
        rest = [n for n in range(len(candidates)) if n not in kept]
        score = merit[rest] + _TOGETHER * together[np.ix_(rest, kept)].mean(axis=1)
        kept.append(rest[int(score.argmax())])
    return [int(candidates[n]) for n in kept]


def npmi(present: Any) -> NDArray[np.float64]:
    """Normalised pointwise mutual information of each two columns; -1 where they never meet.

    Source: Bouma, GSCL (2009).
    """
    both = np.asarray((present.T @ present).todense(), np.float64)
    texts = present.shape[0]
    have = np.maximum(np.diag(both), 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        found = np.log(both * texts / np.outer(have, have)) / -np.log(both / texts)
    found[both == 0] = -1
    found[both == texts] = 1
    return np.asarray(found, np.float64)


def name(words: Sequence[str], texts: Sequence[Sequence[str]], tongue: Tongue) -> str:
    """A name of up to three words or phrases: words that mostly stand side by side are joined.

    Args:
        words: the theme's words, most telling first.
        texts: words of texts of the theme, in their order.
        tongue: their language.
    """
    phrases = _phrases(words[: 2 * _NAMED_BY], texts)
    gap = "" if tongue == "zh" else " "
    parts: list[str] = []
    used: set[str] = set()
    for word in words:
        if word in used:
            continue
        phrase = next((p for p in phrases if word in p and not used & set(p)), (word,))
        used.update(phrase)
        parts.append(gap.join(phrase))
        if len(parts) == _NAMED_BY:
            break
    return _JOIN[tongue].join(parts)


def _phrases(words: Sequence[str], texts: Sequence[Sequence[str]]) -> list[tuple[str, str]]:
    wanted = set(words)
    side: Counter[tuple[str, str]] = Counter()
    both: Counter[frozenset[str]] = Counter()
    for text in texts:
        side.update({(a, b) for a, b in pairwise(text) if {a, b} <= wanted})
        here = sorted(wanted & set(text))
        both.update(frozenset((a, b)) for n, a in enumerate(here) for b in here[n + 1 :])
    return [
        pair
        for pair, number in side.most_common()
        if pair[0] != pair[1] and number >= max(3, _ADJACENT * both[frozenset(pair)])
    ]
