"""Whom a campaign means: the customers who were in its segment at one instant, in an order by chance."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import narwhals as nw
import numpy as np
import pyarrow as pa

from shopkeeper.shop.shop import Shop
from shopkeeper.warehouse.source import Frame, Source

_PAGE: Final = 10_000


@dataclass(frozen=True)
class Audience:
    """Customers in the order of a hash of their ids; ``places`` are the hashes, 64 bits each.

    So a budget that does not reach for everybody takes a random part of them, and where sending stands is
    one number, whoever is erased or comes in between.
    """

    ids: pa.Array
    places: Any

    def __len__(self) -> int:
        return len(self.ids)

    def after(self, place: int, most: int) -> tuple[list[str], int]:
        """The next customers behind a place, and the place of the last one; the first place is -1."""
        start = int(np.searchsorted(self.places, np.uint64(place), "right")) if place >= 0 else 0
        found = self.ids.slice(start, most).to_pylist()
        return found, int(self.places[start + len(found) - 1]) if found else place


def members(shop: Shop, segment_id: str, at: datetime) -> pa.Array:
    """The ids of those who were in the segment at that instant."""

    def build(source: Source) -> Frame:
        moment = nw.lit(at)
        inside = source.memberships().filter(
            nw.col("segment") == segment_id,
            nw.col("valid_from") <= moment,
            nw.col("valid_to").is_null() | (nw.col("valid_to") > moment),
        )
        return inside.select("customer_id").unique()

    return shop.query(build).column("customer_id").combine_chunks()


def audience(shop: Shop, campaign_id: str, segment_id: str, at: datetime) -> Audience:
    """The members at that instant, in the campaign's own order."""
    ids = members(shop, segment_id, at)
    places = np.fromiter((_place(campaign_id, one) for one in listed(ids)), np.uint64, len(ids))
    order = np.argsort(places, kind="stable")
    return Audience(ids.take(pa.array(order)), places[order])


def listed(ids: pa.Array) -> Iterator[str]:
    """The ids one by one, few of them in memory at a time."""
    for start in range(0, len(ids), _PAGE):
        yield from ids.slice(start, _PAGE).to_pylist()


def _place(campaign_id: str, customer_id: str) -> int:
    told = f"campaign:{campaign_id}\0{customer_id}".encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(told, digest_size=8).digest())
