"""The rules of a shop that hold now, made ready for each order of items that a model has."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import narwhals as nw
import pyarrow as pa
from pydantic import TypeAdapter

from shopkeeper.recommend.history import History
from shopkeeper.recommend.model import Fitted
from shopkeeper.recommend.offer import offerable
from shopkeeper.recommend.rules.grounds import grounds
from shopkeeper.recommend.rules.language import Rule, Rules
from shopkeeper.recommend.rules.plan import Compiled, Members, compile_rules
from shopkeeper.shop.shop import Shop
from shopkeeper.store.revisions import Glance
from shopkeeper.store.rule_sets import PUBLISHED, REVISION, RuleSet, RuleSets

_RULES: TypeAdapter[tuple[Rule, ...]] = TypeAdapter(Rules)


@dataclass(frozen=True)
class Book:
    """Some version of the rules (0: none was ever published) beside the catalogue as it was ``at`` a time."""

    version: int
    rules: Sequence[Rule]
    members: Members
    items: Mapping[str, Mapping[str, Any]]
    history: History
    at: datetime
    revision: int
    _compiled: list[tuple[pa.Array, Compiled]] = field(default_factory=list)

    def compiled(self, item_ids: pa.Array) -> Compiled:
        """The rules against this order of items; made once for each."""
        for known, found in self._compiled:
            if known is item_ids:
                return found
        offered = offerable(item_ids, self.items, self.at)
        there = grounds(item_ids, self.items, self.history, self.at) if self.rules else None
        made = (
            compile_rules(self.rules, there, offered, self.members)
            if there
            else Compiled((), offered, {}, {}, {}, None)
        )
        self._compiled.append((item_ids, made))
        return made

    def names(self, numbers: Sequence[int]) -> tuple[str, ...]:
        """What these rules are called."""
        return tuple(self.rules[n].name for n in numbers)


_DERIVED: Final = "rules"
_lock = threading.Lock()


def published(shop: Shop, fitted: Fitted, seen: Glance | None = None) -> Book:
    """The rules that hold; read again when they change, compiled again when the catalogue does."""
    revision = (seen or shop.state.glance()).of(REVISION)
    known: Book | None = fitted.derived.get(_DERIVED)
    if known is not None and known.revision == revision:
        return known
    with _lock:
        known = fitted.derived.get(_DERIVED)
        if known is None or known.revision != revision:
            known = book(shop, fitted, RuleSets(shop.database).of(PUBLISHED), revision)
            fitted.derived[_DERIVED] = known
        return known


def book(shop: Shop, fitted: Fitted, rules: RuleSet | None, revision: int = 0) -> Book:
    """One version of the rules, ready to be asked."""
    told = read(rules)
    number = rules.version if rules else 0
    named = members(shop, told)
    return Book(number, told, named, fitted.items, fitted.history, fitted.at, revision)


def read(rules: RuleSet | None) -> tuple[Rule, ...]:
    """The rules of a version, typed."""
    return _RULES.validate_python(tuple(rules.rules)) if rules else ()


def members(shop: Shop, rules: Sequence[Rule]) -> Members:
    """Who is now in each segment that some rule names."""
    names = sorted({rule.scope.segment for rule in rules if rule.scope.segment is not None})
    if not names:
        return {}
    rows = shop.query(
        lambda source: (
            source.memberships()
            .filter(nw.col("segment").is_in(names), nw.col("valid_to").is_null())
            .select("customer_id", "segment")
        )
    ).to_pylist()
    return {
        name: frozenset(row["customer_id"] for row in rows if row["segment"] == name)
        for name in names
    }
