"""Which model serves a shop's lists now, and the list it gives to one customer."""

from __future__ import annotations

import threading
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from weakref import WeakKeyDictionary

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from shopkeeper.core.types import CannotSay
from shopkeeper.recommend.cases import owned
from shopkeeper.recommend.growth import grown
from shopkeeper.recommend.heads.base import Queries
from shopkeeper.recommend.history import History, Ints
from shopkeeper.recommend.mixture import Mask
from shopkeeper.recommend.model import Fitted
from shopkeeper.recommend.offer import offerable
from shopkeeper.recommend.picking import Picked, pick
from shopkeeper.recommend.published import FOLDER, Published
from shopkeeper.recommend.registry import Registry, newest_good, read
from shopkeeper.recommend.shortlist import Shortlist, Shortlister
from shopkeeper.shop.shop import Shop

NOT_FITTED: Final = CannotSay(
    reason="No mixture is fitted: lists are what goes together, then what is popular.",
    needed="shopkeeper recommend fit",
)
_RESTRICTED: Final = CannotSay(
    reason="Somebody was restricted or erased since the mixture was fitted.",
    needed="shopkeeper recommend fit",
)


@dataclass(frozen=True)
class Serving:
    """A published mixture beside the shop's catalogue as it is now."""

    published: Published
    offered: NDArray[np.bool_]
    place: Ints
    """Each item's position in ``fitted``; -1 for one that nobody has chosen."""
    fitted: Fitted
    shortlister: Shortlister
    base: Published
    """As it was fitted, without the items that are new since."""

    def shortlist(self, query: Queries, allowed: NDArray[np.bool_], most: int) -> Shortlist:
        """The likeliest ``most`` items among those allowed, without what the customer owns."""
        mask = Mask(allowed, owned(query, self.published.again))
        return self.shortlister(query, mask, most)

    def slots(self, query: Queries, k: int, exclude: Collection[str]) -> Picked:
        """The likeliest ``k`` items that may be shown to one customer."""
        offered = self.offered
        if exclude:
            gone = pc.is_in(self.published.item_ids, pa.array(sorted(exclude), pa.string()))
            offered = offered & ~np.asarray(gone.to_numpy(zero_copy_only=False)).astype(bool)
        mask = Mask(offered, owned(query, self.published.again))
        return pick(self.shortlister, query, mask, k)


_loaded: WeakKeyDictionary[Shop, tuple[Registry, Published | None]] = WeakKeyDictionary()
_serving: WeakKeyDictionary[Shop, Serving] = WeakKeyDictionary()
_lock = threading.Lock()


def serving(shop: Shop, fitted: Fitted) -> Serving | CannotSay:
    """The mixture that serves, or why the lists are made without one."""
    with _lock:
        published = _published(shop)
        if published is None:
            return NOT_FITTED
        if published.restricted != fitted.restricted:
            return _RESTRICTED
        known = _serving.get(shop)
        if known is None or known.fitted is not fitted or known.base is not published:
            whole = grown(published, fitted.items)
            offered = offerable(whole.item_ids, fitted.items, shop.now())
            there = pc.index_in(whole.item_ids, value_set=fitted.history.item_ids)
            place = np.asarray(there.fill_null(-1).to_numpy(zero_copy_only=False)).astype(np.int64)
            known = Serving(
                whole,
                offered,
                place,
                fitted,
                Shortlister(whole.mixture, whole.clusters),
                published,
            )
            _serving[shop] = known
        return known


def folder(shop: Shop) -> Path:
    """Where the shop's versions lie."""
    return Path(shop.folder) / FOLDER


def query(history: History, now_ms: int) -> Queries:
    """One customer's history, asked about now; newest rows last."""
    starts = np.array([0, len(history.item)], dtype=np.int64)
    now = np.array([now_ms], dtype=np.int64)
    return Queries(starts, history.item, history.time, history.strength, now)


def forget(shop: Shop) -> None:
    """Drop what is held in memory."""
    with _lock:
        _loaded.pop(shop, None)
        _serving.pop(shop, None)


def _published(shop: Shop) -> Published | None:
    """The version that serves; files are read again only when the registry says something else."""
    registry = read(folder(shop))
    known = _loaded.get(shop)
    if known is None or known[0].served != registry.served:
        known = (registry, newest_good(folder(shop)))
        _loaded[shop] = known
    return known[1]
