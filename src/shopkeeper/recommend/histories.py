"""Everybody's history in memory, by the id that was sent, so that no request scans the tables.

One scan makes it; from then on the intake log is read forward, each row once. Rows are merged by item
and day, keeping the latest time and the greatest strength, so a row that is seen twice changes nothing. Whose
an id is, and when, is asked of the store with every request (and remembered until links change).

An import goes to the tables without the log: it shows by a count of rows that is not what the log
accounts for. From then on :meth:`Histories.of` says None, so that the tables are asked, until the whole is
made anew.
"""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from weakref import WeakKeyDictionary

import narwhals as nw
import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from shopkeeper.core.events import SEARCH
from shopkeeper.core.schema import EVENTS, IDENTITIES
from shopkeeper.recommend.beside import kept, ring
from shopkeeper.recommend.history import STRENGTH, History, Ints, id_hash, mixed
from shopkeeper.recommend.searches import Searches
from shopkeeper.recommend.spoken import lately
from shopkeeper.shop.shop import Shop
from shopkeeper.store.restrictions import REVISION
from shopkeeper.store.revisions import Glance
from shopkeeper.store.timeline import Span
from shopkeeper.warehouse.delta import Snapshot
from shopkeeper.warehouse.source import Frame, Source

_FRESH: Final = timedelta(minutes=10)
"""Made anew no more often than this, but for restrictions, which count at once."""
_SOON: Final = timedelta(seconds=30)
"""The same for the thread beside the requests, where an import makes them ask the tables."""
_PAGE: Final = 5_000
_MOST_READ: Final = 500_000
"""Rows of the log kept beside the arrays; with more the whole is made anew."""
_REMEMBERED: Final = 50_000
_EPOCH: Final = date(1970, 1, 1)

Row = tuple[int, int, int, float, int]
"""Item, time (ms), day, strength, position in the log (0: in the tables)."""


@dataclass
class Histories:
    """``slot`` finds the rows of a sent id: ``starts[slot]:starts[slot + 1]``, in no order."""

    slot: dict[str, int]
    starts: Ints
    item: NDArray[np.int32]
    time: Ints
    day: NDArray[np.int32]
    strength: NDArray[np.float32]
    item_ids: pa.Array
    at: datetime
    restricted: int
    rows: int
    """Of all events in the tables, when this was made."""
    read_to: int
    searches: Searches = field(default_factory=Searches)
    _since: dict[str, list[Row]] = field(default_factory=dict)
    _moved: list[int] = field(default_factory=list)
    """Positions in the log of the events read from it, in rising order."""
    _items: dict[str, int] = field(default_factory=dict)
    _hashes: NDArray[np.uint64] | None = None
    _links: tuple[int, dict[str, dict[str, list[Span]]]] = (-1, {})
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def made(cls, shop: Shop) -> Histories:
        """From one scan of the events; what comes while it runs is read from the log again."""
        restricted = shop.state.revision(REVISION)
        snapshot = shop.warehouse.tables["events"].snapshot()
        table = shop.query(_by_sent)
        sent = pc.dictionary_encode(table["sent"].combine_chunks())
        items = pc.dictionary_encode(table["item_id"].combine_chunks())
        whose = sent.indices.to_numpy(zero_copy_only=False).astype(np.int64)
        order = np.argsort(whose, kind="stable")
        ids = sent.dictionary.to_pylist()
        return cls(
            slot={one: place for place, one in enumerate(ids)},
            starts=np.searchsorted(whose[order], np.arange(len(ids) + 1)),
            item=items.indices.to_numpy(zero_copy_only=False).astype(np.int32)[order],
            time=table["time_ms"].to_numpy().astype(np.int64)[order],
            day=table["day"].cast(pa.int32()).to_numpy().astype(np.int32)[order],
            strength=table["strength"].to_numpy().astype(np.float32)[order],
            item_ids=items.dictionary.cast(pa.string()),
            at=shop.now(),
            restricted=restricted,
            rows=snapshot.count if snapshot else 0,
            read_to=snapshot.cursor if snapshot else 0,
            searches=Searches.made(shop),
        )

    @property
    def full(self) -> bool:
        """Whether so much was read from the log that it is time to make the whole anew."""
        return len(self._moved) > _MOST_READ

    def of(self, shop: Shop, customer_id: str, seen: Glance, *, live: bool) -> History | None:
        """What one customer chose; None: the tables must be asked."""
        snapshot = shop.warehouse.tables["events"].snapshot()
        with self._lock:
            self._read(shop, seen.logged)
            if not self._accounts_for(snapshot):
                return None
        if shop.hides(customer_id, seen):
            return self._history(customer_id, [], merge=False)
        until = None if live else (snapshot.cursor if snapshot else 0)
        periods = self._periods(shop, customer_id, seen.of(IDENTITIES.name))
        parts = [self._stored(sent, held) for sent, held in periods.items()]
        rows = [row for sent, held in periods.items() for row in self._new(sent, held, until)]
        if rows:
            parts.append(np.array(rows, dtype=np.float64)[:, :4])
        found = self._history(customer_id, parts, merge=len(periods) > 1 or bool(rows))
        said = [row for sent, held in periods.items() for row in self._said(sent, held, until)]
        return replace(found, spoken=lately(said)) if said else found

    def whole(self, shop: Shop) -> bool:
        """Whether the log accounts for all rows that came into the tables since."""
        with self._lock:
            self._read(shop, shop.log.last())
            return self._accounts_for(shop.warehouse.tables["events"].snapshot())

    def ready(self, item_ids: Sequence[pa.Array]) -> None:
        """Make what the first request would else make: for a thread beside the requests."""
        self._items = {one: n for n, one in enumerate(self.item_ids.to_pylist())}
        self._hashes = id_hash(self.item_ids)
        for theirs in item_ids:
            _position(self.item_ids, theirs)

    def _read(self, shop: Shop, logged: int) -> None:
        """Take in what the log accepted since the last time, up to its row ``logged`` at least."""
        while self.read_to < logged:
            page = shop.log.read(self.read_to, _PAGE, EVENTS.name)
            for seq, _, payload in page:
                self._moved.append(seq)
                self._take(seq, orjson.loads(payload))
            # Up to ``logged`` everything was there to be read: what was none of these is no event.
            last = page[-1][0] if page else self.read_to
            self.read_to = last if len(page) == _PAGE else max(last, logged)

    def _take(self, seq: int, event: dict[str, Any]) -> None:
        sent = event.get("user_id") or event.get("anonymous_id")
        if sent and event["name"] == SEARCH and event.get("query"):
            self.searches.take(sent, (event["time"] // 1000, seq, event["query"]))
        strength, item_id = STRENGTH.get(event["name"]), event.get("item_id")
        if not sent or strength is None or item_id is None:
            return
        if not self._items:
            self._items = {one: n for n, one in enumerate(self.item_ids.to_pylist())}
        item = self._items.setdefault(item_id, len(self._items))
        if item >= len(self.item_ids):
            self.item_ids = pa.concat_arrays([self.item_ids, pa.array([item_id], pa.string())])
        day = (date.fromisoformat(event["day"]) - _EPOCH).days
        row = (item, event["time"] // 1000, day, strength, seq)
        self._since.setdefault(sent, []).append(row)

    def _accounts_for(self, snapshot: Snapshot | None) -> bool:
        if snapshot is None:
            return self.rows == 0
        return self.rows + bisect_right(self._moved, snapshot.cursor) == snapshot.count

    def _periods(self, shop: Shop, customer_id: str, revision: int) -> dict[str, list[Span]]:
        """When which sent id stood for the customer; no period: always."""
        if not revision:
            return {customer_id: []}
        if self._links[0] != revision or len(self._links[1]) > _REMEMBERED:
            self._links = (revision, {})
        known = self._links[1].get(customer_id)
        if known is None:
            ids = shop.people.sent_ids(customer_id)
            told = shop.people.periods(ids)
            known = {}
            for one in ids:
                spans = told.get(one, [])
                own = [span for span in spans if span.customer_id == customer_id]
                if own or not spans:
                    known[one] = own if len(spans) > 1 else []
            self._links[1][customer_id] = known
        return known

    def _stored(self, sent: str, periods: list[Span]) -> NDArray[np.float64]:
        place = self.slot.get(sent)
        if place is None:
            return np.zeros((0, 4))
        span = slice(self.starts[place], self.starts[place + 1])
        rows = np.column_stack(
            [self.item[span], self.time[span], self.day[span], self.strength[span]]
        )
        return rows[_within(rows[:, 1], periods)] if periods else rows

    def _new(self, sent: str, periods: list[Span], until: int | None) -> Iterable[Row]:
        for row in self._since.get(sent, ()):
            if until is not None and row[4] > until:
                continue
            if not periods or _within(np.array([row[1]]), periods)[0]:
                yield row

    def _said(self, sent: str, periods: list[Span], until: int | None) -> Iterable[tuple[int, str]]:
        for time, seq, text in self.searches.of(sent):
            if until is not None and seq > until:
                continue
            if not periods or _within(np.array([time]), periods)[0]:
                yield time, text

    def _history(
        self, customer_id: str, parts: list[NDArray[np.float64]], *, merge: bool
    ) -> History:
        rows = np.concatenate(parts) if parts else np.zeros((0, 4))
        if merge and len(rows) > 1:
            _, own = np.unique(rows[:, [0, 2]], axis=0, return_inverse=True)
            together = np.full((int(own.max()) + 1, 4), -np.inf)
            np.maximum.at(together, own.ravel(), rows)
            rows = together
        item, time = rows[:, 0].astype(np.int64), rows[:, 1].astype(np.int64)
        order = np.argsort(time, kind="stable")
        if len(time) and (np.diff(time[order]) == 0).any():
            whose = id_hash(pa.array([customer_id], pa.string()))
            order = np.lexsort((mixed(whose ^ self._hash[item]), time))
        return History(
            np.zeros(len(rows), dtype=np.int64),
            item[order],
            time[order],
            np.round(rows[order, 3], 3),
            pa.array([customer_id], pa.string()),
            self.item_ids,
        )

    @property
    def _hash(self) -> NDArray[np.uint64]:
        if self._hashes is None or len(self._hashes) != len(self.item_ids):
            self._hashes = id_hash(self.item_ids)
        return self._hashes


def _by_sent(source: Source) -> Frame:
    """One row per sent id, item and day: sent, item_id, day, time_ms, strength."""
    sent = nw.coalesce(nw.col("user_id"), nw.col("anonymous_id"))
    known = source.events().filter(
        nw.col("name").is_in(list(STRENGTH)), ~nw.col("item_id").is_null(), ~sent.is_null()
    )
    strength = nw.lit(0.0)
    for name, value in STRENGTH.items():
        strength = nw.when(nw.col("name") == name).then(nw.lit(value)).otherwise(strength)
    return (
        known.with_columns(sent=sent, strength=strength)
        .group_by("sent", "item_id", "day")
        .agg(nw.col("time_ms").max(), nw.col("strength").max())
    )


def _within(time: NDArray[Any], periods: list[Span]) -> NDArray[np.bool_]:
    """Which times (ms) lie in one of the periods."""
    inside = np.zeros(len(time), dtype=bool)
    for span in periods:
        start = -np.inf if span.start is None else _ms(span.start)
        until = np.inf if span.until is None else _ms(span.until)
        inside |= (time >= start) & (time < until)
    return inside


def _ms(moment: datetime) -> float:
    known = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return known.timestamp() * 1000


_places: list[tuple[pa.Array, pa.Array, Ints]] = []
_ALIGNED: Final = 8


def aligned(own: History, item_ids: pa.Array) -> History:
    """The rows with another model's positions; items that it has not met are left out."""
    if own.item_ids is item_ids:
        return own
    position = _position(own.item_ids, item_ids)
    item = position[own.item]
    met = item >= 0
    return replace(
        own,
        customer=own.customer[met],
        item=item[met],
        time=own.time[met],
        strength=own.strength[met],
        item_ids=item_ids,
    )


def _position(mine: pa.Array, theirs: pa.Array) -> Ints:
    """Where each item stands in the other model, -1: nowhere. The latest few pairs are remembered."""
    for known in tuple(_places):
        if known[0] is mine and known[1] is theirs:
            return known[2]
    found = pc.index_in(mine, value_set=theirs).fill_null(-1)
    position = np.asarray(found.to_numpy(zero_copy_only=False)).astype(np.int64)
    _places.insert(0, (mine, theirs, position))
    del _places[_ALIGNED:]
    return position


_made: WeakKeyDictionary[Shop, Histories] = WeakKeyDictionary()
_making = threading.Lock()


def histories(shop: Shop, seen: Glance) -> Histories:
    """Those of the shop, made when first asked for; anew when somebody was restricted since."""
    known, restricted = _made.get(shop), seen.of(REVISION)
    if known is not None and known.restricted >= restricted:
        return known
    with _making:
        known = _made.get(shop)
        if known is None or known.restricted < restricted:
            known = _made[shop] = Histories.made(shop)
        return known


def renewed(shop: Shop, known: Histories) -> Histories | None:
    """Those made anew, where ``known`` is old and nobody else is making them already."""
    if kept(shop):
        ring(shop)
        return None
    old = known.full or not timedelta(0) <= shop.now() - known.at < _FRESH
    if not old or not _making.acquire(blocking=False):
        return None
    try:
        _made[shop] = Histories.made(shop)
        return _made[shop]
    finally:
        _making.release()


def renew(shop: Shop, item_ids: Sequence[pa.Array], *, asked: bool) -> bool:
    """Put those that are true now in the place of old ones; whether there was a need.

    ``item_ids`` are the orders of items that they will be asked for in. Where nobody has ``asked``
    since the last time, they are let grow old.
    """
    with _making:
        known = _made.get(shop)
        if known is not None and known.restricted >= shop.state.revision(REVISION):
            age = shop.now() - known.at
            whole = known.whole(shop) and not known.full
            if not asked or timedelta(0) <= age < (_FRESH if whole else _SOON):
                return False
        made = Histories.made(shop)
        made.ready(item_ids)
        _made[shop] = made
        return True


def drop(shop: Shop) -> None:
    """Forget everybody."""
    _made.pop(shop, None)
