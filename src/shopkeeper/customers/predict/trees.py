"""Fitted gradient-boosted trees as plain arrays: their margin, and exactly what each feature adds to it.

The contributions are Shapley values of the path-dependent game of Lundberg et al. (2020), "From local
explanations to global understanding with explainable AI for trees": a feature that is not known is taken
as the training rows were split. Of each leaf the values for every pattern of met and unmet features are
kept in a table (at most 2^depth rows), so that many customers are explained by look-ups. Base value and
contributions add up to the margin exactly.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from math import factorial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

Array = NDArray[np.float64]

_FEW = 100_000


def threads(rows: int) -> threadpool_limits:
    """For a ``with`` around a fit: one thread where there are few rows, which several would only wait for."""
    return threadpool_limits(limits=1 if rows <= _FEW else None)


@dataclass(frozen=True)
class _Leaf:
    """One way down a tree: which splits must go which way, and what each pattern of features adds."""

    splits: tuple[tuple[int, bool, int], ...]  # node, whether it goes left, place of its feature
    features: tuple[int, ...]
    table: Array  # patterns x features


@dataclass(frozen=True)
class Tree:
    """A tree's nodes, children after parents; ``feature`` is -1 in a leaf."""

    feature: NDArray[np.int64]
    threshold: Array
    left: NDArray[np.int64]
    right: NDArray[np.int64]
    missing_left: NDArray[np.bool_]
    cover: Array
    value: Array

    def goes_left(self, x: Array, node: int) -> NDArray[np.bool_]:
        values = x[:, self.feature[node]]
        met = np.where(np.isnan(values), self.missing_left[node], values <= self.threshold[node])
        answer: NDArray[np.bool_] = met.astype(np.bool_)
        return answer

    @cached_property
    def leaves(self) -> tuple[_Leaf, ...]:
        """Every leaf with its table."""
        return tuple(self._leaf(path, end) for path, end in self._paths(0, ()))

    @property
    def base(self) -> float:
        """The mean of the leaves as training rows reached them."""
        ends = self.feature < 0
        return float(self.value[ends] @ self.cover[ends] / self.cover[ends].sum())

    def _paths(
        self, node: int, path: tuple[tuple[int, bool], ...]
    ) -> Iterator[tuple[tuple[tuple[int, bool], ...], int]]:
        if self.feature[node] < 0:
            yield path, node
            return
        yield from self._paths(int(self.left[node]), (*path, (node, True)))
        yield from self._paths(int(self.right[node]), (*path, (node, False)))

    def _leaf(self, path: tuple[tuple[int, bool], ...], end: int) -> _Leaf:
        features = tuple(dict.fromkeys(int(self.feature[node]) for node, _ in path))
        zero = np.ones(len(features))
        splits = []
        for node, goes_left in path:
            place = features.index(int(self.feature[node]))
            child = self.left[node] if goes_left else self.right[node]
            zero[place] *= self.cover[child] / self.cover[node]
            splits.append((node, goes_left, place))
        return _Leaf(tuple(splits), features, _table(zero, float(self.value[end])))


@dataclass(frozen=True)
class Forest:
    """Trees whose sum, with ``baseline``, is the margin."""

    baseline: float
    trees: tuple[Tree, ...]
    width: int

    @classmethod
    def of(cls, model: Any) -> Forest:
        """The trees of a fitted ``HistGradientBoosting`` model with one output and numbers alone."""
        trees = tuple(_tree(one.nodes) for row in model._predictors for one in row)
        return cls(float(np.ravel(model._baseline_prediction)[0]), trees, model.n_features_in_)

    @property
    def base(self) -> float:
        """The margin of a customer of whom nothing is known."""
        return self.baseline + sum(tree.base for tree in self.trees)

    def contributions(self, x: Array) -> Array:
        """What each feature adds to each row's margin: rows x features."""
        added = np.zeros((len(x), self.width))
        for tree in self.trees:
            left = {
                node: tree.goes_left(x, node) for node in np.flatnonzero(tree.feature >= 0).tolist()
            }
            for leaf in tree.leaves:
                if not leaf.features:
                    continue
                met = np.ones((len(leaf.features), len(x)), bool)
                for node, goes_left, place in leaf.splits:
                    met[place] &= left[node] == goes_left
                pattern = (1 << np.arange(len(leaf.features))) @ met
                added[:, leaf.features] += leaf.table[pattern]
        return added


def _tree(nodes: Any) -> Tree:
    is_leaf = nodes["is_leaf"].astype(bool)
    return Tree(
        feature=np.where(is_leaf, -1, nodes["feature_idx"]).astype(np.int64),
        threshold=nodes["num_threshold"].astype(np.float64),
        left=nodes["left"].astype(np.int64),
        right=nodes["right"].astype(np.int64),
        missing_left=nodes["missing_go_to_left"].astype(bool),
        cover=nodes["count"].astype(np.float64),
        value=nodes["value"].astype(np.float64),
    )


def _table(zero: Array, value: float) -> Array:
    """Shapley values of one leaf's features, by which of them its row meets (a bit each)."""
    size = len(zero)
    patterns = (np.arange(2**size)[:, None] >> np.arange(size)) & 1
    table = np.zeros((2**size, size))
    for place in range(size):
        others = [other for other in range(size) if other != place]
        for count in range(size):
            weight = factorial(count) * factorial(size - count - 1) / factorial(size)
            for known in combinations(others, count):
                rest = [other for other in others if other not in known]
                table[:, place] += weight * patterns[:, known].prod(axis=1) * zero[rest].prod()
        table[:, place] *= value * (patterns[:, place] - zero[place])
    return table
