"""Ordered co-visitation: what the same customers chose after, or together with, each item.

For every customer, rows in order of time; each pair within ``window`` places adds to
``count[i, j]``, the weight of j given i:

    strength(j) x 0.5 ** (age of j / half-life) x closeness

where closeness is 1 / places apart, or 1 within one order, and ``backward`` times that for j before i.
``score[i, j] = count[i, j] / (in_weight(j) + shrink) ** damping``: a bestseller follows everything, so
its weight is divided by how much it follows in all. The formula is that of the anchor study (Amazon
Beauty, NDCG@10 .053 with window 5, damping .5, no `backward`); ties and `backward` are additions.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from shopkeeper.recommend.history import DAY_MS, Floats, History, Ints, latest

_BLOCK = 4_000_000  # entries looked at together when rows are cut
_CHUNK = 2_000_000  # rows whose pairs are held at once: bounds memory at about 100 MB


@dataclass(frozen=True)
class Covisit:
    """The settings; :meth:`fit` gives the score matrix (items x items, at most ``keep`` a row)."""

    window: int = 8
    backward: float = 0.5
    half_life_days: float = 180.0
    damping: float = 0.4
    shrink: float = 5.0
    keep: int = 60
    rows_per_customer: int = 200

    def fit(self, history: History) -> sparse.csr_array:
        """Scores of what goes with each item; rows and columns are positions in ``item_ids``."""
        size = len(history.item_ids)
        counts = sparse.csr_array((size, size), dtype=np.float64)
        chosen = np.flatnonzero(latest(history, self.rows_per_customer))
        for gap in range(1, self.window + 1):
            for start in range(0, max(len(chosen) - gap, 0), _CHUNK):
                earlier = chosen[start : min(start + _CHUNK, len(chosen) - gap)]
                later = chosen[start + gap : start + gap + len(earlier)]
                counts = counts + self._pairs(history, (earlier, later), gap, size)
        incoming = np.asarray(counts.sum(axis=0)).ravel()
        damped = sparse.diags_array((incoming + self.shrink) ** -self.damping)
        return top(sparse.csr_array(counts @ damped), self.keep)

    def _pairs(
        self, history: History, rows: tuple[Ints, Ints], gap: int, size: int
    ) -> sparse.csr_array:
        same = (history.customer[rows[0]] == history.customer[rows[1]]) & (
            history.item[rows[0]] != history.item[rows[1]]
        )
        earlier, later = rows[0][same], rows[1][same]
        tied = history.time[earlier] == history.time[later]
        near = np.where(tied, 1.0, 1.0 / gap)
        forward = near * self._weight(history, later)
        backward = near * self._weight(history, earlier) * np.where(tied, 1.0, self.backward)
        first, second = history.item[earlier], history.item[later]
        pairs = sparse.coo_array(
            (
                np.concatenate([forward, backward]),
                (np.concatenate([first, second]), np.concatenate([second, first])),
            ),
            shape=(size, size),
        )
        return sparse.csr_array(pairs)

    def _weight(self, history: History, rows: Ints) -> Floats:
        days = (history.end - history.time[rows]) / DAY_MS
        return np.asarray(history.strength[rows] * 0.5 ** (days / self.half_life_days))


def top(matrix: sparse.csr_array, keep: int) -> sparse.csr_array:
    """The ``keep`` largest positive entries of each row, in falling order; equal ones by column."""
    rows = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    # Sorting is what costs: only what reaches its row's keep-th value is sorted.
    kept = np.flatnonzero((matrix.data > 0) & (matrix.data >= _thresholds(matrix, keep)[rows]))
    order = kept[np.lexsort((matrix.indices[kept], -matrix.data[kept], rows[kept]))]
    rows = rows[order]
    place = np.arange(len(rows)) - np.searchsorted(rows, rows, side="left")
    order, rows = order[place < keep], rows[place < keep]
    starts = np.searchsorted(rows, np.arange(matrix.shape[0] + 1))
    return sparse.csr_array((matrix.data[order], matrix.indices[order], starts), matrix.shape)


def _thresholds(matrix: sparse.csr_array, keep: int) -> Floats:
    """The keep-th largest entry of each row, 0 where a row has fewer."""
    lengths = np.diff(matrix.indptr)
    answer = np.zeros(matrix.shape[0])
    long = np.flatnonzero(lengths > keep)
    long = long[np.argsort(lengths[long], kind="stable")]  # rows of like length share a block
    start = 0
    while start < len(long):
        widest = int(lengths[long[start : start + 1024]].max())
        block = long[start : start + max(1, min(1024, _BLOCK // widest))]
        width = np.arange(int(lengths[block].max()))
        inside = width < lengths[block][:, None]
        places = np.where(inside, matrix.indptr[block][:, None] + width, 0)
        values = np.where(inside, -matrix.data[places], 0.0)
        answer[block] = -np.partition(values, keep - 1, axis=1)[:, keep - 1]
        start += len(block)
    return answer
