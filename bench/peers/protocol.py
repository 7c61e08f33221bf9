"""The protocol that all recommending peers are held to; each imports it in an environment of its own.

The input (.npz) holds two sides, `validation.` and `test.`: what models may see (`customer`, `item`,
`weight`), whose histories are asked about, in their order (`query`, `asked`, `fed`), what was chosen
(`chosen`), and what may not be shown (`barred_query`, `barred_item`); and `customers`, `items`. Settings
are chosen on the validation by NDCG@10; then the model is fitted on what the test may see. What is written
(.json) are the ranks of the test's choices among all items that are not barred, ties at their mean.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import sparse

_CHUNK = 512
FAR = 1e6
"""The rank of a choice that a peer has no score for."""

Scorer = Callable[[sparse.csr_matrix], np.ndarray]
"""(histories x items) of these histories."""


@dataclass(frozen=True)
class Side:
    """One split; ``query`` and ``item`` are the histories' rows in the order in which they happened."""

    seen: sparse.csr_matrix
    asked: sparse.csr_matrix
    query: np.ndarray
    item: np.ndarray
    chosen: np.ndarray
    barred: sparse.csr_matrix


@dataclass(frozen=True)
class Setting:
    """A name to report, and what gives the scores of histories once it has seen what it may."""

    name: str
    fit: Callable[[Side], Scorer]


def sides(source: str) -> tuple[Side, Side]:
    """The validation and the test."""
    given = np.load(source)
    return _side(given, "validation"), _side(given, "test")


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
        given[f"{name}.query"],
        given[f"{name}.asked"],
        chosen,
        matrix("barred_query", "barred_item", "", queries),
    )


def chosen(settings: Sequence[Setting], validation: Side) -> Setting:
    """The one with the best NDCG@10 on the validation."""
    found = [ndcg(ranks(one, validation)) for one in settings]
    return settings[int(np.argmax(found))]


def ranks(setting: Setting, side: Side) -> np.ndarray:
    """The rank of each choice, from 0."""
    scores = setting.fit(side)
    answer = np.zeros(len(side.chosen))
    for start in range(0, len(answer), _CHUNK):
        part = slice(start, min(start + _CHUNK, len(answer)))
        found = np.array(scores(side.asked[part]), dtype=np.float32)
        barred = side.barred[part]
        row = np.repeat(np.arange(barred.shape[0]), np.diff(barred.indptr))
        found[row, barred.indices] = -np.inf
        wanted = found[np.arange(len(found)), side.chosen[part]][:, None]
        rank = (found > wanted).sum(1) + ((found == wanted).sum(1) - 1) / 2
        answer[part] = np.where(np.isinf(wanted[:, 0]), FAR, rank)
    return answer


def ndcg(rank: np.ndarray) -> float:
    """NDCG@10 of choices of one item each."""
    return float(np.where(rank < 10, 1 / np.log2(rank + 2), 0).mean())


def tell(target: str, peers: Mapping[str, Callable[[], tuple[str, np.ndarray]]]) -> None:
    """Run each peer and write its settings, ranks and seconds; each is on disk when it is done."""
    told = {}
    for name, measure in peers.items():
        started = time.perf_counter()
        settings, rank = measure()
        seconds = time.perf_counter() - started
        told[name] = {"settings": settings, "ranks": rank.tolist(), "seconds": seconds}
        Path(target).write_text(json.dumps(told), "utf-8")
