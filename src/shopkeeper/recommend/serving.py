"""Which model serves a shop's lists now, and the list it gives to one customer."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final
from weakref import WeakKeyDictionary

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from shopkeeper.core.errors import Corrupt, NotFound
from shopkeeper.core.types import CannotSay
from shopkeeper.recommend.beside import kept, ring
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
    """Each item's position in what was learned; -1 for one that nobody has chosen."""
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


@dataclass(frozen=True)
class _Loaded:
    """The registry as it was at ``stamp``, and the version that was found by its ``served`` ones."""

    stamp: Stamp
    registry: Registry
    served: tuple[str, ...]
    published: Published | None

    @property
    def is_late(self) -> bool:
        """Whether another version is to serve than the one that is loaded."""
        return self.served != self.registry.served


_NEVER: Final = _Loaded(None, Registry(), (), None)
DERIVED: Final = "serving"
_loaded: WeakKeyDictionary[Shop, _Loaded] = WeakKeyDictionary()
_trials: WeakKeyDictionary[Shop, dict[str, Published | Exception]] = WeakKeyDictionary()
_lock = threading.Lock()
_loading = threading.Lock()
"""Held while files are read; a request waits for it only where there is nothing yet to answer by."""
_making = threading.Lock()


def serving(shop: Shop, fitted: Fitted) -> Serving | CannotSay:
    """The mixture that serves, or why the lists are made without one.

    Where a thread keeps lists fresh, a version that is to serve from now on does so once that has loaded it.
    """
    published = _known(shop).published
    return NOT_FITTED if published is None else placed(published, fitted, shop)


def trial(shop: Shop, fitted: Fitted, version: str) -> Serving | CannotSay:
    """A version that does not serve, for a trial of it; read once, until the registry changes.

    Raises:
        Corrupt: its files are damaged.
        NotFound: they are gone.
    """
    found = _trials.get(shop, {}).get(version)
    if found is None:
        with _loading:
            found = _tried(shop, version, lambda _: None)
    if isinstance(found, Exception):
        raise found
    return placed(found, fitted, shop)


def loaded(shop: Shop, version: str) -> bool:
    """Whether a trial of the version need not wait for its files; else it is soon."""
    if version in _trials.get(shop, ()) or not kept(shop):
        return True
    ring(shop)
    return False


def registered(shop: Shop) -> Registry:
    """What is known of the versions, read again when it changes."""
    return _known(shop).registry


def placed(published: Published, fitted: Fitted, shop: Shop) -> Serving | CannotSay:
    """The version beside the catalogue as it is now; made once for each."""
    if published.restricted != fitted.restricted:
        return _RESTRICTED
    known: dict[str, Serving] = fitted.derived.setdefault(DERIVED, {})
    found = known.get(published.version)
    if found is None or found.base is not published:
        with _making:
            found = known.get(published.version)
            if found is None or found.base is not published:
                found = known[published.version] = _placed(published, fitted, shop)
    return found


def renew(shop: Shop, ready: Callable[[Published], None]) -> None:
    """Load what the registry says now, for the thread beside the requests.

    ``ready`` makes ready whatever else a list takes, before any request sees a version. One on trial
    that cannot be loaded is left to say so itself.
    """
    with _loading:
        registry = _load(shop, ready).registry
        for one in (registry.shadowing, registry.staged):
            if one is not None:
                _tried(shop, one.version, ready)


def held(shop: Shop) -> list[Published]:
    """The versions in memory: what serves, then those on trial."""
    known = _loaded.get(shop, _NEVER).published
    tried = [one for one in _trials.get(shop, {}).values() if isinstance(one, Published)]
    return tried if known is None else [known, *tried]


def _load(shop: Shop, ready: Callable[[Published], None]) -> _Loaded:
    """What the registry says now, its files read where another version is to serve."""
    known = _loaded.get(shop)
    now = _read(shop, known or _NEVER)
    if known is None or now.is_late:
        served = now.registry.served
        found = newest_good(folder(shop))
        if found is not None:
            ready(found)
        now = replace(now, served=served, published=found)
    with _lock:
        _loaded[shop] = now
    return now


def _tried(shop: Shop, version: str, ready: Callable[[Published], None]) -> Published | Exception:
    known = _trials.setdefault(shop, {})
    if version not in known:
        try:
            found: Published | Exception = load(folder(shop) / version)
        except (Corrupt, NotFound) as error:
            found = error
        if isinstance(found, Published):
            ready(found)
        known[version] = found
    return known[version]


def _placed(published: Published, fitted: Fitted, shop: Shop) -> Serving:
    whole = grown(published, fitted.items)
    offered = offerable(whole.item_ids, fitted.items, shop.now())
    there = pc.index_in(whole.item_ids, value_set=fitted.history.item_ids)
    place = np.asarray(there.fill_null(-1).to_numpy(zero_copy_only=False)).astype(np.int64)
    return Serving(whole, offered, place, Shortlister(whole.mixture, whole.clusters), published)


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
        for memory in (_loaded, _trials):
            memory.pop(shop, None)


def _known(shop: Shop) -> _Loaded:
    """The version that serves; the registry is read again when its file changes."""
    known, stamp = _loaded.get(shop), stamped(folder(shop))
    if known is not None and stamp is not None and known.stamp == stamp and not known.is_late:
        return known
    with _lock:
        known = _loaded.get(shop)
        if known is not None:
            known = _loaded[shop] = _read(shop, known)
            if not known.is_late:
                return known
            if known.registry.served and kept(shop):
                ring(shop)
                return known
    with _loading:
        return _load(shop, lambda _: None)


def _read(shop: Shop, known: _Loaded) -> _Loaded:
    """The registry as it is now beside what is loaded; what is tried no more leaves memory."""
    stamp, registry = stamped(folder(shop)), read(folder(shop))
    if known.registry != registry:
        tried = _trials.get(shop, {})
        _trials[shop] = {name: one for name, one in tried.items() if name in registry.kept}
    return replace(known, stamp=stamp, registry=registry)
