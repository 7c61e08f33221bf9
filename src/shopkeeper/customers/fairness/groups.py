"""Customers by a trait that an owner names."""

from __future__ import annotations

from datetime import date
from typing import Any, Final

import narwhals as nw
import numpy as np

from shopkeeper.core.errors import UnknownName
from shopkeeper.customers.traits.frame import names, traits
from shopkeeper.shop.shop import Shop
from shopkeeper.warehouse.source import Frame, Source

UNKNOWN: Final = ""
"""The group of those of whom the trait is not known."""

_PARTS: Final = 4


def groups(shop: Shop, trait: str, as_of: date) -> dict[str, str]:
    """The group of each customer: the trait's value, or for numbers which quarter it is in.

    A trait is one that is computed, or one that was told of customers, such as a gender.

    Raises:
        UnknownName: no trait of that name is computed or was told.
    """
    computed = names()
    if trait in computed:
        rows = shop.query(
            lambda s: traits(s, as_of, shop.settings.zone).select("customer_id", trait)
        )
        pairs = dict(zip(rows["customer_id"].to_pylist(), rows[trait].to_pylist(), strict=True))
        return _quarters(pairs) if _are_numbers(pairs) else _texts(pairs)
    told = shop.query(lambda source: _told(source, trait))
    if not told.num_rows:
        every = shop.query(lambda source: source.traits().select("name").unique())
        raise UnknownName("trait", trait, [*computed, *every["name"].to_pylist()], field="trait")
    return _texts(
        dict(zip(told["customer_id"].to_pylist(), told["value"].to_pylist(), strict=True))
    )


def _told(source: Source, trait: str) -> Frame:
    """What was told last of each customer."""
    rows = source.traits().filter(nw.col("name") == trait)
    newest = rows.group_by("customer_id").agg(newest=nw.col("time").max())
    rows = rows.join(newest, on="customer_id", how="inner").filter(
        nw.col("time") == nw.col("newest")
    )
    return rows.group_by("customer_id").agg(nw.col("value").max())


def _are_numbers(pairs: dict[str, Any]) -> bool:
    kinds = {type(value) for value in pairs.values() if value is not None}
    return bool(kinds) and kinds <= {int, float}


def _texts(pairs: dict[str, Any]) -> dict[str, str]:
    return {one: UNKNOWN if value is None else str(value) for one, value in pairs.items()}


def _quarters(pairs: dict[str, Any]) -> dict[str, str]:
    """Quarters of the customers by a number, named by their bounds."""
    known = {
        one: float(value) for one, value in pairs.items() if value is not None and value == value
    }
    if not known:
        return dict.fromkeys(pairs, UNKNOWN)
    values = np.array(list(known.values()))
    edges = np.unique(np.quantile(values, np.linspace(0, 1, _PARTS + 1)))
    inner = edges[1:-1]
    place = np.searchsorted(inner, values, side="right")
    last = len(edges) - 1
    bounds = [(edges[min(p, last)], edges[min(p + 1, last)]) for p in range(len(inner) + 1)]
    told = [f"{low:g} – {high:g}" for low, high in bounds]
    found = {one: told[int(p)] for one, p in zip(known, place, strict=True)}
    return {one: found.get(one, UNKNOWN) for one in pairs}
