"""The fitted recommender of a shop, and what is known of its items."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from time import sleep as pause
from typing import Any, Final
from weakref import WeakKeyDictionary

import narwhals as nw
import pyarrow as pa

from shopkeeper.core.period import Days
from shopkeeper.recommend import histories as remembered
from shopkeeper.recommend import searches, spoken
from shopkeeper.recommend.beside import kept
from shopkeeper.recommend.covisit import Covisit
from shopkeeper.recommend.histories import histories, renewed
from shopkeeper.recommend.history import History, choices, encode
from shopkeeper.recommend.offer import offerable
from shopkeeper.recommend.popular import RECENT_DAYS, popularity
from shopkeeper.recommend.slate import Recommender
from shopkeeper.shop.shop import Shop
from shopkeeper.store.restrictions import REVISION
from shopkeeper.store.revisions import Glance
from shopkeeper.warehouse.people import STORE

LEARN_DAYS: Final = 365
"""Older events teach nothing: tastes and assortments have moved on, and memory stays bounded."""

_FRESH: Final = timedelta(minutes=10)
_SLICE: Final = 1000
_HANDOVER: Final = 0.0005
"""Seconds after each slice of rows, in which requests beside this go on: a table's rows become objects
without a word to the interpreter, and a hundred thousand of them would hold up everybody for a second."""
_COLUMNS: Final = (
    *("item_id", "kind", "title", "price", "stock", "available_from", "expires_at"),
    *("brand", "category", "attributes"),
)


@dataclass(frozen=True)
class Fitted:
    """A recommender with the history it was fitted on; ``items`` holds the catalogue by item_id."""

    recommender: Recommender
    history: History
    items: Mapping[str, Mapping[str, Any]]
    days: Days | None
    at: datetime
    restricted: int = 0
    """The revision of the restrictions that this was fitted under."""
    catalogued: int = 0
    """The version of the table that ``items`` was read from."""
    stocked: int = -1
    """The revision of the store's items that ``items`` shows for certain."""
    derived: dict[str, Any] = field(default_factory=dict, init=False, compare=False, repr=False)
    """What other parts of this folder have made of it, by their name: it goes when this does."""

    @property
    def as_of(self) -> date | None:
        return self.days.end if self.days else None


_fitted: WeakKeyDictionary[Shop, Fitted] = WeakKeyDictionary()
_lock = threading.Lock()


def fitted(shop: Shop, seen: Glance | None = None) -> Fitted:
    """The shop's recommender, fitted again when it is older than ten minutes by the shop's clock.

    Where a thread keeps it fresh (:mod:`~shopkeeper.recommend.keeping`) it is what that has made last;
    only a restriction is waited for. ``seen`` is what the caller's look at the store has told already.
    """
    known, seen = _fitted.get(shop), seen or shop.state.glance()
    if known is not None and known.restricted >= seen.of(REVISION):
        if kept(shop) or _current(shop, known):
            return known
        if not _lock.acquire(blocking=False):
            return known  # another request is fitting: its own answer is the first new one
        try:
            made = _fitted[shop] = _instead(shop, known)
            return made
        finally:
            _lock.release()
    with _lock:
        known = _fitted.get(shop)
        if known is None or known.restricted < seen.of(REVISION):
            known = _fitted[shop] = fit(shop)
        return known


def latest(shop: Shop) -> Fitted | None:
    """What requests answer by, however old; None: nobody has asked yet."""
    return _fitted.get(shop)


def renew(shop: Shop, ready: Callable[[Fitted], None], *, asked: bool) -> bool:
    """Put what is true now in the place of what is old; whether there was a need.

    ``ready`` makes ready whatever else a list takes, before any request sees the new one. Where
    nobody has ``asked`` since the last time, age alone is no reason.
    """
    with _lock:
        known = _fitted.get(shop)
        if known is None or known.restricted < shop.state.revision(REVISION):
            made = fit(shop)
        elif _current(shop, known):
            return False
        elif asked or known.catalogued != _catalogued(shop):
            made = _instead(shop, known)
        else:
            return False
        ready(made)
        _fitted[shop] = made
        return True


def _current(shop: Shop, known: Fitted) -> bool:
    return _lately(shop, known) and known.catalogued == _catalogued(shop)


def _lately(shop: Shop, known: Fitted) -> bool:
    """Whether what was learned is of the last ten minutes and of the newest day."""
    return timedelta(0) <= shop.now() - known.at < _FRESH and known.as_of == _last_day(shop)


def _instead(shop: Shop, known: Fitted) -> Fitted:
    """What takes its place: with the catalogue as it is now, or learned anew."""
    return _recatalogued(shop, known) if _lately(shop, known) else fit(shop)


def _recatalogued(shop: Shop, known: Fitted) -> Fitted:
    """The same with the catalogue as it is now: a new item or an empty shelf counts."""
    catalogued, stocked = _catalogued(shop), _stocked(shop)
    items = catalogue(shop)
    offered = offerable(known.history.item_ids, items, shop.now())
    return replace(
        known,
        recommender=replace(known.recommender, offered=offered),
        items=items,
        catalogued=catalogued,
        stocked=stocked,
    )


def _catalogued(shop: Shop) -> int:
    snapshot = shop.warehouse.tables["items"].snapshot()
    return snapshot.version if snapshot else -1


def _stocked(shop: Shop) -> int:
    """Asked before the table is read: what is read is this old at most."""
    return shop.warehouse.tables["items"].position(STORE)


def fit(shop: Shop) -> Fitted:
    """Learn from the last year of events and the catalogue as it is now."""
    restricted = shop.state.revision(REVISION)  # first: one that comes meanwhile is seen later
    history, days = learned(shop)
    catalogued, stocked = _catalogued(shop), _stocked(shop)
    items = catalogue(shop)
    offered = offerable(history.item_ids, items, shop.now())
    wanted = popularity(history, recent_from_ms=_recent_from(shop, days))
    recommender = Recommender(Covisit().fit(history), wanted, offered)
    return Fitted(recommender, history, items, days, shop.now(), restricted, catalogued, stocked)


def learned(shop: Shop) -> tuple[History, Days | None]:
    """The choices of the last year of data, and which days these are."""
    span = shop.span()
    days = None
    if span is not None:
        first = max(span.start, span.end - timedelta(days=LEARN_DAYS - 1))
        days = Days(first, span.end)
    table = (
        shop.query(lambda source: choices(source.events(days)))
        if days
        else shop.query(lambda source: choices(source.events()))
    )
    history = encode(table)
    return replace(history, spoken=searches.spoken(shop, history.customer_ids)), days


def with_catalogue(history: History, items: Iterable[str]) -> History:
    """The same history over all items: those that nobody has chosen yet come last, by id."""
    known = set(history.item_ids.to_pylist())
    fresh = pa.array(sorted(item for item in items if item not in known), pa.string())
    ids = pa.concat_arrays([history.item_ids.cast(pa.string()), fresh])
    return replace(history, item_ids=ids)


def drop(shop: Shop) -> None:
    """Forget what was fitted: somebody in it is erased."""
    with _lock:
        _fitted.pop(shop, None)
    remembered.drop(shop)
    spoken.read_once.cache_clear()


def catalogue(shop: Shop) -> dict[str, dict[str, Any]]:
    """The current items by item_id; empty in a shop that has not told its catalogue."""
    rows = shop.query(lambda source: source.items().select(*_COLUMNS))
    found: dict[str, dict[str, Any]] = {}
    for part in rows.to_batches(max_chunksize=_SLICE):
        found.update((row["item_id"], row) for row in part.to_pylist())
        pause(_HANDOVER)
    return found


def own_history(shop: Shop, customer_id: str, live: bool) -> pa.Table:
    """What one customer chose: rows of :func:`~shopkeeper.recommend.history.choices`.

    ``live`` also counts events that were acknowledged a moment ago and wait in the log.
    """
    return shop.query(
        lambda source: choices(source.events().filter(nw.col("customer_id") == customer_id)),
        live=_sent(shop, customer_id) if live else False,
    )


def _sent(shop: Shop, customer_id: str) -> list[str]:
    return [customer_id, *shop.people.sent_ids(customer_id)]


def own(shop: Shop, customer_id: str, *, live: bool, seen: Glance | None = None) -> History:
    """What one customer chose, of the histories in memory; of the tables where those are not whole."""
    seen = seen or shop.state.glance()
    known = histories(shop, seen)
    found = known.of(shop, customer_id, seen, live=live)
    if (found is None or known.full) and (anew := renewed(shop, known)) is not None:
        found = anew.of(shop, customer_id, seen, live=live)
    if found is not None:
        return found
    said = searches.own(shop, customer_id, _sent(shop, customer_id) if live else False)
    return replace(encode(own_history(shop, customer_id, live)), spoken=said)


def _recent_from(shop: Shop, days: Days | None) -> int | None:
    """The start, in the shop's time zone, of the last thirty days of data."""
    if days is None:
        return None
    first = days.end - timedelta(days=RECENT_DAYS - 1)
    return int(datetime.combine(first, time.min, shop.settings.zone).timestamp() * 1000)


def _last_day(shop: Shop) -> date | None:
    span = shop.span()
    return span.end if span else None
