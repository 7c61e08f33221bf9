"""Rules that work against each other: which two, why, and which wins."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import Final

import numpy as np

from shopkeeper.recommend.rules.grounds import Bools
from shopkeeper.recommend.rules.language import (
    Diversify,
    Explore,
    Hide,
    Limit,
    Only,
    Pin,
    Promote,
    Rule,
    Scope,
    Stock,
)
from shopkeeper.recommend.rules.plan import Compiled
from shopkeeper.recommend.types import Conflict

_REMOVES: Final = (Hide, Only, Stock)
Said = tuple[str, str, str]
"""What is wrong as a code and in words, and the name of the winner ("" for neither)."""

_LIST: Final = 10
"""Places of the list by which limits and shares are compared."""


def conflicts(compiled: Compiled) -> list[Conflict]:
    """Every pair that can hold at once and cannot both have its way; then rules that mean nothing."""
    rules = compiled.rules
    found = []
    for a, b in combinations(range(len(rules)), 2):
        if not meet(rules[a].scope, rules[b].scope):
            continue
        said = _against(compiled, a, b) or _against(compiled, b, a)
        if said is not None:
            code, why, wins = said
            first, second = rules[a].name, rules[b].name
            found.append(Conflict(first=first, second=second, code=code, why=why, wins=wins))
    return [*found, *_shares(compiled), *_idle(compiled)]


def meet(a: Scope, b: Scope) -> bool:
    """Whether there can be a list for which both scopes hold."""
    if a.pages and b.pages and not set(a.pages) & set(b.pages):
        return False
    if a.customers and b.customers and not set(a.customers) & set(b.customers):
        return False
    return not (_before(a, b) or _before(b, a))


def _before(a: Scope, b: Scope) -> bool:
    return a.valid_to is not None and b.valid_from is not None and a.valid_to <= b.valid_from


def _against(compiled: Compiled, a: int, b: int) -> Said | None:
    """Why these two are in each other's way."""
    one, two = compiled.rules[a], compiled.rules[b]
    if isinstance(one, _REMOVES):
        return _removing(compiled, a, b)
    if isinstance(one, Pin) and isinstance(two, Pin):
        return _pins(one, two, first=a < b)
    if isinstance(one, Limit) and isinstance(two, Promote):
        return _limited(compiled, a, b)
    for kind in (Diversify, Explore):
        if isinstance(one, kind) and isinstance(two, kind):
            winner = one if a < b else two
            return "one_of_kind", "only one of the kind can hold at a time", winner.name
    return None


def _removing(compiled: Compiled, a: int, b: int) -> Said | None:
    one, two = compiled.rules[a], compiled.rules[b]
    kept = compiled.masks[a] & compiled.offered
    if isinstance(two, Pin | Promote) and (compiled.masks[b] & compiled.offered).any():
        if not (compiled.masks[b] & kept).any():
            return "removed", f"{two.kind} means only items that {one.kind} removes", one.name
    elif isinstance(two, _REMOVES) and kept.any():
        other = compiled.masks[b] & compiled.offered
        if other.any() and not (kept & other).any():
            return "nothing_left", "together they leave no item at all", ""
    return None


def _pins(one: Pin, two: Pin, *, first: bool) -> Said | None:
    winner = one if first else two
    if one.place == two.place:
        return "same_place", f"both pin an item to place {one.place}", winner.name
    if one.item_id == two.item_id:
        return "same_item", f"both pin the item {one.item_id}", winner.name
    return None


def _limited(compiled: Compiled, a: int, b: int) -> Said | None:
    limit, promote = compiled.rules[a], compiled.rules[b]
    assert isinstance(limit, Limit)  # noqa: S101 - the caller looked
    assert isinstance(promote, Promote)  # noqa: S101 - the caller looked
    groups = compiled.groups[a][compiled.masks[b] & compiled.offered]
    if not len(groups) or (groups < 0).any():
        return None
    most = limit.most * len(np.unique(groups))
    if promote.share * _LIST <= most:
        return None
    why = f"a share of {promote.share:g} is more than {most} of {_LIST} places"
    return "limited", f"{why}, which is all that the limit by {limit.by} leaves it", limit.name


def _shares(compiled: Compiled) -> Iterator[Conflict]:
    """Promotions that together ask for more than there is."""
    earlier: list[Promote] = []
    for rule in compiled.rules:
        if isinstance(rule, Promote):
            beside = [one for one in earlier if meet(one.scope, rule.scope)]
            taken = sum(one.share for one in beside)
            if beside and taken + rule.share > 1 + 1e-9:
                why = f"their shares add up to {taken + rule.share:g} of all places"
                first = beside[-1].name
                yield Conflict(first=first, second=rule.name, code="shares", why=why, wins=first)
            earlier.append(rule)


def _idle(compiled: Compiled) -> Iterator[Conflict]:
    """Rules that mean no item, or a segment without members."""
    for n, rule in enumerate(compiled.rules):
        code, why = _nothing(compiled, n, rule)
        if code:
            yield Conflict(first=rule.name, second=None, code=code, why=why, wins="")


def _nothing(compiled: Compiled, n: int, rule: Rule) -> tuple[str, str]:
    if rule.scope.segment is not None and not compiled.members.get(rule.scope.segment):
        return "no_members", f"nobody is in the segment {rule.scope.segment!r} now"
    if isinstance(rule, Limit):
        told = bool((compiled.groups[n] >= 0).any())
        return ("", "") if told else ("no_value", f"no item tells its {rule.by}")
    if n not in compiled.masks or isinstance(rule, Stock):
        return "", ""
    meant: Bools = compiled.masks[n]
    if isinstance(rule, Hide):
        meant = ~meant
    return ("", "") if meant.any() else ("no_item", "no item of the catalogue is meant")
