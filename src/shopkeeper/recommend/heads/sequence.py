"""Sequence: a small transformer over the latest items, served by NumPy alone.

One to a few LiGR layers (Borisyuk et al., 2025: each branch is gated by a sigmoid of its input) over tied
item embeddings, with positions counted from the end; the softmax over the whole catalogue is its loss, so
what it says is a probability (Klenitskiy and Vasilev, 2023). For long histories attention can have a bias by
how many places lie between two events (Shaw et al., 2018; in buckets as by Raffel et al., 2020). Their order
counts, not their times: a bias by the time to the request was tried and left out, see docs/decisions/0031.
Fitting needs the extra ``train``; see :mod:`shopkeeper.recommend.training`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from shopkeeper.core.errors import MissingExtra
from shopkeeper.recommend.heads.base import Affinities, Goods, Matrix, Queries
from shopkeeper.recommend.history import Floats, History, Ints

DISTANCES = 20
"""Buckets of a distance; the last begins at 725 places."""

_BATCH = 256
_EPSILON = 1e-5


@dataclass(frozen=True)
class Sequence:
    """Sizes and how to train. ``epochs`` is a bound; ``patience`` epochs without a gain end it.

    ``batch`` is the most customers in a batch; where there are few, batches are smaller.
    """

    width: int = 128
    layers: int = 1
    attention_heads: int = 1
    length: int = 50
    distances: bool = False
    """Attention knows how far back each event is, for long histories; in fifty it learns as much without."""
    dropout: float = 0.3
    learning_rate: float = 1e-3
    batch: int = 128
    epochs: int = 40
    patience: int = 3
    held_out: int = 4000
    seed: int = 0
    procedure: int = field(default=3, init=False)
    """Another one for each change by which weights of before would say something else."""
    checkpoints: Path | None = field(default=None, repr=False, compare=False)
    """A folder for the state after each epoch: a fit that was interrupted goes on there."""
    tell: Callable[[str], None] | None = field(default=None, repr=False, compare=False)

    def fit(self, history: History, goods: Goods) -> FittedSequence:  # noqa: ARG002 - as every head
        """Train until the held-out choices are ranked no better.

        Raises:
            MissingExtra: PyTorch is not installed.
        """
        try:
            from shopkeeper.recommend.training import train  # noqa: PLC0415 - PyTorch is optional
        except ModuleNotFoundError as error:
            raise MissingExtra("The recommender's head 'sequence'", "train") from error
        return FittedSequence(train(history, self), self)


_LONG = Sequence(width=64, layers=2, length=200, distances=True, dropout=0.2, epochs=60, patience=5)


def suited(history: History) -> Sequence:
    """The recipe for this shop: a longer one where half of the customers have more choices than fifty.

    Among held-out choices before any test (docs/log.md) the long one ranks better on MovieLens-100k and on
    half of Online Retail's customers (medians of 60 and 57), the short one on RetailRocket (a median of 6).
    """
    short = Sequence()
    lengths = np.bincount(history.customer)
    known = lengths[lengths > 0]
    return _LONG if len(known) and np.median(known) > short.length else short


@dataclass(frozen=True)
class FittedSequence:
    """The weights by name; item ``i`` has row ``i + 1`` of ``items``, row 0 pads."""

    weights: Mapping[str, Matrix]
    recipe: Sequence

    def affinities(self, queries: Queries) -> Affinities:
        """The exponent of each next item's logit, dense; a history without rows gets none."""
        state, some = self.state(queries)
        logits = state @ self.table.T
        logits -= logits.max(axis=1, keepdims=True)
        np.exp(logits, out=logits)
        logits[~some] = 0.0
        return logits

    @property
    def table(self) -> Matrix:
        """The items' embeddings."""
        return self.weights["items"][1:]

    def state(self, queries: Queries) -> tuple[Matrix, NDArray[np.bool_]]:
        """The state after each history's last item; none for a history without rows."""
        answer = np.zeros((len(queries), self.recipe.width), np.float32)
        some = queries.lengths > 0
        rows = np.flatnonzero(some)
        rows = rows[
            np.argsort(queries.lengths[rows], kind="stable")
        ]  # like lengths: little padding
        for start in range(0, len(rows), _BATCH):
            part = rows[start : start + _BATCH]
            answer[part] = self._last(padded(queries, part, self.recipe.length))
        return answer, some

    def evidence(self, queries: Queries, items: Ints) -> Floats:
        """Nothing: attention mixes the rows, and no share of the answer is one row's own."""
        return np.zeros((len(queries.item), len(items)))

    def grown(self, goods: Goods) -> FittedSequence:
        """A new item has the mean of all embeddings: as likely as one in the middle."""
        items = self.weights["items"]
        middle = items[1:].mean(axis=0, keepdims=True)
        fresh = np.repeat(middle, len(goods.words), axis=0)
        return replace(self, weights={**self.weights, "items": np.concatenate([items, fresh])})

    def _last(self, item: Ints) -> Matrix:
        """The state after the last item, (rows x width); histories end at the right edge."""
        w = self.weights
        there = item > 0
        x = w["items"][item] + w["positions"][-item.shape[1] :]
        x = np.where(there[:, :, None], x, 0.0).astype(np.float32)
        for layer in range(self.recipe.layers):
            last = layer == self.recipe.layers - 1
            x = self._layer(f"layer{layer}.", x, there, only_last=last)
        return _normal(x[:, -1], w["end.weight"], w["end.bias"])

    def _layer(self, name: str, x: Matrix, there: NDArray[np.bool_], *, only_last: bool) -> Matrix:
        w = {key[len(name) :]: value for key, value in self.weights.items() if key.startswith(name)}
        mixed = _normal(x, w["attend.weight"], w["attend.bias"])
        asked = slice(-1, None) if only_last else slice(None)
        query, key, value = (self._split(mixed[:, s] @ w[k]) for s, k in
                             ((asked, "query"), (slice(None), "key"), (slice(None), "value")))  # fmt: skip
        score = query @ key.transpose(0, 1, 3, 2) / np.sqrt(query.shape[-1], dtype=np.float32)
        length = x.shape[1]
        if self.recipe.distances:
            score += w["distance"][distances(length)[asked]].transpose(2, 0, 1)
        seen = there[:, None, None, :] & np.tri(length, dtype=bool)[asked][None, None]
        score = np.where(seen, score, np.float32(-1e9))
        score = np.exp(score - score.max(axis=-1, keepdims=True))
        score /= score.sum(axis=-1, keepdims=True)
        attended = (score @ value).transpose(0, 2, 1, 3).reshape(len(x), -1, x.shape[2])
        x = x[:, asked]
        x = x + _sigmoid(x @ w["attend_gate"]) * (attended @ w["out"])
        mixed = _normal(x, w["feed.weight"], w["feed.bias"])
        inner = mixed @ w["feed_in"]
        left, right = np.split(inner, 2, axis=-1)
        return np.asarray(
            x + _sigmoid(x @ w["feed_gate"]) * ((left * _sigmoid(left) * right) @ w["feed_out"])
        )

    def _split(self, x: Matrix) -> Matrix:
        rows, length, width = x.shape
        heads = self.recipe.attention_heads
        return x.reshape(rows, length, heads, width // heads).transpose(0, 2, 1, 3)


def distances(length: int) -> Ints:
    """The bucket of how far each place (rows) lies behind another (columns): two for each power of two."""
    place = np.arange(length)
    away = np.maximum(place[:, None] - place, 0) + 1
    return np.asarray(np.minimum((2 * np.log2(away)).astype(np.int64), DISTANCES - 1))


def padded(queries: Queries, rows: Ints, length: int) -> Ints:
    """The latest items of these queries, shifted by one and right-aligned; 0 pads."""
    longest = int(min(queries.lengths[rows].max(), length))
    back = np.arange(longest - 1, -1, -1)
    place = queries.starts[rows + 1][:, None] - 1 - back
    there = back < queries.lengths[rows][:, None]
    return np.where(there, queries.item[np.where(there, place, 0)] + 1, 0)


def _normal(x: Matrix, weight: Matrix, bias: Matrix) -> Matrix:
    centred = x - x.mean(axis=-1, keepdims=True)
    spread = np.sqrt((centred**2).mean(axis=-1, keepdims=True) + _EPSILON)
    return np.asarray(centred / spread * weight + bias)


def _sigmoid(x: Matrix) -> Matrix:
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(x, -30, 30))))


HEAD = Sequence
FITTED = FittedSequence
