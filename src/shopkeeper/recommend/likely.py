"""The likeliest items for one customer: by the mixture, by what needs no fitting, or for everybody."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np
import pyarrow as pa

from shopkeeper.core.types import Reason
from shopkeeper.recommend.heads.base import Queries
from shopkeeper.recommend.history import Floats, History, Ints
from shopkeeper.recommend.picking import explained
from shopkeeper.recommend.rules.arrange import Pool
from shopkeeper.recommend.rules.grounds import Bools
from shopkeeper.recommend.serving import Serving
from shopkeeper.recommend.shortlist import Shortlist
from shopkeeper.recommend.slate import Slates
from shopkeeper.recommend.types import Slot
from shopkeeper.recommend.writer import Writer

RULE = "rule"
"""The head of an item for which no model speaks: a rule put it there."""


class Likely(Protocol):
    """Who says which items are likely; positions are those of ``item_ids``."""

    @property
    def item_ids(self) -> pa.Array: ...

    def pool(self, allowed: Bools, most: int) -> Pool:
        """The likeliest items among those allowed; what :meth:`slots` refers to."""
        ...

    def best(self, allowed: Bools, most: int) -> Ints:
        """The likeliest items among others, for a promotion."""
        ...

    def slots(self, at: Ints) -> Iterator[Slot]:
        """The places of the latest pool in this order, ranks from 1; those beyond it have no reason."""
        ...


class ByMixture:
    """P(item | customer, now)."""

    def __init__(self, writer: Writer, who: Serving, history: History, query: Queries) -> None:
        self._writer = writer
        self._who = who
        self._history = history
        self._query = query
        self._short: Shortlist | None = None

    @property
    def item_ids(self) -> pa.Array:
        return self._who.published.item_ids

    def pool(self, allowed: Bools, most: int) -> Pool:
        self._short = self._who.shortlist(self._query, allowed, most)
        return Pool(self._short.item, self._short.probability)

    def best(self, allowed: Bools, most: int) -> Ints:
        return self._who.shortlist(self._query, allowed, most).item

    def slots(self, at: Ints) -> Iterator[Slot]:
        assert self._short is not None  # noqa: S101 - a pool was asked for first
        found = explained(self._who.published.mixture, self._query, self._short, at)
        return self._writer.by_mixture(self._who, self._history, found)


class ByDefaults:
    """What goes with the history, then what is popular; 1 / rank stands for the probability."""

    def __init__(self, writer: Writer, history: History) -> None:
        self._writer = writer
        self._history = history
        self._slates: Slates | None = None

    @property
    def item_ids(self) -> pa.Array:
        return self._writer.model.history.item_ids

    def pool(self, allowed: Bools, most: int) -> Pool:
        self._slates = self._listed(allowed, most)
        return Pool(self._slates.item, zipf(len(self._slates.item)))

    def best(self, allowed: Bools, most: int) -> Ints:
        return self._listed(allowed, most).item

    def slots(self, at: Ints) -> Iterator[Slot]:
        assert self._slates is not None  # noqa: S101 - a pool was asked for first
        found = Slates(*(getattr(self._slates, name)[at] for name in Slates.__slots__))
        found = replace(found, rank=np.arange(1, len(at) + 1))
        return self._writer.slots(self._history, found)

    def _listed(self, allowed: Bools, most: int) -> Slates:
        recommender = replace(self._writer.model.recommender, offered=allowed)
        return recommender.slates(self._history, np.zeros(1, dtype=np.int64), most)


class ByReason:
    """Items in a given order, each with its own reason; 1 / rank stands for the probability."""

    def __init__(
        self,
        writer: Writer,
        head: str,
        ordered: tuple[Ints, Floats],
        reason: Callable[[int], Reason],
    ) -> None:
        """``ordered`` are the items, best first, and the score of each."""
        self._writer = writer
        self._head = head
        self._item, self._score = ordered
        self._reason = reason
        self._kept: Ints = np.zeros(0, dtype=np.int64)

    @property
    def item_ids(self) -> pa.Array:
        return self._writer.model.history.item_ids

    def pool(self, allowed: Bools, most: int) -> Pool:
        self._kept = np.flatnonzero(allowed[self._item])[:most]
        return Pool(self._item[self._kept], zipf(len(self._kept)))

    def best(self, allowed: Bools, most: int) -> Ints:
        return self._item[allowed[self._item]][:most]

    def slots(self, at: Ints) -> Iterator[Slot]:
        for rank, place in enumerate(self._kept[at].tolist(), 1):
            item = int(self._item[place])
            yield self._writer.named(
                self.item_ids[item].as_py(),
                rank=rank,
                head=self._head,
                score=float(self._score[place]),
                reasons=(self._reason(item),),
            )


def by_popularity(writer: Writer) -> ByReason:
    """What most customers wanted lately: the same for everybody."""
    found = writer.model.recommender.popular
    order = found.order
    return ByReason(writer, "popular", (order, found.score[order]), writer.popular)


def zipf(count: int) -> Floats:
    """What falls with the rank as in Zipf's law: 1, 1/2, 1/3, …, 1 / count."""
    return np.asarray(1.0 / np.arange(1, count + 1))


def unspoken(writer: Writer, item_id: str, rank: int, reasons: Sequence[Reason]) -> Slot:
    """A place for which no model speaks."""
    return writer.named(item_id, rank=rank, head=RULE, score=0.0, reasons=tuple(reasons))
