"""What customers buy, as a few numbers: directions in which baskets differ most.

A truncated singular value decomposition of who bought what (logarithms of counts, rare items weighing more)
gives each item a vector; a customer's taste is the sum over the items they have bought, of length one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import narwhals as nw
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from scipy import sparse
from sklearn.decomposition import TruncatedSVD
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from shopkeeper.core.events import PURCHASE
from shopkeeper.core.period import Days
from shopkeeper.customers.predict.activity import EPOCH, Activity
from shopkeeper.customers.predict.features import PREFIX
from shopkeeper.shop.shop import Shop
from shopkeeper.warehouse.source import Frame, Source

Array = NDArray[np.float64]

DIRECTIONS = 16
_LEAST_BUYERS = 5
_LEAST_ITEMS = 2 * DIRECTIONS


@dataclass(frozen=True)
class Tastes:
    """A vector for each known item; items that few have bought have none."""

    item_ids: pa.Array
    vectors: Array


def baskets(shop: Shop, days: Days, seen: Activity) -> pa.Table:
    """What these customers bought: customer_id, day, item_id, quantity, price."""
    who = pa.table({"customer_id": pa.array(seen.ids, pa.string())})

    def build(source: Source) -> Frame:
        rows = source.events(days).filter(nw.col("name") == PURCHASE, ~nw.col("item_id").is_null())
        rows = rows.join(source.arrow(who), on="customer_id", how="semi")
        return rows.group_by("customer_id", "day", "item_id").agg(
            nw.col("quantity").sum(), nw.col("price").mean()
        )

    return shop.query(build)


def learned(rows: pa.Table) -> Tastes | None:
    """The directions of these baskets; None where too few items are bought by several customers."""
    customer = pc.dictionary_encode(rows["customer_id"].combine_chunks())
    item = pc.dictionary_encode(rows["item_id"].combine_chunks())
    places = (customer.indices.to_numpy(), item.indices.to_numpy())
    shape = (len(customer.dictionary), len(item.dictionary))
    bought = sparse.csr_array((np.ones(rows.num_rows), places), shape=shape)
    bought.sum_duplicates()
    bought.data = np.log1p(bought.data)
    buyers = np.bincount(bought.indices, minlength=shape[1])
    kept = np.flatnonzero(buyers >= _LEAST_BUYERS)
    if len(kept) < _LEAST_ITEMS or shape[0] < _LEAST_ITEMS:
        return None
    rarity = np.log(shape[0] / buyers[kept])
    weighted = bought[:, kept] * rarity
    with threadpool_limits(limits=1, user_api="blas"):  # thin matrices: threads only wait
        found = TruncatedSVD(DIRECTIONS, random_state=0).fit(weighted.tocsr()).components_ * rarity
    return Tastes(item.dictionary.take(pa.array(kept)), found.T.astype(np.float64))


def with_baskets(seen: Activity, rows: pa.Table, tastes: Tastes | None) -> Activity:
    """The activity with what its baskets add to each day: new items, prices, quantities and tastes.

    A customer's items count on the day on which each is bought first, so that sums up to any day are
    those of everything bought until then.
    """
    index = {one: place for place, one in enumerate(seen.ids)}
    customer = np.array([index.get(one, -1) for one in rows["customer_id"].to_pylist()], np.int64)
    day = rows["day"].cast(pa.date32()).cast(pa.int32()).to_numpy().astype(np.int64) + EPOCH
    key, at = seen.customer * 10_000_000 + seen.day, customer * 10_000_000 + day
    place = np.minimum(np.searchsorted(key, at), len(key) - 1)
    mine = (key[place] == at) & (customer >= 0)
    fresh = _first(customer, day, rows["item_id"].combine_chunks()) & mine
    logs = {
        name: np.log1p(np.maximum(np.nan_to_num(rows[name].to_numpy().astype(np.float64)), 0))
        for name in ("price", "quantity")
    }
    more = {
        "fresh": np.bincount(place, weights=fresh, minlength=len(key)),
        "basket": np.bincount(place, weights=mine, minlength=len(key)),
        "log_price": np.bincount(place, weights=logs["price"] * mine, minlength=len(key)),
        "log_quantity": np.bincount(place, weights=logs["quantity"] * mine, minlength=len(key)),
    }
    if tastes is not None:
        known = pc.index_in(rows["item_id"].combine_chunks(), tastes.item_ids)
        number = known.fill_null(-1).to_numpy()
        used = np.flatnonzero(fresh & (number >= 0))
        member = sparse.csr_array(
            (np.ones(len(used)), (place[used], number[used])), shape=(len(key), len(tastes.vectors))
        )
        vectors = member @ tastes.vectors
        more |= {f"{PREFIX}{n}": vectors[:, n] for n in range(vectors.shape[1])}
    told = {name: one.astype(np.float64) for name, one in more.items()}
    return replace(seen, sums=seen.sums | told)


def _first(
    customer: NDArray[np.int64], day: NDArray[np.int64], item: pa.Array
) -> NDArray[np.bool_]:
    """Whether this row is the first time that the customer bought the item."""
    codes = pc.dictionary_encode(item).indices.to_numpy()
    order = np.lexsort((day, codes, customer))
    first = np.ones(len(order), bool)
    first[1:] = (np.diff(customer[order]) != 0) | (np.diff(codes[order]) != 0)
    found = np.zeros(len(order), bool)
    found[order] = first
    return found
