"""Conditions as columns: all definitions together become one frame, then a yes or no per customer.

The engine computes what each condition needs to know (a count, a value, a date) in the pass that the
traits share, so that twenty segments cost about as much as one. Whether a condition then holds is
decided here, on the rows that came back: the same code for a million customers and for one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import reduce
from typing import Any as Anything

import narwhals as nw
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from shopkeeper.customers.segmenting.definition import (
    ITEM_FIELDS,
    All,
    Any,
    Bucket,
    Definition,
    Did,
    Everyone,
    Filter,
    Leaf,
    Not,
    OnList,
    Said,
    Score,
    Sequence,
    Step,
    Told,
    Trait,
    leaves,
)
from shopkeeper.customers.traits.catalogue import trait
from shopkeeper.customers.traits.families.opinions import ASPECTS, SENTIMENT, THEME, said
from shopkeeper.customers.traits.frame import with_tallies
from shopkeeper.customers.traits.scene import Scene, Tally, counted, goods
from shopkeeper.warehouse.source import Frame

Lists = Mapping[str, Iterable[str]]
Bools = np.ndarray[Anything, np.dtype[np.bool_]]

_COMPARE: dict[str, Callable[..., Anything]] = {
    "=": pc.equal,
    "!=": pc.not_equal,
    "<": pc.less,
    "<=": pc.less_equal,
    ">": pc.greater,
    ">=": pc.greater_equal,
}
_COUNT = {"at least": ">=", "at most": "<=", "exactly": "="}
_PATH = " > "
_HUNDRED = 100.0
_LOCAL = (Bucket, Everyone)
_DOUBTED = ("bot", "test")
"""Accounts that no segment by rules holds."""


@dataclass(frozen=True)
class Plan:
    """What these definitions ask, each condition once; ``columns`` are theirs in the frame."""

    definitions: Mapping[str, Definition]
    lists: Lists
    columns: Mapping[Leaf, str]

    @classmethod
    def of(cls, definitions: Mapping[str, Definition], lists: Lists) -> Plan:
        """Of definitions in which other segments are resolved already."""
        found = dict.fromkeys(leaf for d in definitions.values() for leaf in leaves(d))
        columns: dict[Leaf, str] = {}
        for number, leaf in enumerate(found):
            columns[leaf] = leaf.name if isinstance(leaf, Trait) else f"leaf_{number}"
        return cls(definitions, lists, columns)

    @property
    def traits(self) -> set[str]:
        """The traits that are asked for."""
        return {leaf.name for leaf in self.columns if isinstance(leaf, Trait)}

    def frame(self, scene: Scene, *, every_trait: bool = False, also: Iterable[str] = ()) -> Frame:
        """One row a customer: the traits and, under its column, what each condition needs to know.

        The traits are those of the families that are asked for, ``also`` for these; or all.
        """
        asked = {leaf: name for leaf, name in self.columns.items() if not isinstance(leaf, Trait)}
        flags: dict[str, nw.Expr] = {}
        tallies = [
            _tally(leaf, name, scene, flags)
            for leaf, name in asked.items()
            if isinstance(leaf, Did)
        ]
        flagged = replace(scene, goods_flags={**scene.goods_flags, **flags})
        beside = [
            self._beside(leaf, name, scene)
            for leaf, name in asked.items()
            if not isinstance(leaf, (Did, *_LOCAL))
        ]
        wanted = None if every_trait else self.traits | set(also)
        return with_tallies(flagged, tallies, beside, wanted)

    def members(self, table: pa.Table) -> dict[str, Bools]:
        """By segment, which rows of the collected frame are in; bots and test accounts never are."""
        known: dict[Leaf, Bools] = {leaf: self._holds(leaf, table) for leaf in self.columns}
        real = ~_bools(pc.is_in(table["doubt"], pa.array(_DOUBTED)))
        return {
            name: _decided(definition, known) & real
            for name, definition in self.definitions.items()
        }

    def leaf(self, leaf: Leaf, table: pa.Table) -> Bools:
        """For which rows one condition holds."""
        return self._holds(leaf, table)

    def _holds(self, leaf: Leaf, table: pa.Table) -> Bools:
        if isinstance(leaf, Everyone):
            return np.ones(table.num_rows, dtype=bool)
        if isinstance(leaf, Bucket):
            places = bucket(leaf.salt, table["customer_id"].to_pylist())
            return (places >= leaf.start) & (places < leaf.end)
        return _bools(_compared(leaf, table[self.columns[leaf]]))

    def _beside(self, leaf: Leaf, name: str, scene: Scene) -> Frame:
        match leaf:
            case Sequence():
                return _sequence(leaf, name, scene)
            case Said():
                return _said(leaf, name, scene)
            case Told():
                return _told(leaf, name, scene)
            case Score():
                return _score(leaf, name, scene)
            case OnList():
                ids = pa.array(sorted(self.lists[leaf.name]), pa.string())
                ones = pa.array(np.ones(len(ids), dtype=np.int64))
                return scene.theirs(scene.source.arrow(pa.table({"customer_id": ids, name: ones})))
        raise TypeError(type(leaf).__name__)


def bucket(salt: str, customers: Iterable[str]) -> np.ndarray[Anything, np.dtype[np.float64]]:
    """The place of each customer between 0 and 100, by a hash that any machine repeats."""
    start = hashlib.sha256(f"{salt}\x1f".encode())
    places = []
    for one in customers:
        of = start.copy()
        of.update(one.encode())
        places.append(int.from_bytes(of.digest()[:8], "big"))
    return np.array(places, dtype=np.uint64).astype(np.float64) / 2.0**64 * _HUNDRED


def _decided(definition: Definition, known: Mapping[Leaf, Bools]) -> Bools:
    if isinstance(definition, Not):
        return ~_decided(definition.of, known)
    if isinstance(definition, All):
        return reduce(np.logical_and, (_decided(part, known) for part in definition.of))
    if isinstance(definition, Any):
        return reduce(np.logical_or, (_decided(part, known) for part in definition.of))
    return known[definition]


def _compared(leaf: Leaf, column: pa.ChunkedArray) -> Anything:
    if isinstance(leaf, Did):
        return _COMPARE[_COUNT[leaf.count]](pc.fill_null(column, 0), leaf.times)
    if isinstance(leaf, Said):
        return pc.greater_equal(column, leaf.times)
    if isinstance(leaf, Score):
        return _COMPARE[leaf.op](column, leaf.value)
    if isinstance(leaf, Told):
        return pc.is_valid(column) if leaf.op == "known" else _COMPARE[leaf.op](column, leaf.value)
    if isinstance(leaf, Trait):
        return _trait(leaf, column)
    return pc.is_valid(column)  # a sequence that happened, a list that they are on


def _trait(leaf: Trait, column: pa.ChunkedArray) -> Anything:
    if leaf.op == "known":
        return pc.is_valid(column)
    if leaf.name == "favourite_category":
        hit = reduce(pc.or_, (_in_path(column, str(value)) for value in leaf.values))
        return pc.and_(pc.is_valid(column), pc.invert(hit)) if leaf.op == "!=" else hit
    values: list[Anything] = list(leaf.values)
    if trait(leaf.name).kind == "date":
        values = [date.fromisoformat(str(value)) for value in values]
    if leaf.op == "in":
        return reduce(pc.or_, (pc.equal(column, value) for value in values))
    return _COMPARE[leaf.op](column, values[0])


def _in_path(column: pa.ChunkedArray, value: str) -> Anything:
    wrapped = pc.binary_join_element_wise(_PATH, column, _PATH, "")
    return pc.match_substring(wrapped, f"{_PATH}{value}{_PATH}")


def _bools(column: Anything) -> Bools:
    told = pc.fill_null(column, False)
    whole = told.combine_chunks() if isinstance(told, pa.ChunkedArray) else told
    values: Bools = whole.to_numpy(zero_copy_only=False).astype(bool)
    return values


def _tally(leaf: Did, name: str, scene: Scene, flags: dict[str, nw.Expr]) -> Tally:
    """A count of the events that the condition asks for."""
    when = _matches(leaf.step, name, flags)
    if leaf.within is not None:
        when = when & scene.within(leaf.within)
    of_goods = any(f.field in ITEM_FIELDS for f in leaf.step.where)
    return counted(name, when, goods=of_goods, days=leaf.within)


def _matches(step: Step, name: str, flags: dict[str, nw.Expr]) -> nw.Expr:
    """Whether an event is such; what is asked of its item becomes a flag of items, joined on."""
    when = nw.col("name") == step.event
    for number, one in enumerate(step.where):
        if one.field == "item":
            when = when & _compare(nw.col("item_id"), one)
        elif one.field in ITEM_FIELDS:
            flag = f"{name}_{number}"
            flags[flag] = _of_item(one)
            when = when & nw.coalesce(nw.col(flag), nw.lit(False))
        else:
            when = when & _compare(nw.col(one.field), one)
    return when


def _of_item(one: Filter) -> nw.Expr:
    value = str(one.value)
    if one.field == "brand":
        return _compare(nw.col("brand"), one)
    wrapped = nw.concat_str(nw.lit(_PATH), nw.col("category"), nw.lit(_PATH))
    hit = wrapped.str.contains(f"{_PATH}{value}{_PATH}", literal=True)
    return ~hit if one.op == "!=" else hit


def _compare(column: nw.Expr, one: Filter) -> nw.Expr:
    operations: dict[str, Callable[[], nw.Expr]] = {
        "=": lambda: column == one.value,
        "!=": lambda: column != one.value,
        "<": lambda: column < one.value,
        "<=": lambda: column <= one.value,
        ">": lambda: column > one.value,
        ">=": lambda: column >= one.value,
    }
    return operations[one.op]()


def _sequence(leaf: Sequence, name: str, scene: Scene) -> Frame:
    """Customers who did the steps in order, each strictly after the one before it.

    Events of one instant are made one row first, and a step looks only at earlier rows: the answer does
    not depend on the order in which an engine takes equal times.
    """
    flags: dict[str, nw.Expr] = {}
    steps = [_matches(s, f"{name}_s{i}", flags) for i, s in enumerate(leaf.steps)]
    events = scene.events(leaf.during + leaf.within * (len(leaf.steps) - 1) + 1)
    events = events.filter(nw.col("name").is_in(sorted({s.event for s in leaf.steps})))
    if flags:
        items = goods(replace(scene, goods_flags=flags)).select("item_id", *flags)
        events = events.join(items, on="item_id", how="left")
    hits = {
        f"hit_{i}": nw.when(when).then(nw.lit(1)).otherwise(nw.lit(0))
        for i, when in enumerate(steps)
    }
    rows = events.select("customer_id", "day", "time_ms", **hits)
    rows = rows.group_by("customer_id", "day", "time_ms").agg(*(nw.col(hit).max() for hit in hits))
    rows = rows.with_columns(done=nw.when(nw.col("hit_0") == 1).then(nw.col("time_ms")))
    # Of one customer alone there is nothing to part the rows by, and not every engine could.
    by = () if len(scene.about) == 1 else ("customer_id",)
    for number in range(1, len(steps)):
        rows = rows.with_columns(last=nw.col("done").cum_max().over(*by, order_by="time_ms"))
        rows = rows.with_columns(before=nw.col("last").shift(1).over(*by, order_by="time_ms"))
        near = nw.col("time_ms") - nw.col("before") <= leaf.within * 86_400_000
        both = (nw.col(f"hit_{number}") == 1) & near
        rows = rows.with_columns(done=nw.when(both).then(nw.col("time_ms")))
    ended = rows.filter(~nw.col("done").is_null(), scene.within(leaf.during))
    return ended.group_by("customer_id").agg(nw.len().alias(name))


def _said(leaf: Said, name: str, scene: Scene) -> Frame:
    found = said(scene)
    if leaf.within is not None:
        found = found.filter(scene.within(leaf.within))
    if leaf.theme is not None:
        found = found.filter(nw.col("task") == THEME, nw.col("label") == leaf.theme)
    elif leaf.aspect is not None:
        found = found.filter(nw.col("task") == ASPECTS, nw.col("label") == leaf.aspect)
        value = nw.col("value")
        moods = {"negative": value < 0, "positive": value > 0, "neutral": value == 0}
        found = found.filter(moods[leaf.mood]) if leaf.mood else found
    else:
        found = found.filter(nw.col("task") == SENTIMENT, nw.col("label") == leaf.mood)
    texts = found.select("customer_id", "text_id").unique()
    return texts.group_by("customer_id").agg(nw.len().alias(name))


def _told(leaf: Told, name: str, scene: Scene) -> Frame:
    """The value told last; of two told at one time, the later by letter."""
    told = scene.resolved(scene.source.traits().select("customer_id", "name", "value", "time"))
    told = told.filter(nw.col("name") == leaf.name)
    newest = told.group_by("customer_id").agg(nw.col("time").max().alias("newest"))
    told = told.join(newest, on="customer_id", how="inner").filter(
        nw.col("time") == nw.col("newest")
    )
    return told.group_by("customer_id").agg(nw.col("value").max().alias(name))


def _score(leaf: Score, name: str, scene: Scene) -> Frame:
    scores = scene.theirs(scene.source.scores()).filter(
        nw.col("prediction") == leaf.name, nw.col("valid_to").is_null()
    )
    return scores.group_by("customer_id").agg(nw.col("value").max().alias(name))
