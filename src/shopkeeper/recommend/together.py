"""What is chosen together, and the few directions that tell most of it."""

from __future__ import annotations

import numpy as np
from scipy import sparse
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from shopkeeper.recommend.heads.base import Matrix
from shopkeeper.recommend.history import History, latest

_SPARE = 10  # more dimensions in the sketch than are kept


def joint(history: History, damping: float, rows_per_customer: int) -> sparse.csr_array:
    """How often two items were chosen by the same customer: log(1 + n_ij N / (n_i n_j)^damping)."""
    rows = np.flatnonzero(latest(history, rows_per_customer))
    customers, items = len(history.customer_ids), len(history.item_ids)
    chosen = sparse.csr_array(
        (np.ones(len(rows), np.float32), (history.customer[rows], history.item[rows])),
        shape=(customers, items),
    )
    chosen.data[:] = 1.0
    pairs = sparse.coo_array(chosen.T @ chosen)
    count = np.maximum(np.asarray(chosen.sum(axis=0)).ravel(), 1.0)
    expected = (count[pairs.row] * count[pairs.col]) ** damping
    return sparse.csr_array(
        (np.log1p(pairs.data * customers / expected), (pairs.row, pairs.col)), shape=pairs.shape
    )


def leading(matrix: sparse.csr_array, width: int, passes: int = 8) -> tuple[Matrix, Matrix]:
    """The ``width`` leading left singular vectors and values of a symmetric matrix.

    Halko, Martinsson and Tropp, 2011, algorithm 4.4: a random sketch sharpened by power iterations.
    """
    count = matrix.shape[0]
    single = sparse.csr_array(matrix, dtype=np.float32)
    random = np.random.default_rng(0)
    sketch = random.standard_normal((count, min(width + _SPARE, count)), dtype=np.float32)
    # Thin matrices: several threads would gain nothing in calm and lose a hundredfold beside other work.
    with threadpool_limits(limits=1, user_api="blas"):
        for _ in range(passes + 1):
            sketch = np.linalg.qr(single @ sketch)[0]
        small = np.asarray(single @ sketch).T
        left, values, _ = np.linalg.svd(small, full_matrices=False)
    return np.asarray(sketch @ left[:, :width]), np.asarray(values[:width])


def unit(vectors: Matrix) -> Matrix:
    """Each row at length one; what lies at the origin stays there."""
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(length, 1e-9), dtype=np.float32)
