"""Who chose which item when, and how strongly: the only thing the models of this folder learn from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import narwhals as nw
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from shopkeeper.core.events import ADD_TO_CART, ADD_TO_WISHLIST, PURCHASE, SELECT_ITEM, VIEW_ITEM
from shopkeeper.recommend.spoken import Spoken

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

STRENGTH: Final = {
    VIEW_ITEM: 0.2,
    SELECT_ITEM: 0.2,
    ADD_TO_WISHLIST: 0.4,
    ADD_TO_CART: 0.5,
    PURCHASE: 1.0,
}
"""How much each behaviour tells: looking is cheap, buying is not."""

DAY_MS: Final = 86_400_000
LEVELS: Final = np.array(sorted(set(STRENGTH.values())))
"""The strengths that there are: a look, a wish, a cart, a purchase."""

_ORDER: Final = "\x1forder "


@dataclass(frozen=True)
class History:
    """One row per customer, item and day, sorted by customer and time, as positions into the ids.

    ``time`` is milliseconds since 1970 of the latest such event; ``strength`` that of the strongest.
    """

    customer: Ints
    item: Ints
    time: Ints
    strength: Floats
    customer_ids: pa.Array
    item_ids: pa.Array
    spoken: Spoken | None = None
    """What each customer, by position, searched for and wrote; None: nothing was asked for or said."""

    @property
    def bought(self) -> NDArray[np.bool_]:
        return self.strength >= STRENGTH[PURCHASE]

    @property
    def known(self) -> NDArray[np.bool_]:
        """Which choosers are customers, by position; the others are orders of nobody known."""
        orders = pc.starts_with(self.customer_ids, _ORDER)
        return ~np.asarray(orders.to_numpy(zero_copy_only=False)).astype(bool)

    @property
    def end(self) -> int:
        """The time of the latest row."""
        return int(self.time.max()) if len(self.time) else 0


def choices(events: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """One row per chooser, item and day: who, item_id, time_ms, strength.

    A purchase without a known customer is taken as a chooser of its own, named after the order: what
    was bought together still teaches, though nobody gets a list from it.
    """
    known = events.filter(nw.col("name").is_in(list(STRENGTH)), ~nw.col("item_id").is_null())
    strength = nw.lit(0.0)
    for name, value in STRENGTH.items():
        strength = nw.when(nw.col("name") == name).then(nw.lit(value)).otherwise(strength)
    return (
        known.filter(~(nw.col("customer_id").is_null() & nw.col("order_id").is_null()))
        .with_columns(
            who=nw.coalesce(
                nw.col("customer_id"), nw.concat_str(nw.lit(_ORDER), nw.col("order_id"))
            ),
            strength=strength,
        )
        .group_by("who", "item_id", "day")
        .agg(nw.col("time_ms").max(), nw.col("strength").max())
        .select("who", "item_id", "time_ms", "strength")
    )


def encode(table: pa.Table) -> History:
    """The rows of :func:`choices` as positions, sorted by customer, time and a fixed shuffle.

    Lines of one order share their time. Their order within it is drawn by a hash, because any order
    by id would make neighbours of the same items again and again.
    """
    # Positions are drawn at random later on: they must not depend on the order an engine answers in.
    table = table.sort_by(
        [("who", "ascending"), ("item_id", "ascending"), ("time_ms", "ascending")]
    )
    customers = pc.dictionary_encode(table["who"].combine_chunks())
    items = pc.dictionary_encode(table["item_id"].combine_chunks())
    customer = _positions(customers)
    item = _positions(items)
    time = table["time_ms"].to_numpy().astype(np.int64)
    shuffle = mixed(id_hash(customers.dictionary)[customer] ^ id_hash(items.dictionary)[item])
    order = np.lexsort((shuffle, time, customer))
    return History(
        customer[order],
        item[order],
        time[order],
        table["strength"].to_numpy().astype(np.float64)[order],
        customers.dictionary,
        items.dictionary,
    )


def latest(history: History, keep: int) -> NDArray[np.bool_]:
    """Which rows are among the last ``keep`` of their customer."""
    return age(history.customer) < keep


def age(customer: Ints) -> Ints:
    """How many later rows the same customer has; ``customer`` is sorted."""
    n = len(customer)
    ends = np.searchsorted(customer, customer, side="right")
    return ends - 1 - np.arange(n, dtype=np.int64)


def moments(customer: Ints, time: Ints) -> Ints:
    """How many later moments the same customer has: lines of one order are one moment."""
    new = np.ones(len(customer), dtype=np.int64)
    new[1:] = (customer[1:] != customer[:-1]) | (time[1:] != time[:-1])
    number = np.cumsum(new)
    ends = np.searchsorted(customer, customer, side="right") - 1
    return number[ends] - number


def _positions(encoded: pa.DictionaryArray) -> Ints:
    return np.asarray(encoded.indices.to_numpy(zero_copy_only=False)).astype(np.int64)


def id_hash(ids: pa.Array) -> NDArray[np.uint64]:
    """A number for each id, the same in every process (Python's own hash of a str is not)."""
    values = ids.cast(pa.large_binary())
    if not len(values):
        return np.zeros(0, dtype=np.uint64)
    offsets = np.frombuffer(values.buffers()[1], np.int64)[: len(values) + 1]
    data = np.frombuffer(values.buffers()[2], np.uint8)[: offsets[-1]].astype(np.uint64)
    place = np.arange(len(data)) - np.repeat(offsets[:-1], np.diff(offsets))
    letters = mixed(data + (place.astype(np.uint64) << np.uint64(8)))
    sums = np.concatenate([[np.uint64(0)], np.cumsum(letters)])
    return np.asarray(sums[offsets[1:]] - sums[offsets[:-1]], dtype=np.uint64)


def mixed(x: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Splitmix64's finaliser (Steele, Lea and Flood, 2014): every input bit moves every output bit."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))
