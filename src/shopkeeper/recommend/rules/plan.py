"""Rules made ready to be asked: one mask per rule and, for each set of rules in force, one plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np

from shopkeeper.recommend.history import Floats, Ints
from shopkeeper.recommend.rules.grounds import PATH, Bools, Grounds
from shopkeeper.recommend.rules.language import (
    Diversify,
    Explore,
    Hide,
    Limit,
    NeverAgain,
    Only,
    Pin,
    Promote,
    Rule,
    Scope,
    Stock,
)

Members = Mapping[str, frozenset[str]]
"""The customers of each segment that some rule names."""


@dataclass(frozen=True)
class Ask:
    """Where a list is shown, to whom and when; ``customer_id`` None: nothing personal may hold."""

    page: str
    customer_id: str | None
    at: datetime


@dataclass(frozen=True)
class Promoted:
    """Places whose number lies in [low, high) go to these items."""

    rule: int
    mask: Bools
    low: float
    high: float


@dataclass(frozen=True)
class Capped:
    """At most ``most`` items of one group; -1 is no group."""

    rule: int
    groups: Ints
    most: int


@dataclass(frozen=True)
class Plan:
    """What the rules in force ask of a list; numbers are positions in the list of rules.

    ``removed`` says how many items that could be offered each rule takes away, in order, those that an
    earlier one took not counted.
    """

    allowed: Bools
    removed: tuple[tuple[int, int], ...]
    again: tuple[tuple[int, Bools | None, int | None], ...]
    pins: Mapping[int, tuple[int, int]]
    promoted: tuple[Promoted, ...]
    limits: tuple[Capped, ...]
    diversify: tuple[int, float] | None
    explore: tuple[int, float, float] | None

    @property
    def plain(self) -> bool:
        """Whether nothing is to be rearranged."""
        return not (self.pins or self.promoted or self.limits or self.diversify or self.explore)


@dataclass(frozen=True)
class Likeness:
    """Brand and path of category of each item as numbers; -1 where there is none."""

    brand: Ints
    path: Ints
    """(levels x items)"""

    def to(self, item: int, others: Ints) -> Floats:
        """How like the others are: half the same brand, half the share of the path in common."""
        brand = (self.brand[others] == self.brand[item]) & (self.brand[item] >= 0)
        own = self.path[:, item]
        depth = max(int((own >= 0).sum()), 1)
        common = (self.path[:, others] == own[:, None]) & (own >= 0)[:, None]
        return np.asarray(0.5 * brand + 0.5 * common.sum(axis=0) / depth)


@dataclass(frozen=True)
class Compiled:
    """The rules against one order of items."""

    rules: Sequence[Rule]
    offered: Bools
    members: Members
    masks: Mapping[int, Bools]
    groups: Mapping[int, Ints]
    likeness: Likeness | None
    _plans: dict[tuple[int, ...], Plan] = field(default_factory=dict)

    def active(self, ask: Ask) -> tuple[int, ...]:
        """The rules in force, in order."""
        return tuple(n for n, rule in enumerate(self.rules) if holds(rule.scope, ask, self.members))

    def plan(self, active: tuple[int, ...]) -> Plan:
        """What these rules ask together; made once."""
        known = self._plans.get(active)
        if known is None:
            known = self._planned(active)
            self._plans[active] = known
        return known

    def _planned(self, active: tuple[int, ...]) -> Plan:
        chosen = [(n, self.rules[n]) for n in active]
        allowed, removed = self.offered.copy(), []
        for n, rule in chosen:
            if isinstance(rule, Hide | Only | Stock):
                kept = self.masks[n]
                removed.append((n, int((allowed & ~kept).sum())))
                allowed &= kept
        return Plan(
            allowed,
            tuple(removed),
            tuple(
                (n, self.masks.get(n), rule.days)
                for n, rule in chosen
                if isinstance(rule, NeverAgain)
            ),
            self._pins(chosen),
            tuple(self._promoted(chosen)),
            tuple(
                Capped(n, self.groups[n], rule.most)
                for n, rule in chosen
                if isinstance(rule, Limit)
            ),
            next(((n, r.strength) for n, r in chosen if isinstance(r, Diversify)), None),
            next(((n, r.share, r.temperature) for n, r in chosen if isinstance(r, Explore)), None),
        )

    def _pins(self, chosen: Sequence[tuple[int, Rule]]) -> dict[int, tuple[int, int]]:
        pins: dict[int, tuple[int, int]] = {}
        for n, rule in chosen:
            if isinstance(rule, Pin):
                there = np.flatnonzero(self.masks[n])
                taken = {item for _, item in pins.values()}
                if len(there) and rule.place - 1 not in pins and int(there[0]) not in taken:
                    pins[rule.place - 1] = (n, int(there[0]))
        return pins

    def _promoted(self, chosen: Sequence[tuple[int, Rule]]) -> list[Promoted]:
        found: list[Promoted] = []
        low = 0.0
        for n, rule in chosen:
            if isinstance(rule, Promote) and low < 1:
                high = min(low + rule.share, 1.0)
                found.append(Promoted(n, self.masks[n], low, high))
                low = high
        return found


def compile_rules(
    rules: Sequence[Rule], grounds: Grounds, offered: Bools, members: Members
) -> Compiled:
    """Masks of all rules; for Hide, Only and Stock of what stays, for others of what is meant."""
    masks, groups = {}, {}
    for n, rule in enumerate(rules):
        if isinstance(rule, Hide):
            masks[n] = ~grounds.matching(rule.where)
        elif isinstance(rule, Only | Promote):
            masks[n] = grounds.matching(rule.where)
        elif isinstance(rule, Stock):
            masks[n] = grounds.stock() >= rule.least
        elif isinstance(rule, NeverAgain) and rule.where is not None:
            masks[n] = grounds.matching(rule.where)
        elif isinstance(rule, Pin):
            masks[n] = grounds.named([rule.item_id])
        elif isinstance(rule, Limit):
            groups[n] = grounds.groups(rule.by)
    alike = any(isinstance(rule, Diversify) for rule in rules)
    return Compiled(
        tuple(rules), offered, members, masks, groups, likeness(grounds) if alike else None
    )


def holds(scope: Scope, ask: Ask, members: Members) -> bool:
    """Whether a rule of that scope holds for this list."""
    here = not scope.pages or ask.page in scope.pages
    begun = scope.valid_from is None or ask.at >= scope.valid_from
    lasting = scope.valid_to is None or ask.at < scope.valid_to
    return here and begun and lasting and (not scope.personal or _meant(scope, ask, members))


def _meant(scope: Scope, ask: Ask, members: Members) -> bool:
    """Whether a rule for some customers means this one."""
    if ask.customer_id is None or (scope.customers and ask.customer_id not in scope.customers):
        return False
    return scope.segment is None or ask.customer_id in members.get(scope.segment, frozenset())


def likeness(grounds: Grounds) -> Likeness:
    """Brands and categories as numbers."""
    paths = [(row.get("category") or "").split(PATH) for row in grounds.rows]
    levels = max((len(path) for path in paths), default=1)
    numbers: dict[tuple[str, ...], int] = {}
    path = np.full((levels, len(paths)), -1, dtype=np.int64)
    for item, names in enumerate(paths):
        if names != [""]:
            for level in range(len(names)):
                path[level, item] = numbers.setdefault(tuple(names[: level + 1]), len(numbers))
    return Likeness(grounds.groups("brand"), path)
