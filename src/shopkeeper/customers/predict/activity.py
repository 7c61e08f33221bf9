"""What customers did, by day: the rows that predictions learn from, whatever day they look from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

import narwhals as nw
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from shopkeeper.core.period import Days
from shopkeeper.customers.predict.bgnbd import Purchases
from shopkeeper.shop.shop import Shop
from shopkeeper.warehouse.source import Frame, Source

Array = NDArray[np.float64]

EPOCH = date(1970, 1, 1).toordinal()
SUMS = ("orders", "lines", "units", "revenue", "refunds", "views", "carts", "events")


@dataclass(frozen=True)
class Activity:
    """Rows of one customer and day each, sorted by both.

    ``customer`` numbers the entries of ``ids``; ``day`` is ``date.toordinal``; ``sums`` holds a column for
    each of :data:`SUMS`, and more where baskets are known (:mod:`.tastes`). Every customer has bought at
    least once.
    """

    ids: tuple[str, ...]
    customer: NDArray[np.int64]
    day: NDArray[np.int64]
    sums: dict[str, Array]

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def bought(self) -> NDArray[np.bool_]:
        """On which rows something was bought."""
        found: NDArray[np.bool_] = self.sums["lines"] > 0
        return found

    def before(self, day: int) -> Activity:
        """The rows before that day; the same customers, some perhaps without any row."""
        return self._where(self.day < day)

    def within(self, start: int, days: int) -> Activity:
        """The rows of so many days from ``start`` on."""
        return self._where((self.day >= start) & (self.day < start + days))

    def of(self, places: NDArray[np.int64]) -> Activity:
        """The rows of these customers alone, numbered anew in the given order, which is ascending."""
        number = np.full(len(self.ids), -1, np.int64)
        number[places] = np.arange(len(places))
        kept = self._where(number[self.customer] >= 0)
        ids = tuple(self.ids[place] for place in places.tolist())
        return replace(kept, ids=ids, customer=number[kept.customer])

    def total(self, values: Array | None = None) -> Array:
        """Sums by customer of a value per row; without one, the number of rows."""
        found = np.bincount(self.customer, weights=values, minlength=len(self.ids))
        return found.astype(np.float64)

    def buying(self) -> Activity:
        """The rows on which something was bought."""
        return self._where(self.bought)

    def _where(self, kept: NDArray[np.bool_]) -> Activity:
        sums = {name: values[kept] for name, values in self.sums.items()}
        return replace(self, customer=self.customer[kept], day=self.day[kept], sums=sums)


def activity(shop: Shop, days: Days, customer_ids: Sequence[str] | None = None) -> Activity:
    """What buyers did in these days: all of them, or the given ones who bought."""

    def build(source: Source) -> Frame:
        rows = source.daily(days).filter(~nw.col("customer_id").is_null())
        if customer_ids is not None:
            few = source.arrow(pa.table({"customer_id": pa.array(customer_ids, pa.string())}))
            rows = rows.join(few, on="customer_id", how="semi")
        buyers = rows.filter(nw.col("lines") > 0).select("customer_id").unique()
        sums = [nw.coalesce(nw.col(name), nw.lit(0)).sum().alias(name) for name in SUMS]
        return (
            rows.join(buyers, on="customer_id", how="semi")
            .group_by("customer_id", "day")
            .agg(*sums)
        )

    return encoded(shop.query(build))


def encoded(table: pa.Table) -> Activity:
    """The rows of a table with customer_id, day and :data:`SUMS` as arrays."""
    names, customer = np.unique(
        table.column("customer_id").to_numpy(zero_copy_only=False).astype(object),
        return_inverse=True,
    )
    day = table.column("day").cast(pa.date32()).cast(pa.int32()).to_numpy().astype(np.int64) + EPOCH
    order = np.lexsort((day, customer))
    sums = {
        name: table.column(name).to_numpy(zero_copy_only=False).astype(np.float64)[order]
        for name in SUMS
    }
    return Activity(tuple(names.tolist()), customer.astype(np.int64)[order], day[order], sums)


def purchases(seen: Activity, now: int) -> tuple[NDArray[np.int64], Purchases]:
    """Who had bought before the day ``now``, and their days of purchase as BG/NBD wants them, in days."""
    rows = seen.before(now).buying()
    count = rows.total()
    places = np.flatnonzero(count > 0)
    first, last = bounds(rows)
    known = Purchases(
        repeats=count[places] - 1,
        last=(last - first)[places].astype(np.float64),
        age=(now - 1 - first)[places].astype(np.float64),
    )
    return places, known


def bounds(rows: Activity) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The first and the last day of each customer; 0 for who has no row."""
    first, last = np.zeros(len(rows), np.int64), np.zeros(len(rows), np.int64)
    here = rows.customer
    first[here[::-1]] = rows.day[::-1]  # rows are sorted: the last that is written is the first day
    last[here] = rows.day
    return first, last
