"""A candidate answers a share of live requests beside the version that serves; nobody is shown its lists.

It works in one thread of its own, after the customer's answer is made: what fails in it, or is slow, never
touches that answer. Where more requests come than it keeps up with, they are counted and left out. What it
found is kept as sums that hold nothing of a customer, in the log of decisions, about once a minute.
"""

from __future__ import annotations

import queue
import random
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from itertools import combinations
from typing import Final
from uuid import uuid4
from weakref import WeakKeyDictionary

import narwhals as nw
import numpy as np

from shopkeeper.core.period import Period
from shopkeeper.core.settings import Language
from shopkeeper.decisions.log import Choice, Decision, record
from shopkeeper.recommend.composing import Asked, Composer
from shopkeeper.recommend.histories import aligned
from shopkeeper.recommend.history import History
from shopkeeper.recommend.likely import ByMixture
from shopkeeper.recommend.model import fitted
from shopkeeper.recommend.registry import Shadowing
from shopkeeper.recommend.rules.arrange import Draw
from shopkeeper.recommend.rules.book import published
from shopkeeper.recommend.serving import Serving, query, trial
from shopkeeper.recommend.types import Slate
from shopkeeper.recommend.writer import Writer
from shopkeeper.shop.shop import Shop

KIND: Final = "recommend.shadow"
_WAITING: Final = 32
_KEEP_SECONDS: Final = 60.0
_IDLE_SECONDS: Final = 2.0
_DAYS: Final = Period("30d")


@dataclass(frozen=True)
class Sums:
    """What a candidate did, as sums over requests: they add. Milliseconds are of CPU, of one list."""

    requests: float = 0.0
    errors: float = 0.0
    dropped: float = 0.0
    overlap: float = 0.0
    """Share of places whose item stands in both lists, summed."""
    ranked: float = 0.0
    """Requests with two items or more in common."""
    tau: float = 0.0
    """Kendall's tau of the items in common, summed."""
    ms: float = 0.0
    serving_ms: float = 0.0

    def __add__(self, other: Sums) -> Sums:
        return Sums(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))


@dataclass(frozen=True)
class Answered:
    """A live request and its answer, and the milliseconds of CPU that this took."""

    customer_id: str
    rows: History
    asked: Asked
    slate: Slate
    ms: float


def offer(shop: Shop, shadowing: Shadowing | None, lang: Language, answered: Answered) -> None:
    """Hand a live answer to the candidate in the shadow, if the request is drawn; never waits."""
    if shadowing is None or not answered.slate.personalised or not answered.slate.slots:
        return
    if random.random() < shadowing.share:  # noqa: S311 - a sample, no secret
        _desk(shop).offer(shadowing.version, lang, answered)


def settle(shop: Shop) -> None:
    """Wait until what was handed over is answered and kept."""
    _desk(shop).settle()


def found(shop: Shop) -> dict[str, Sums]:
    """The sums of the last thirty days by candidate; those of the latest minute may not be kept yet."""
    today = shop.now().astimezone(shop.settings.zone).date()
    wanted = _DAYS.resolve(today, today)
    rows = shop.query(
        lambda source: (
            source.decisions(wanted).filter(nw.col("kind") == KIND).select("policy", "context")
        )
    )
    sums: dict[str, Sums] = {}
    for row in rows.to_pylist(maps_as_pydicts="strict"):
        told: Mapping[str, str] = row["context"] or {}
        one = Sums(*(float(told.get(f.name, 0.0)) for f in fields(Sums)))
        sums[row["policy"]] = sums.get(row["policy"], Sums()) + one
    return sums


class _Desk:
    """One shop's candidate at work; its thread ends when nothing comes."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop
        self._queue: queue.Queue[tuple[str, Language, Answered]] = queue.Queue(_WAITING)
        self._lock = threading.Lock()
        self._running = False
        self._hurry = threading.Event()
        self._sums: dict[str, Sums] = {}
        self._dropped: dict[str, int] = {}

    def offer(self, version: str, lang: Language, answered: Answered) -> None:
        try:
            self._queue.put_nowait((version, lang, answered))
        except queue.Full:
            with self._lock:
                self._dropped[version] = self._dropped.get(version, 0) + 1
            return
        with self._lock:
            if not self._running:
                self._running = True
                threading.Thread(target=self._run, name="shadow", daemon=True).start()

    def settle(self) -> None:
        self._hurry.set()
        while self._running:
            time.sleep(0.01)
        self._hurry.clear()

    def _run(self) -> None:
        kept = time.monotonic()
        while True:
            try:
                one = self._queue.get(timeout=0.01 if self._hurry.is_set() else _IDLE_SECONDS)
            except queue.Empty:
                self._keep()
                with self._lock:
                    if self._queue.empty():
                        self._running = False
                        return
                continue
            self._sums[one[0]] = self._sums.get(one[0], Sums()) + answer(self._shop, *one)
            if time.monotonic() - kept > _KEEP_SECONDS:
                self._keep()
                kept = time.monotonic()

    def _keep(self) -> None:
        """Write the sums down; where that fails they wait for the next time."""
        with self._lock:
            dropped, self._dropped = self._dropped, {}
        for version, count in dropped.items():
            self._sums[version] = self._sums.get(version, Sums()) + Sums(dropped=count)
        try:
            record(self._shop, [self._row(*one) for one in self._sums.items()])
        except Exception:  # noqa: BLE001 - the shop is closing, or its disk is full: lists go on
            return
        self._sums = {}

    def _row(self, version: str, sums: Sums) -> Decision:
        told = {f.name: repr(round(getattr(sums, f.name), 6)) for f in fields(sums)}
        return Decision(
            decision_id=uuid4().hex,
            time=self._shop.now(),
            customer_id=None,
            kind=KIND,
            choices=(Choice(version, 1.0),),
            policy=version,
            context=told,
            personalised=False,
        )


def answer(shop: Shop, version: str, lang: Language, answered: Answered) -> Sums:
    """The candidate's list for the same request beside the one that was shown; an error counts as one."""
    began = time.thread_time()
    try:
        items = _items(shop, version, lang, answered)
    except Exception:  # noqa: BLE001 - whatever a candidate does is its own fault, and counted
        return Sums(requests=1, errors=1, serving_ms=answered.ms)
    spent = (time.thread_time() - began) * 1000
    shown = [slot.item_id for slot in answered.slate.slots]
    tau = kendall(shown, items)
    return Sums(
        requests=1,
        overlap=len(set(shown) & set(items)) / max(len(shown), len(items), 1),
        ranked=float(tau is not None),
        tau=tau or 0.0,
        ms=spent,
        serving_ms=answered.ms,
    )


def _items(shop: Shop, version: str, lang: Language, answered: Answered) -> list[str]:
    seen = shop.state.glance()
    model = fitted(shop, seen)
    who = trial(shop, model, version)
    if not isinstance(who, Serving):
        raise TypeError(who.reason)
    writer = Writer(model, lang, shop.settings.zone)
    history = aligned(answered.rows, who.published.item_ids)
    now_ms = int(shop.now().timestamp() * 1000)
    likely = ByMixture(writer, who, history, query(history, now_ms))
    composer = Composer(shop, writer, published(shop, model, seen), seen)
    asked, chance = replace(answered.asked, record=False), np.random.default_rng()
    # Numbers of its own: those counted over shown lists keep a promotion's share exact.
    drawn = Draw(chance.random(asked.k), np.ones(asked.k), chance.random(asked.k))
    made = composer.compose(likely, answered.customer_id, history, asked, drawn)
    return [slot.item_id for slot in made.slots]


def kendall(first: Sequence[str], second: Sequence[str]) -> float | None:
    """Kendall's tau of the order of what is in both lists: 1 the same, -1 the reverse; None below two."""
    place = {item: n for n, item in enumerate(second)}
    common = [place[item] for item in first if item in place]
    if len(common) < 2:
        return None
    pairs = [1 if a < b else -1 for a, b in combinations(common, 2)]
    return sum(pairs) / len(pairs)


_desks: WeakKeyDictionary[Shop, _Desk] = WeakKeyDictionary()
_making = threading.Lock()


def _desk(shop: Shop) -> _Desk:
    with _making:
        known = _desks.get(shop)
        if known is None:
            known = _desks[shop] = _Desk(shop)
        return known
