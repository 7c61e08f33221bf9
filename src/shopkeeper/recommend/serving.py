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

from shopkeeper.core.errors import Corrupt, NotFound
from shopkeeper.core.types import CannotSay
from shopkeeper.recommend.cases import had, owned
from shopkeeper.recommend.growth import grown
from shopkeeper.recommend.heads.base import Queries
from shopkeeper.recommend.history import History, Ints
from shopkeeper.recommend.mixture import Mask
from shopkeeper.recommend.model import Fitted
from shopkeeper.recommend.offer import offerable
from shopkeeper.recommend.picking import Picked, pick
from shopkeeper.recommend.published import FOLDER, Published, load
from shopkeeper.recommend.registry import Registry, Stamp, newest_good, read, stamped
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
        return self.shortlister.among(query, allowed, had(query, self.published.again), most)

    def slots(self, query: Queries, k: int, exclude: Collection[str]) -> Picked:
        """The likeliest ``k`` items that may be shown to one customer."""
        offered = self.offered
        if exclude:
            gone = pc.is_in(self.published.item_ids, pa.array(sorted(exclude), pa.string()))
            offered = offered & ~np.asarray(gone.to_numpy(zero_copy_only=False)).astype(bool)
        mask = Mask(offered, owned(query, self.published.again))
        return pick(self.shortlister, query, mask, k)


_loaded: WeakKeyDictionary[Shop, tuple[Stamp, Registry, Published | None]] = WeakKeyDictionary()
_serving: WeakKeyDictionary[Shop, dict[str, Serving]] = WeakKeyDictionary()
_trials: WeakKeyDictionary[Shop, dict[str, Published | Exception]] = WeakKeyDictionary()
_lock = threading.Lock()


def serving(shop: Shop, fitted: Fitted) -> Serving | CannotSay:
    """The mixture that serves, or why the lists are made without one."""
    with _lock:
        published = _published(shop)
        if published is None:
            return NOT_FITTED
        return _beside(shop, published, fitted)


def trial(shop: Shop, fitted: Fitted, version: str) -> Serving | CannotSay:
    """A version that does not serve, for a trial of it; read once, until the registry changes.

    Raises:
        Corrupt: its files are damaged.
        NotFound: they are gone.
    """
    with _lock:
        known = _trials.setdefault(shop, {})
        if version not in known:
            try:
                known[version] = load(folder(shop) / version)
            except (Corrupt, NotFound) as error:
                known[version] = error
        found = known[version]
        if isinstance(found, Exception):
            raise found
        return _beside(shop, found, fitted)


def registered(shop: Shop) -> Registry:
    """What is known of the versions, read again when it changes."""
    with _lock:
        _published(shop)
        return _loaded[shop][1]


def _beside(shop: Shop, published: Published, fitted: Fitted) -> Serving | CannotSay:
    """The version beside the catalogue as it is now."""
    if published.restricted != fitted.restricted:
        return _RESTRICTED
    made = _serving.setdefault(shop, {})
    known = made.get(published.version)
    if known is None or known.fitted is not fitted or known.base is not published:
        whole = grown(published, fitted.items)
        offered = offerable(whole.item_ids, fitted.items, shop.now())
        there = pc.index_in(whole.item_ids, value_set=fitted.history.item_ids)
        place = np.asarray(there.fill_null(-1).to_numpy(zero_copy_only=False)).astype(np.int64)
        shortlister = Shortlister(whole.mixture, whole.clusters)
        known = Serving(whole, offered, place, fitted, shortlister, published)
        made[published.version] = known
    return known


def folder(shop: Shop) -> Path:
    """Where the shop's versions lie."""
    return Path(shop.folder) / FOLDER


def query(history: History, now_ms: int) -> Queries:
    """One customer's history, asked about now; newest rows last."""
    starts = np.array([0, len(history.item)], dtype=np.int64)
    now = np.array([now_ms], dtype=np.int64)
    return Queries(starts, history.item, history.time, history.strength, now, history.spoken)


def forget(shop: Shop) -> None:
    """Drop what is held in memory."""
    with _lock:
        for held in (_loaded, _serving, _trials):
            held.pop(shop, None)


def _published(shop: Shop) -> Published | None:
    """The version that serves; files are read again only when the registry says something else."""
    known, stamp = _loaded.get(shop), stamped(folder(shop))
    if known is not None and stamp is not None and known[0] == stamp:
        return known[2]
    registry = read(folder(shop))
    same = known is not None and known[1].served == registry.served
    found = known[2] if known is not None and same else newest_good(folder(shop))
    if known is None or known[1] != registry:  # what no longer serves or is tried leaves memory
        _trials.pop(shop, None)
        kept = registry.kept
        _serving[shop] = {n: one for n, one in _serving.get(shop, {}).items() if n in kept}
    _loaded[shop] = (stamp, registry, found)
    return found
