"""Events as numbers: one structured array per day, before they become Arrow."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from shopkeeper.core import events as names
from shopkeeper.core.seeds import derive

ORDER_DELIVERED: Final = "order_delivered"
NAMES: Final = (
    names.SEARCH,
    names.VIEW_ITEM_LIST,
    names.VIEW_ITEM,
    names.ADD_TO_CART,
    names.BEGIN_CHECKOUT,
    names.IDENTIFY,
    names.PURCHASE,
    ORDER_DELIVERED,
    names.REFUND,
    names.REVIEW,
    names.EXPERIMENT_VIEWED,
)
CODE: Final = {name: code for code, name in enumerate(NAMES)}
LISTS: Final = ("search_results", "home_shelf")
REASONS: Final = ("quality", "fit", "not_as_described", "changed_mind", "late")
NOTES: Final = (
    *(("rating", str(n)) for n in range(1, 6)),
    *(("reason", reason) for reason in REASONS),
    *(("delivery_days", str(n)) for n in range(100)),
)
RATING, REASON, DELIVERY = 0, 5, 5 + len(REASONS)
"""Where ratings (1 is the first), reasons and days of delivery start in NOTES."""

ROW: Final = np.dtype(
    [
        ("name", "u1"),
        ("device", "i1"),
        ("country", "i1"),
        ("channel", "i1"),
        ("list", "i1"),
        ("position", "i1"),
        ("discount", "i1"),
        ("day", "i4"),
        ("number", "i4"),
        ("note", "i2"),
        ("item", "i2"),
        ("campaign", "i2"),
        ("experiment", "i1"),
        ("variant", "i1"),
        ("query", "i4"),
        ("customer", "i4"),
        ("lag", "i4"),
        ("anonymous", "u8"),
        ("session", "i8"),
        ("order", "i8"),
        ("time", "i8"),
        ("quantity", "f8"),
        ("price", "f8"),
        ("value", "f8"),
        ("cost", "f8"),
        ("propensity", "f8"),
    ]
)
_NONE: Final = (
    "device", "country", "channel", "list", "note", "item", "campaign", "query", "experiment", "variant",
)  # fmt: skip
_ABSENT: Final = ("quantity", "price", "value", "cost", "propensity")

Rows = NDArray[Any]


def blank(count: int, name: str) -> Rows:
    """That many rows of one event name with nothing else in them."""
    rows = np.zeros(count, ROW)
    rows["name"] = CODE[name]
    for field in (*_NONE, "customer", "session", "order"):
        rows[field] = -1
    for field in _ABSENT:
        rows[field] = np.nan
    return rows


def money(quantity: Any, price: Any, discount: Any) -> NDArray[np.float64]:
    """The value of lines: quantity × price less the discount in percent, to the cent."""
    return np.asarray(np.round(quantity * price * (1 - discount / 100), 2))


def scrambled(seed: int, label: str, numbers: NDArray[np.integer]) -> NDArray[np.uint64]:
    """Ids that look random and never collide: a bijection of 64 bits (the finaliser of splitmix64).

    The numbers say what is planted; the ids, which stand in the tables, must not.
    """
    z = numbers.astype(np.uint64) ^ np.uint64(derive(seed, label))
    with np.errstate(over="ignore"):
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        mixed: NDArray[np.uint64] = z ^ (z >> np.uint64(31))
    return mixed


def visitor_ids(seed: int, numbers: NDArray[np.integer]) -> NDArray[np.uint64]:
    """The ids of devices and cookies from their numbers."""
    return scrambled(seed, "visitors", numbers)
