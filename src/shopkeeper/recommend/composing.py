"""One list, from who says what is likely and the rules that hold: the steps that every list goes through."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Final
from uuid import uuid4

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from shopkeeper.core.schema import ITEMS
from shopkeeper.core.types import CannotSay, Reason
from shopkeeper.decisions.assignment import Drawn
from shopkeeper.recommend.history import DAY_MS, History
from shopkeeper.recommend.likely import Likely, unspoken
from shopkeeper.recommend.offer import may_offer
from shopkeeper.recommend.rules import words
from shopkeeper.recommend.rules.arrange import Arranged, Draw, Pool, arrange, widened
from shopkeeper.recommend.rules.book import Book
from shopkeeper.recommend.rules.draws import draw
from shopkeeper.recommend.rules.grounds import Bools
from shopkeeper.recommend.rules.plan import Ask, Compiled, Plan
from shopkeeper.recommend.types import Price, Removed, Slot
from shopkeeper.recommend.writer import Writer
from shopkeeper.shop.shop import Shop
from shopkeeper.store.revisions import Glance

REACH: Final = 200
"""Of so many of the likeliest items a list is made, where rules rearrange it."""
_TRIES: Final = 3
NO_EVENTS = CannotSay(
    reason="No event says that anybody looked at or bought an item.",
    needed="view_item, add_to_cart or purchase events with an item_id",
    code="no_item_events",
)
NO_ITEMS = CannotSay(
    reason="Fewer items than asked for may be offered: others are owned, sold out or not goods.",
    needed="more items in stock",
    code="few_items",
)


@dataclass(frozen=True)
class Asked:
    """What a list is asked for.

    ``live`` counts the newest events, ``exclude`` names items that must not stand in it, ``only``
    the items that alone may, ``page`` is the placement, and ``record`` says that a customer will see
    it: then it may explore.
    """

    k: int
    live: bool = True
    exclude: Collection[str] = ()
    page: str = ""
    record: bool = False
    only: Collection[str] | None = None


@dataclass(frozen=True)
class Composed:
    """A list with what rules did to it; positions are those of ``item_ids``.

    ``explored`` is the share of places that were open to chance.
    """

    decision_id: str
    slots: tuple[Slot, ...]
    arranged: Arranged
    item_ids: pa.Array
    fired: tuple[str, ...]
    explored: float
    removed: tuple[Removed, ...]
    price: Price
    missing: CannotSay | None
    variant: tuple[str, Drawn] | None = None
    """The experiment on versions that the customer is in, and what they were given in it."""


class Composer:
    """Makes lists by one book of rules, in one language."""

    def __init__(self, shop: Shop, writer: Writer, book: Book, seen: Glance | None = None) -> None:
        self._shop = shop
        self._writer = writer
        self._book = book
        self._seen = seen or shop.state.glance()

    def compose(
        self,
        likely: Likely,
        customer_id: str | None,
        history: History | None,
        asked: Asked,
        drawn: Draw | None = None,
    ) -> Composed:
        """A list; ``customer_id`` and ``history`` None: nothing about the customer may count.

        ``drawn`` are the numbers of chance, new ones where they are not given. What has been sold out
        or withdrawn since the catalogue was read is found out, and left out, before the answer.
        """
        compiled = self._book.compiled(likely.item_ids)
        ask = Ask(asked.page, customer_id, self._shop.now())
        plan = compiled.plan(compiled.active(ask))
        allowed, removed = self._allowed(likely, plan, history, asked)
        plan = self._pinnable(likely, plan, history, allowed)
        decision_id = uuid4().hex
        numbers = None if plan.plain else drawn or draw(decision_id, asked.k)
        if numbers is not None and not asked.record:
            numbers = numbers.without_exploring()
        for _ in range(_TRIES):
            pool = likely.pool(allowed, asked.k if plan.plain else max(REACH, 2 * asked.k))
            if not plan.plain:
                pool = widened(pool, plan, allowed, asked.k, likely.best)
            arranged = arrange(pool, plan, asked.k, numbers, compiled.likeness)
            gone = self._gone(likely.item_ids, pool, arranged)
            if not gone.any():
                break
            allowed = allowed.copy()
            allowed[pool.item[arranged.at[gone]]] = False
            plan = self._pinnable(likely, plan, history, allowed)
        arranged = _without(arranged, gone)
        slots = self._slots(likely, pool, arranged)
        fired = sorted({*arranged.fired, *(n for n, count in removed if count)})
        return Composed(
            decision_id,
            slots,
            arranged,
            likely.item_ids,
            self._book.names(fired),
            plan.explore[1] if plan.explore is not None and asked.record else 0.0,
            tuple(Removed(rule=self._book.rules[n].name, items=c) for n, c in removed if c),
            self._price(pool, plan, compiled, arranged, (asked.k, numbers)),
            self._missing(len(slots), asked.k, removed),
        )

    def _allowed(
        self, likely: Likely, plan: Plan, history: History | None, asked: Asked
    ) -> tuple[Bools, list[tuple[int, int]]]:
        """What may stand in the list, and how many items each rule took away."""
        allowed, removed = plan.allowed, list(plan.removed)
        if asked.exclude:
            allowed = allowed & ~_named(likely.item_ids, asked.exclude)
        if asked.only is not None:
            allowed = allowed & _named(likely.item_ids, asked.only)
        if history is None:
            return allowed, removed
        now_ms = int(self._shop.now().timestamp() * 1000)
        for rule, mask, days in plan.again:
            mine = history.bought
            if days is not None:
                mine = mine & (history.time > now_ms - days * DAY_MS)
            items = np.unique(history.item[mine])
            items = items[allowed[items]] if mask is None else items[allowed[items] & mask[items]]
            if len(items):
                allowed = allowed.copy()
                allowed[items] = False
            removed.append((rule, len(items)))
        return allowed, removed

    def _pinnable(
        self, likely: Likely, plan: Plan, history: History | None, allowed: Bools
    ) -> Plan:
        """The plan without pins of what may not be shown, or is owned and not bought again."""
        if not plan.pins:
            return plan
        owned: set[int] = set()
        if history is not None:
            owned = {int(item) for item in np.unique(history.item[history.bought])}
        kept = {}
        for place, (rule, item) in plan.pins.items():
            alone = np.zeros(len(allowed), dtype=bool)
            alone[item] = allowed[item]
            if allowed[item] and (item not in owned or len(likely.best(alone, 1))):
                kept[place] = (rule, item)
        return replace(plan, pins=kept)

    def _gone(self, item_ids: pa.Array, pool: Pool, arranged: Arranged) -> Bools:
        """Which places hold an item that may not be offered any more, by the store itself."""
        model, revision = self._writer.model, self._seen.of(ITEMS.name)
        if not model.items or not arranged.places:
            return np.zeros(len(arranged.places), dtype=bool)
        ids = [item_ids[item].as_py() for item in pool.item[arranged.at].tolist()]
        # Without a revision the catalogue came with the tables alone.
        known = not revision or model.stocked == revision
        rows = model.items if known else self._shop.catalogue.offers(ids)
        now = self._shop.now()
        return np.array([not may_offer(rows.get(item), now) for item in ids], dtype=bool)

    def _slots(self, likely: Likely, pool: Pool, arranged: Arranged) -> tuple[Slot, ...]:
        at = arranged.at
        spoken = at[pool.value[at] > 0] if len(at) else at
        told = iter(likely.slots(spoken))
        slots = []
        for rank, place in enumerate(arranged.places, 1):
            reasons: tuple[Reason, ...] = ()
            if place.rule >= 0:
                reasons = (words.reason(self._book.rules[place.rule], self._writer.lang),)
            if pool.value[place.at] > 0:
                slot = next(told)
                if reasons or slot.rank != rank:
                    both = (*reasons, *slot.reasons)
                    slot = slot.model_copy(update={"rank": rank, "reasons": both})
                slots.append(slot)
            else:
                item_id = likely.item_ids[int(pool.item[place.at])].as_py()
                slots.append(unspoken(self._writer, item_id, rank, reasons))
        return tuple(slots)

    @staticmethod
    def _price(
        pool: Pool,
        plan: Plan,
        compiled: Compiled,
        arranged: Arranged,
        asked: tuple[int, Draw | None],
    ) -> Price:
        """How much of the likeliest list's probability the rules' order gave up."""
        k, numbers = asked
        best = float(pool.value[: len(arranged.places)].sum())
        if plan.plain or best <= 0:
            return Price()
        kept = float(pool.value[arranged.at].sum())
        diversity = 0.0
        if plan.diversify is not None:
            without = replace(plan, diversify=None)
            plain = arrange(pool, without, k, numbers, compiled.likeness)
            diversity = max(0.0, (float(pool.value[plain.at].sum()) - kept) / best)
        return Price(given_up=max(0.0, 1 - kept / best), diversity=diversity)

    def _missing(self, found: int, k: int, removed: list[tuple[int, int]]) -> CannotSay | None:
        if found >= k:
            return None
        history = self._writer.model.history
        if not len(history.item):
            return NO_EVENTS
        took = [(self._book.rules[n].name, count) for n, count in removed if count]
        if not took:
            return NO_ITEMS
        told = ", ".join(f"{name!r} removed {count}" for name, count in took)
        return CannotSay(
            reason=f"The rules leave fewer items than asked for: {told}.",
            needed="other rules, or more items in stock",
            code="rules_leave_few",
            values={"rules": ", ".join(f"{name} ({count})" for name, count in took)},
        )


def _named(item_ids: pa.Array, names: Collection[str]) -> Bools:
    """Which of the items bear one of these ids."""
    there = pc.is_in(item_ids, pa.array(sorted(names), pa.string()))
    return np.asarray(there.to_numpy(zero_copy_only=False)).astype(bool)


def _without(arranged: Arranged, gone: Bools) -> Arranged:
    kept = tuple(place for place, bad in zip(arranged.places, gone, strict=True) if not bad)
    return replace(arranged, places=kept)
