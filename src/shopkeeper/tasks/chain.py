"""A linear-chain conditional random field over hashed features, in numpy: which tag each unit bears.

Source: Lafferty, McCallum & Pereira, ICML 2001; fitted by AdaGrad (Duchi, Hazan & Singer, JMLR 12,
2011) on batches of rows of like length, the recursions vectorised over the batch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.special import logsumexp

Floats = NDArray[np.float32]
Numbers = NDArray[np.int64]
_BATCH = 64
_RATE = 0.3
_NEVER = np.float32(-1e4)


class Rows(NamedTuple):
    """Units of several texts: ``features`` (units, slots) are buckets, ``starts`` where each text begins."""

    features: NDArray[np.int32]
    starts: Numbers

    @property
    def lengths(self) -> Numbers:
        """How many units each text has."""
        return np.diff(self.starts)


class Chain(NamedTuple):
    """``emit`` (buckets, tags) and ``follow`` (tag before, tag after) weights; bucket 0 weighs nothing."""

    emit: Floats
    follow: Floats

    def decode(self, rows: Rows) -> NDArray[np.int8]:
        """The likeliest tag of every unit (Viterbi)."""
        tags = np.zeros(int(rows.starts[-1]), np.int8)
        for chosen in _batches(rows.lengths, None):
            scores, mask, units = self._scores(rows, chosen)
            best = _viterbi(scores, mask, self.follow)
            tags[units] = best[mask]
        return tags

    def _scores(self, rows: Rows, chosen: Numbers) -> tuple[Floats, NDArray[np.bool_], Numbers]:
        """Emissions (texts, longest, tags), which of them are units, and those units' places."""
        lengths = rows.lengths[chosen]
        mask = np.arange(lengths.max())[None, :] < lengths[:, None]
        units = np.repeat(rows.starts[chosen], lengths) + _counted(lengths)
        scores = np.zeros((*mask.shape, self.emit.shape[1]), np.float32)
        scores[mask] = _design(rows.features[units], len(self.emit)) @ self.emit
        return scores, mask, units


def fit_chain(
    rows: Rows,
    tags: NDArray[np.int8],
    follows: NDArray[np.bool_],
    *,
    bits: int,
    rounds: int = 8,
    seed: int = 0,
) -> Chain:
    """The chain of these tags. ``follows[a, b]`` says whether tag b may stand after tag a."""
    random = np.random.default_rng(seed)
    count = len(follows)
    chain = Chain(
        np.zeros((1 << bits, count), np.float32),
        np.where(follows, np.float32(0), _NEVER),
    )
    squares = np.full((1 << bits, count), 1e-3, np.float32)
    follow_squares = np.full((count, count), 1e-3, np.float32)
    total, total_follow = np.zeros_like(chain.emit), np.zeros_like(chain.follow)
    for turn in range(rounds):
        for chosen in _batches(rows.lengths, random):
            scores, mask, units = chain._scores(rows, chosen)
            gold = np.zeros(mask.shape, np.int64)
            gold[mask] = tags[units]
            emitted, followed = _surprise(scores, mask, gold, chain.follow)
            used, inverse = np.unique(rows.features[units], return_inverse=True)
            design = _design(inverse.reshape(len(units), -1).astype(np.int32), len(used))
            step = np.asarray(design.T @ emitted[mask])
            step[used == 0] = 0
            squares[used] += step * step
            chain.emit[used] -= _RATE * step / np.sqrt(squares[used])
            follow_squares += followed * followed
            chain.follow[follows] -= (_RATE * followed / np.sqrt(follow_squares))[follows]
        if 2 * turn >= rounds:  # the mean of the later rounds is steadier than the last one
            np.add(total, chain.emit, out=total)
            np.add(total_follow, chain.follow, out=total_follow)
    later = np.float32(rounds - (rounds + 1) // 2)
    return Chain(total / later, total_follow / later) if later else chain


def _surprise(
    scores: Floats, mask: NDArray[np.bool_], gold: Numbers, follow: Floats
) -> tuple[Floats, Floats]:
    """Marginals less the gold tags: the gradient for each emission, and for ``follow``."""
    texts, longest = mask.shape
    forward = np.zeros_like(scores)
    forward[:, 0] = scores[:, 0]
    for place in range(1, longest):
        step = logsumexp(forward[:, place - 1, :, None] + follow, axis=1) + scores[:, place]
        forward[:, place] = np.where(mask[:, place, None], step, forward[:, place - 1])
    norm = logsumexp(forward[:, -1], axis=1)
    backward = np.zeros_like(scores)
    followed = np.zeros_like(follow)
    for place in range(longest - 2, -1, -1):
        later = scores[:, place + 1] + backward[:, place + 1]
        inside = mask[:, place + 1]
        step = logsumexp(follow + later[:, None, :], axis=2)
        backward[:, place] = np.where(inside[:, None], step, backward[:, place + 1])
        pairs = forward[:, place, :, None] + follow + later[:, None, :] - norm[:, None, None]
        followed += np.exp(pairs[inside]).sum(axis=0)
    marginal = np.exp(forward + backward - norm[:, None, None])
    here = np.arange(texts)[:, None], np.arange(longest)[None, :], gold
    marginal[here] -= 1
    both = mask[:, 1:]
    np.subtract.at(followed, (gold[:, :-1][both], gold[:, 1:][both]), 1)
    return marginal.astype(np.float32), followed.astype(np.float32)


def _viterbi(scores: Floats, mask: NDArray[np.bool_], follow: Floats) -> NDArray[np.int8]:
    texts, longest, _ = scores.shape
    back = np.zeros(scores.shape, np.int8)
    best = scores[:, 0]
    for place in range(1, longest):
        paths = best[:, :, None] + follow
        back[:, place] = paths.argmax(axis=1)
        step = paths.max(axis=1) + scores[:, place]
        inside = mask[:, place, None]
        best = np.where(inside, step, best)
        back[:, place] = np.where(inside, back[:, place], np.arange(scores.shape[2]))
    tags = np.zeros(mask.shape, np.int8)
    tags[:, -1] = best.argmax(axis=1)
    every = np.arange(texts)
    for place in range(longest - 1, 0, -1):
        tags[:, place - 1] = back[every, place, tags[:, place]]
    return tags


def _design(features: NDArray[np.int32], width: int) -> Any:
    count, slots = features.shape
    ones = np.ones(count * slots, np.float32)
    bounds = np.arange(0, count * slots + 1, slots)
    return sparse.csr_matrix((ones, features.ravel(), bounds), shape=(count, width))


def _batches(lengths: Numbers, random: np.random.Generator | None) -> Iterator[Numbers]:
    """The texts that have units in batches of like length, the batches shuffled where chance is given."""
    filled = np.flatnonzero(lengths)
    order = filled if random is None else random.permutation(filled)
    order = order[np.argsort(lengths[order], kind="stable")]
    groups: Sequence[Numbers] = [
        order[first : first + _BATCH] for first in range(0, len(order), _BATCH)
    ]
    turns = range(len(groups)) if random is None else random.permutation(len(groups))
    for turn in turns:
        yield groups[turn]


def _counted(lengths: Numbers) -> Numbers:
    """0, 1, … within each run of the given lengths."""
    ends = np.cumsum(lengths)
    return np.arange(int(ends[-1]), dtype=np.int64) - np.repeat(ends - lengths, lengths)
