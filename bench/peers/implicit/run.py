"""iALS and ItemKNN of `implicit`; runs in an environment of its own (see bench/recommend.py).

Arguments: the input (.npz: customer, item, sorted by customer and order; items), the output (.json).
Each customer's last item is the test, the one before it the validation, on which the settings below
are chosen; then the model is fitted on all but the test. What is written are the ranks.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from implicit.als import AlternatingLeastSquares
from implicit.nearest_neighbours import BM25Recommender, CosineRecommender, TFIDFRecommender
from scipy import sparse

_CHUNK = 512
Scorer = Callable[[slice], np.ndarray]


@dataclass(frozen=True)
class Setting:
    """A name to report, and what gives each customer's scores."""

    name: str
    fit: Callable[[sparse.csr_matrix], Scorer]


def main() -> None:
    """Choose, refit and measure both."""
    source, target = sys.argv[1:]
    given = np.load(source)
    customer, item = given["customer"], given["item"]
    age = np.searchsorted(customer, customer, side="right") - 1 - np.arange(len(customer))
    shape = (int(customer.max()) + 1, int(given["items"]))
    told = {}
    for name, settings in (("implicit_als", _als()), ("implicit_itemknn", _knn())):
        started = time.perf_counter()
        validated = [_ndcg(_ranks(one, (customer, item, age), shape, 1)) for one in settings]
        best = settings[int(np.argmax(validated))]
        ranks = _ranks(best, (customer, item, age), shape, 0)
        seconds = time.perf_counter() - started
        told[name] = {"settings": best.name, "ranks": ranks.tolist(), "seconds": seconds}
    Path(target).write_text(json.dumps(told), "utf-8")


def _als() -> list[Setting]:
    def fit(factors: int, alpha: float) -> Callable[[sparse.csr_matrix], Scorer]:
        def fitted(seen: sparse.csr_matrix) -> Scorer:
            model = AlternatingLeastSquares(
                factors=factors, alpha=alpha, iterations=15, random_state=0
            )
            model.fit(seen, show_progress=False)
            return lambda rows: model.user_factors[rows] @ model.item_factors.T

        return fitted

    return [
        Setting(f"{factors} factors, alpha {alpha:g}", fit(factors, alpha))
        for factors in (128, 256)
        for alpha in (1.0, 8.0)
    ]


def _knn() -> list[Setting]:
    def fit(kind: type, neighbours: int) -> Callable[[sparse.csr_matrix], Scorer]:
        def fitted(seen: sparse.csr_matrix) -> Scorer:
            model = kind(K=neighbours)
            model.fit(seen, show_progress=False)
            return lambda rows: (seen[rows] @ model.similarity).toarray()

        return fitted

    return [
        Setting(f"{kind.__name__}, {neighbours} neighbours", fit(kind, neighbours))
        for kind in (CosineRecommender, TFIDFRecommender, BM25Recommender)
        for neighbours in (50, 1000)
    ]


def _ranks(
    setting: Setting,
    rows: tuple[np.ndarray, np.ndarray, np.ndarray],
    shape: tuple[int, int],
    held: int,
) -> np.ndarray:
    """The rank of the item ``held`` from the end; what came before is masked, ties at their mean."""
    customer, item, age = rows
    past, chosen = age > held, item[age == held]
    ones = np.ones(int(past.sum()), np.float32)
    seen = sparse.csr_matrix((ones, (customer[past], item[past])), shape=shape)
    scores = setting.fit(seen)
    answer = np.zeros(shape[0])
    for start in range(0, shape[0], _CHUNK):
        part = slice(start, min(start + _CHUNK, shape[0]))
        found = np.array(scores(part), dtype=np.float32)
        own = seen[part]
        found[np.repeat(np.arange(own.shape[0]), np.diff(own.indptr)), own.indices] = -np.inf
        wanted = found[np.arange(len(found)), chosen[part]][:, None]
        answer[part] = (found > wanted).sum(1) + ((found == wanted).sum(1) - 1) / 2
    return answer


def _ndcg(ranks: np.ndarray) -> float:
    return float(np.where(ranks < 10, 1 / np.log2(ranks + 2), 0).mean())


main()
