"""The frame of all traits: one row a customer, one column a trait."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import UTC, date, tzinfo
from functools import cache, lru_cache
from types import ModuleType
from typing import Any, cast

import narwhals as nw

from shopkeeper.core import discovery
from shopkeeper.customers.traits.catalogue import WHOLE, catalogue
from shopkeeper.customers.traits.scene import Scene, Tally, aggregated, goods, joined, side_by_side
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
    tallies = [one for family in asked for one in _expressions(family, "tallies", scene)]
    tallies += [one for one in more if one.days is None]
    passed = _passed(scene, tallies, None)
    # What looks back a while alone is counted in a pass over those days: fewer partitions are read.
    recent = [one for one in more if one.days is not None]
    if recent:
        beside = [_passed(scene, recent, max(one.days or 0 for one in recent)), *beside]
    people = scene.theirs(scene.source.customers().select("customer_id")).unique()
    frames = [*_frames(scene, asked), *beside]
    if scene.given is not None and len(scene.about) == 1:
        everyone = nw.concat([passed.select("customer_id"), people]).unique()
        whole = side_by_side([everyone, passed, *frames])
    else:
        whole = joined([_with(passed, people), *frames])
    for family in asked:
        if steps := _expressions(family, "steps", scene):
            whole = whole.with_columns(**steps)
        whole = whole.with_columns(**_expressions(family, "columns", scene))
    kept = [one.name for one in more if one.days is None]
    found = [
        name for frame in beside for name in frame.collect_schema().names() if name != "customer_id"
    ]
    shown = [name for family in asked for name in _expressions(family, "columns", scene)]
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
    return aggregated(scene.clocked(events), tallies)


def _with(passed: Frame, people: Frame) -> Frame:
    """Who did something, and whom somebody told of: not a union of ids, which would make the pass twice."""
    both = passed.join(people, on="customer_id", how="full", suffix="_told")
    told = nw.coalesce(nw.col("customer_id"), nw.col("customer_id_told"))
    return both.with_columns(customer_id=told).drop("customer_id_told")


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


def _frames(scene: Scene, asked: Sequence[ModuleType]) -> list[Frame]:
    found: list[Frame] = []
    for family in asked:
        ask: Callable[[Scene], list[Frame]] | None = getattr(family, "frames", None)
        found += ask(scene) if ask else []
    return found


def _expressions(family: ModuleType, what: str, scene: Scene) -> Any:
    """A family's tallies, steps or columns: they ask for the day and the clock alone, so they are kept."""
    return _made(family, what, scene.as_of, scene.zone, bool(scene.about))


@lru_cache(maxsize=128)
def _made(family: ModuleType, what: str, as_of: date, zone: tzinfo, about: bool) -> Any:
    ask: Callable[[Scene], Any] | None = getattr(family, what, None)
    if ask is None:
        return ()
    # They read nothing: for a single customer it counts that it is one, not which.
    found = ask(Scene(cast("Source", None), as_of, zone, about=("",) if about else ()))
    return _typed(found) if what == "columns" else found
