"""iALS and ItemKNN of `implicit`; runs in an environment of its own (see bench/_recommend_peers.py).

Arguments: the input and the output of :mod:`protocol`, a seed, and the numbers of factors to choose among.
A history is folded in (iALS: one least-squares step), so that customers whom the model has not met get one.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

import numpy as np
from implicit.als import AlternatingLeastSquares
from implicit.nearest_neighbours import BM25Recommender, CosineRecommender, TFIDFRecommender
from protocol import Scorer, Setting, Side, chosen, ranks, sides, tell
from scipy import sparse


def main() -> None:
    """Choose, refit and measure both."""
    source, target, seed, *factors = sys.argv[1:]
    validation, test = sides(source)

    def measured(settings: list[Setting]) -> tuple[str, np.ndarray]:
        best = chosen(settings, validation)
        return f"{best.name}, chosen on validation", ranks(best, test)

    als = _als([int(one) for one in factors], int(seed))
    tell(
        target,
        {"implicit_als": lambda: measured(als), "implicit_itemknn": lambda: measured(_knn())},
    )


def _als(factors: list[int], seed: int) -> list[Setting]:
    def fit(width: int, alpha: float) -> Callable[[Side], Scorer]:
        def fitted(side: Side) -> Scorer:
            model = AlternatingLeastSquares(
                factors=width, alpha=alpha, iterations=15, random_state=seed
            )
            model.fit(side.seen, show_progress=False)

            def scores(asked: sparse.csr_matrix) -> np.ndarray:
                state = model.recalculate_user(np.arange(asked.shape[0]), asked)
                return np.asarray(state @ model.item_factors.T)

            return scores

        return fitted

    return [
        Setting(f"{width} factors, alpha {alpha:g}", fit(width, alpha))
        for width in factors
        for alpha in (1.0, 8.0)
    ]


def _knn() -> list[Setting]:
    def fit(kind: type, neighbours: int) -> Callable[[Side], Scorer]:
        def fitted(side: Side) -> Scorer:
            model = kind(K=neighbours)
            model.fit(side.seen, show_progress=False)
            return lambda asked: (asked @ model.similarity).toarray()

        return fitted

    return [
        Setting(f"{kind.__name__}, {neighbours} neighbours", fit(kind, neighbours))
        for kind in (CosineRecommender, TFIDFRecommender, BM25Recommender)
        for neighbours in (50, 1000)
    ]


main()
