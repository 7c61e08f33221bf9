"""Transitions: from the past of a history to its future, in closed form.

Choi et al., *Session-aware Linear Item-Item Models*, 2021 (SLIT): with one row for every place at
which a history can be cut, P what was before, weighted by ``fade ** age``, and F what came after,
weighted by ``near ** distance``, the weights are B = (P'P + ridge I)^-1 P'F. Unlike co-visitation it
knows which part of the past explains the future.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from shopkeeper.recommend.heads.base import FittedLinear, Goods
from shopkeeper.recommend.history import History, Ints, age
from shopkeeper.recommend.linear import DENSE, frequent, gram, solve, strongest

_FAINT = 1e-2


@dataclass(frozen=True)
class Transition:
    """``fade`` weighs the past and ``near`` the future by how far they are from the cut."""

    ridge: float = 7.0
    fade: float = 0.7
    near: float = 0.5
    recall: int = 50
    keep: int = 100
    rows_per_customer: int = 200
    most: int = DENSE

    def fit(self, history: History, goods: Goods) -> FittedLinear:  # noqa: ARG002 - as every head
        """Weights between the items chosen most often; the others have none."""
        size = len(history.item_ids)
        rows = np.flatnonzero(age(history.customer) < self.rows_per_customer)
        customer, item = history.customer[rows], history.item[rows]
        items = frequent(np.bincount(item, minlength=size), self.most)
        if not len(items):
            return FittedLinear(sparse.csr_array((size, size), dtype=np.float32), self)
        past = self._around(customer, item, size, self.fade, before=True)
        future = self._around(customer, item, size, self.near, before=False)
        past = sparse.csr_array(past[:, items])
        right = np.asfortranarray((past.T @ future[:, items]).toarray(), dtype=np.float32)
        weights = solve(gram(past, self.ridge), right)
        return FittedLinear(strongest(weights, self.keep, items, size), self)

    def _around(
        self, customer: Ints, item: Ints, size: int, weight: float, *, before: bool
    ) -> sparse.csr_array:
        """One row per cut, which is before each row; what lies on one side of it, by distance."""
        reach = max(1, int(np.ceil(np.log(_FAINT) / np.log(weight))))
        cuts, columns, values = [], [], []
        for distance in range(min(reach, self.rows_per_customer)):
            shift = distance + 1 if before else -distance
            cut = np.arange(max(shift, 0), len(item) + min(shift, 0))
            same = customer[cut] == customer[cut - shift]
            cuts.append(cut[same])
            columns.append(item[cut[same] - shift])
            values.append(np.full(int(same.sum()), weight**distance, np.float32))
        return sparse.csr_array(
            sparse.coo_array(
                (np.concatenate(values), (np.concatenate(cuts), np.concatenate(columns))),
                shape=(len(item), size),
            )
        )


HEAD = Transition
FITTED = FittedLinear
