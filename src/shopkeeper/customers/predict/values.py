"""How many orders a customer will place and what these will bring, with intervals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shopkeeper.core.errors import BadInput
from shopkeeper.customers.predict import reasons
from shopkeeper.customers.predict.activity import Activity
from shopkeeper.customers.predict.orders import Orders
from shopkeeper.customers.predict.spend import GammaGamma
from shopkeeper.customers.scoring import Said

Array = NDArray[np.float64]

LEVEL = 0.9
_DRAWS = 200
_PAGE = 5000


@dataclass(frozen=True)
class Values:
    """The fitted models; ``spend`` is None where purchases carry no value.

    ``kept`` is the share of what is paid that is not refunded, over all of the shop.
    """

    orders: Orders
    spend: GammaGamma | None
    kept: float

    @classmethod
    def fit(cls, seen: Activity, orders: Orders) -> Values:
        """Spending as all purchases so far tell it."""
        count, mean = spent(seen)
        paid = float(seen.sums["revenue"].sum())
        kept = 1 - min(1.0, float(seen.sums["refunds"].sum()) / paid) if paid > 0 else 1.0
        try:
            return cls(orders, GammaGamma.fit(count, mean), kept)
        except BadInput:
            return cls(orders, None, kept)

    def within(self, seen: Activity, now: int, horizon: int) -> Said:
        """Orders of each customer within ``horizon`` days."""
        known, expected = self.orders.expected(seen, now, horizon)
        drawn, _ = self._intervals(seen, now, horizon, expected)
        alive = known.column("alive")
        why = [reasons.entry("alive", 1.0, alive=one) for one in alive.tolist()]
        return Said(f"orders_{horizon}", seen.ids, expected, *drawn, why)

    def worth(self, seen: Activity, now: int, horizon: int) -> Said:
        """What each customer will bring within ``horizon`` days, refunds taken off as the shop has them."""
        assert self.spend is not None  # noqa: S101 - asked only where there is money
        _, expected = self.orders.expected(seen, now, horizon)
        each = self.spend.expected(*spent(seen)) * self.kept
        _, drawn = self._intervals(seen, now, horizon, expected)
        why = [
            reasons.entry("orders", 1.0, orders=orders, spend=spend)
            for orders, spend in zip(expected.tolist(), each.tolist(), strict=True)
        ]
        return Said(f"value_{horizon}", seen.ids, expected * each, *drawn, why)

    def _intervals(
        self, seen: Activity, now: int, horizon: int, expected: Array
    ) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
        """The 90 % intervals of orders and of their worth, by draws from the posterior.

        Draws are of BG/NBD and Gamma-Gamma, scaled to the corrected expectation.
        """
        rng = np.random.default_rng(0)
        known, _ = self.orders.expected(seen, now, horizon)
        count, mean = spent(seen)
        model, found = self.orders.model, []
        factor = expected / np.exp(known.column("expected_orders"))
        tails = [(1 - LEVEL) / 2, (1 + LEVEL) / 2]
        for start in range(0, len(expected), _PAGE):
            page = slice(start, start + _PAGE)
            drawn = model.draw(known.seen.page(page), horizon, _DRAWS, rng)
            orders = np.quantile(drawn, tails, axis=1) * factor[page]
            money = np.full(orders.shape, np.nan)
            if self.spend is not None:
                amounts = self.spend.draw(count[page], mean[page], drawn, rng) * self.kept
                money = np.quantile(amounts, tails, axis=1) * factor[page]
            found.append(np.vstack([orders, money]))
        whole = np.hstack(found) if found else np.zeros((4, 0))
        return (whole[0], whole[1]), (whole[2], whole[3])


def spent(seen: Activity) -> tuple[Array, Array]:
    """Days of purchase of each customer, and the mean paid on one."""
    bought = seen.buying()
    count = bought.total()
    return count, bought.total(bought.sums["revenue"]) / np.maximum(count, 1)
