"""A list put together from a shortlist: pins, promoted places, limits, diversity and exploration.

Place by place: a pinned item; else, where the place's number falls into a promotion's share, the best of
its items; else the best of the others. With diversity the best is by maximal marginal relevance
(Carbonell and Goldstein, SIGIR 1998): ``(1 - s) P(i) / P(first) - s max likeness to what stands above``.
With exploration a place is drawn with chance ``share``, by a softmax over the 20 likeliest that are left,
so that a list is a sample of Plackett's (1975) and Luce's (1959) model mixed with the greedy one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from shopkeeper.recommend.history import Floats, Ints
from shopkeeper.recommend.rules.grounds import Bools
from shopkeeper.recommend.rules.plan import Likeness, Plan

CANDIDATES: Final = 20
"""From so many of the likeliest items an explored place is drawn."""


@dataclass(frozen=True)
class Pool:
    """What a list may be made of, likeliest first.

    ``value`` is 0 where nothing speaks for an item: it may then only be pinned or promoted.
    """

    item: Ints
    value: Floats

    def and_more(self, items: Ints) -> Pool:
        """With these items behind, where they are not in it; their value is 0."""
        fresh = items[~np.isin(items, self.item)]
        zeros = np.zeros(len(fresh))
        return Pool(np.concatenate([self.item, fresh]), np.concatenate([self.value, zeros]))


@dataclass(frozen=True)
class Draw:
    """Numbers in [0, 1), one per place: which places are promoted, which are drawn, and which item."""

    promote: Floats
    explore: Floats
    pick: Floats

    def without_exploring(self) -> Draw:
        return Draw(self.promote, np.ones(len(self.explore)), self.pick)


@dataclass(frozen=True)
class Place:
    """One place: where its item is in the pool, which rule put it there (-1: none), and the chance of it.

    ``among`` and ``chances`` are the items that could have stood here, given those above.
    """

    at: int
    rule: int
    propensity: float
    among: Ints
    chances: Floats


@dataclass(frozen=True)
class Arranged:
    """A list, and the rules that left a trace in it."""

    places: tuple[Place, ...]
    fired: frozenset[int]

    @property
    def at(self) -> Ints:
        """Where the list's items are in the pool, in their order."""
        return np.array([place.at for place in self.places], dtype=np.int64)


def arrange(
    pool: Pool, plan: Plan, k: int, draw: Draw | None, likeness: Likeness | None
) -> Arranged:
    """At most ``k`` places; ``draw`` None: nothing is promoted or explored."""
    if plan.plain:
        many = min(k, int((pool.value > 0).sum()))
        return Arranged(tuple(_sure(at, -1, pool) for at in range(many)), frozenset())
    return _Arranging(pool, plan, draw, likeness).run(k)


class _Arranging:
    def __init__(
        self, pool: Pool, plan: Plan, draw: Draw | None, likeness: Likeness | None
    ) -> None:
        self._pool = pool
        self._plan = plan
        self._draw = draw
        self._likeness = likeness
        self._free = np.ones(len(pool.item), dtype=bool)
        self._promotion = _promotions(plan, pool.item) if draw else np.full(len(pool.item), -1)
        self._counts: list[dict[int, int]] = [{} for _ in plan.limits]
        self._alike = np.zeros(len(pool.item))
        self._full: dict[int, int] = {}
        self._fired: set[int] = set()
        self._greatest = float(pool.value.max(initial=0.0)) or 1.0

    def run(self, k: int) -> Arranged:
        pinned = {place: (n, at) for place, (n, item) in self._plan.pins.items()
                  if place < k and (at := self._where(item)) >= 0}  # fmt: skip
        for _, at in pinned.values():  # first: they are not shown twice, and count for limits
            self._take(at)
        places: list[Place] = []
        for number in range(k):
            if number in pinned:
                rule, at = pinned[number]
                places.append(_sure(at, rule, self._pool))
                self._fired.add(rule)
            elif (place := self._fill(number)) is not None:
                places.append(place)
                self._take(place.at)
        return Arranged(tuple(places), frozenset(self._fired))

    def _where(self, item: int) -> int:
        there = np.flatnonzero(self._pool.item == item)
        return int(there[0]) if len(there) else -1

    def _fill(self, number: int) -> Place | None:
        wanted = self._wanted(number)
        if wanted is not None:
            mine = np.flatnonzero(self._free & (self._promotion == wanted))
            if len(mine):
                rule = self._plan.promoted[wanted].rule
                self._fired.add(rule)
                return _sure(self._best(mine), rule, self._pool)
        likely = self._free & (self._pool.value > 0)
        others = np.flatnonzero(likely & (self._promotion < 0))
        if not len(others):
            others = np.flatnonzero(likely)  # nothing else is left: better than an empty place
        return self._organic(number, others) if len(others) else None

    def _wanted(self, number: int) -> int | None:
        if self._draw is None:
            return None
        x = self._draw.promote[number]
        return next((n for n, p in enumerate(self._plan.promoted) if p.low <= x < p.high), None)

    def _organic(self, number: int, free: Ints) -> Place:
        greedy = self._best(free)
        self._fired.update(rule for rule, first in self._full.items() if first < greedy)
        if greedy != free[0] and self._plan.diversify is not None:
            self._fired.add(self._plan.diversify[0])
        if self._plan.explore is None or self._draw is None:
            return _sure(greedy, -1, self._pool)
        rule, share, temperature = self._plan.explore
        among = free[:CANDIDATES]
        if greedy not in among:
            among = np.append(among[:-1], greedy)
        weight = (self._pool.value[among] / self._pool.value[among].max()) ** (1 / temperature)
        chances = share * weight / weight.sum() + (1 - share) * (among == greedy)
        drawn = bool(self._draw.explore[number] < share)
        at = greedy
        if drawn:
            self._fired.add(rule)
            place = np.searchsorted(np.cumsum(weight / weight.sum()), self._draw.pick[number])
            at = int(among[min(int(place), len(among) - 1)])
        propensity = float(chances[np.flatnonzero(among == at)[0]])
        return Place(at, rule if drawn else -1, propensity, self._pool.item[among], chances)

    def _best(self, free: Ints) -> int:
        if self._plan.diversify is None:
            return int(free[0])
        s = self._plan.diversify[1]
        score = (1 - s) * self._pool.value[free] / self._greatest - s * self._alike[free]
        return int(free[int(score.argmax())])

    def _take(self, at: int) -> None:
        self._free[at] = False
        item = int(self._pool.item[at])
        if self._plan.diversify is not None and self._likeness is not None:
            like = self._likeness.to(item, self._pool.item)
            self._alike = np.maximum(self._alike, like)
        for limit, counts in zip(self._plan.limits, self._counts, strict=True):
            group = int(limit.groups[item])
            if group < 0:
                continue
            counts[group] = counts.get(group, 0) + 1
            if counts[group] >= limit.most:
                full = self._free & (limit.groups[self._pool.item] == group)
                if full.any():
                    first = int(full.argmax())
                    self._full[limit.rule] = min(first, self._full.get(limit.rule, first))
                    self._free &= ~full


def _sure(at: int, rule: int, pool: Pool) -> Place:
    return Place(at, rule, 1.0, pool.item[at : at + 1], np.ones(1))


def _promotions(plan: Plan, items: Ints) -> Ints:
    """The first promotion that means each item, -1: none."""
    found = np.full(len(items), -1)
    for n in reversed(range(len(plan.promoted))):
        found[plan.promoted[n].mask[items]] = n
    return found


def widened(
    pool: Pool, plan: Plan, allowed: Bools, k: int, best: Callable[[Bools, int], Ints]
) -> Pool:
    """The pool with what pins and promotions need beside the likeliest items.

    ``best`` gives the likeliest items among those that a mask lets through.
    """
    pins: Sequence[int] = [item for _, item in plan.pins.values() if allowed[item]]
    pool = pool.and_more(np.array(pins, dtype=np.int64))
    for promoted in plan.promoted:
        mask = promoted.mask & allowed
        if int(mask[pool.item].sum()) < min(k, int(mask.sum())):
            pool = pool.and_more(best(mask, k))
    return pool
