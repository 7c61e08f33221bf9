"""The frame of all traits: one row a customer, one column a trait."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import UTC, date, tzinfo
from functools import cache
from types import ModuleType
from typing import Any, cast

import narwhals as nw

from shopkeeper.core import discovery
from shopkeeper.customers.traits.catalogue import WHOLE, catalogue
from shopkeeper.customers.traits.scene import Scene, Tally, aggregated, goods, joined
from shopkeeper.warehouse.source import Frame, Source

_FAMILIES = "shopkeeper.customers.traits.families"
_LAST = "person"  # its traits ask for those of the others


@cache
def families() -> tuple[ModuleType, ...]:
    """Every family, by name; that of the person last."""
    names = sorted(discovery.names(_FAMILIES), key=lambda name: (name == _LAST, name))
    return tuple(discovery.load(_FAMILIES, name, what="family of traits") for name in names)


def traits(source: Source, as_of: date, zone: tzinfo = UTC) -> Frame:
    """One row per customer who was ever seen or told of: customer_id and every trait."""
    return with_tallies(Scene(source, as_of, zone), ())


def with_tallies(
    scene: Scene,
    more: Sequence[Tally],
    beside: Sequence[Frame] = (),
    wanted: Collection[str] | None = None,
) -> Frame:
    """The traits, and beside them these further tallies of the same pass and columns of these frames.

    ``wanted`` are the traits asked for; families of which none is are left out. None: all.
    """
    asked = _wanted(wanted)
    tallies = [*_asked("tallies", scene, asked), *(one for one in more if one.days is None)]
    passed = _passed(scene, tallies, None)
    # What looks back a while alone is counted in a pass over those days: fewer partitions are read.
    recent = [one for one in more if one.days is not None]
    if recent:
        beside = [_passed(scene, recent, max(one.days or 0 for one in recent)), *beside]
    people = scene.theirs(scene.source.customers().select("customer_id"))
    everyone = nw.concat([passed.select("customer_id"), people]).unique()
    whole = joined([everyone, passed, *_asked("frames", scene, asked), *beside])
    for family in asked:
        whole = whole.with_columns(**_typed(family.columns(scene)))
    kept = [one.name for one in more if one.days is None]
    found = [
        name for frame in beside for name in frame.collect_schema().names() if name != "customer_id"
    ]
    shown = [name for family in asked for name in family.columns(scene)]
    return whole.select("customer_id", *shown, *kept, *found)


def family_of(name: str) -> str:
    """The family that a trait belongs to."""
    owners = {one: f.__name__ for f in families() for one in f.columns(_nowhere())}
    return owners[name].rpartition(".")[2]


@cache
def names() -> tuple[str, ...]:
    """Every trait, in the order in which they are shown."""
    from_families = (tuple(family.columns(_nowhere())) for family in families())
    return tuple(name for some in from_families for name in some)


def _passed(scene: Scene, tallies: Sequence[Tally], days: int | None) -> Frame:
    """These tallies in one pass over the events of the last ``days`` local days, or of all."""
    events = scene.events(days)
    if any(one.goods for one in tallies):
        columns = (
            "customer_id", "item_id", "name", "acts", "day", "time_ms", "value", "channel",
        )  # fmt: skip
        flags = goods(scene).select("item_id", *scene.goods_flags)
        events = events.select(*columns).join(flags, on="item_id", how="left")
    return aggregated(events, tallies)


def _typed(columns: dict[str, nw.Expr]) -> dict[str, nw.Expr]:
    """Whole numbers as such: engines give sums of them other types."""
    known = catalogue()
    return {
        name: one.cast(nw.Int64) if known[name].kind in WHOLE else one
        for name, one in columns.items()
    }


def _nowhere() -> Scene:
    return Scene(cast("Source", None), date(2000, 1, 1))  # columns read nothing


def _wanted(wanted: Collection[str] | None) -> Sequence[ModuleType]:
    """The families of these traits, and those that every customer is judged by: is it one at all?"""
    if wanted is None:
        return families()
    return [
        family
        for family in families()
        if not getattr(family, "OPTIONAL", False)
        or not set(family.columns(_nowhere())).isdisjoint(wanted)
    ]


def _asked(what: str, scene: Scene, asked: Sequence[ModuleType]) -> list[Any]:
    found: list[Any] = []
    for family in asked:
        ask: Callable[[Scene], list[Any]] | None = getattr(family, what, None)
        found += ask(scene) if ask else []
    return found
