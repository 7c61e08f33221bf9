"""iALS and ItemKNN of `implicit` on any choices held back; runs in an environment of its own.

Arguments: the input (.npz), the output (.json). The input holds two sides, `validation.` and `test.`: what
models may see (`customer`, `item`, `weight`), whose histories are asked about (`query`, `asked`, `fed`), what
was chosen (`chosen`), and what may not be shown (`barred_query`, `barred_item`); and `customers`, `items`.
Settings are chosen on the validation by NDCG@10; then the model is fitted on what the test may see. A history
is folded in (iALS: one least-squares step), so that customers whom the model has not met get a list.
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
Scorer = Callable[[sparse.csr_matrix], np.ndarray]


@dataclass(frozen=True)
class Side:
    """One split: what models see, the histories asked about, what was chosen and what is barred."""

    seen: sparse.csr_matrix
    asked: sparse.csr_matrix
    chosen: np.ndarray
    barred: sparse.csr_matrix


@dataclass(frozen=True)
class Setting:
    """A name to report, and what gives the scores of histories."""

    name: str
    fit: Callable[[sparse.csr_matrix], Scorer]


def main() -> None:
    """Choose, refit and measure both."""
    source, target = sys.argv[1:]
    given = np.load(source)
    validation, test = (_side(given, name) for name in ("validation", "test"))
    told = {}
    for name, settings in (("implicit_als", _als()), ("implicit_itemknn", _knn())):
        started = time.perf_counter()
        found = [_ndcg(_ranks(one, validation)) for one in settings]
        best = settings[int(np.argmax(found))]
        ranks = _ranks(best, test)
        seconds = time.perf_counter() - started
        told[name] = {"settings": best.name, "ranks": ranks.tolist(), "seconds": seconds}
    Path(target).write_text(json.dumps(told), "utf-8")


def _side(given: np.lib.npyio.NpzFile, name: str) -> Side:
    chosen = given[f"{name}.chosen"]
    customers, items, queries = int(given["customers"]), int(given["items"]), len(chosen)

    def matrix(rows: str, columns: str, weight: str, count: int) -> sparse.csr_matrix:
        row, column = given[f"{name}.{rows}"], given[f"{name}.{columns}"]
        value = given[f"{name}.{weight}"] if weight else np.ones(len(row))
        cells = (value.astype(np.float32), (row, column))
        return sparse.csr_matrix(sparse.coo_matrix(cells, shape=(count, items)))

    return Side(
        matrix("customer", "item", "weight", customers),
        matrix("query", "asked", "fed", queries),
        chosen,
        matrix("barred_query", "barred_item", "", queries),
    )


def _als() -> list[Setting]:
    def fit(factors: int, alpha: float) -> Callable[[sparse.csr_matrix], Scorer]:
        def fitted(seen: sparse.csr_matrix) -> Scorer:
            model = AlternatingLeastSquares(
                factors=factors, alpha=alpha, iterations=15, random_state=0
            )
            model.fit(seen, show_progress=False)

            def scores(asked: sparse.csr_matrix) -> np.ndarray:
                state = model.recalculate_user(np.arange(asked.shape[0]), asked)
                return np.asarray(state @ model.item_factors.T)

            return scores

        return fitted

    return [
        Setting(f"{factors} factors, alpha {alpha:g}", fit(factors, alpha))
        for factors in (64, 128)
        for alpha in (1.0, 8.0)
    ]


def _knn() -> list[Setting]:
    def fit(kind: type, neighbours: int) -> Callable[[sparse.csr_matrix], Scorer]:
        def fitted(seen: sparse.csr_matrix) -> Scorer:
            model = kind(K=neighbours)
            model.fit(seen, show_progress=False)
            return lambda asked: (asked @ model.similarity).toarray()

        return fitted

    return [
        Setting(f"{kind.__name__}, {neighbours} neighbours", fit(kind, neighbours))
        for kind in (CosineRecommender, TFIDFRecommender, BM25Recommender)
        for neighbours in (50, 1000)
    ]


def _ranks(setting: Setting, side: Side) -> np.ndarray:
    """The rank of each choice among all items that are not barred, ties at their mean."""
    scores = setting.fit(side.seen)
    answer = np.zeros(len(side.chosen))
    for start in range(0, len(answer), _CHUNK):
        part = slice(start, min(start + _CHUNK, len(answer)))
        found = np.array(scores(side.asked[part]), dtype=np.float32)
        barred = side.barred[part]
        found[
            np.repeat(np.arange(barred.shape[0]), np.diff(barred.indptr)), barred.indices
        ] = -np.inf
        wanted = found[np.arange(len(found)), side.chosen[part]][:, None]
        answer[part] = (found > wanted).sum(1) + ((found == wanted).sum(1) - 1) / 2
    return answer


def _ndcg(ranks: np.ndarray) -> float:
    return float(np.where(ranks < 10, 1 / np.log2(ranks + 2), 0).mean())


main()
