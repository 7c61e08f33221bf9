"""When a customer is there, how often, at what hours and through what channel."""

from __future__ import annotations

import narwhals as nw

from shopkeeper.core.events import ADD_TO_CART, SEARCH, VIEW_ITEM
from shopkeeper.customers.ordinal import ordinal
from shopkeeper.customers.traits.scene import DAY_MS, Scene, Tally, counted, favourite, ratio
from shopkeeper.warehouse.source import Frame

_HOURS = 3
_SLOTS = tuple(f"slot_{start:02d}" for start in range(0, 24, _HOURS))
_SLOT_MS = _HOURS * 3_600_000
_RECENT = 90
_WEEKEND = 5  # Saturday, counted from Monday as 0


def tallies(scene: Scene) -> list[Tally]:
    """Counts of events by kind and by hour, first and last day."""
    name, acts = nw.col("name"), nw.col("acts")
    seen, in_day = nw.when(acts).then(nw.col("day")), nw.col("in_day")
    slot = nw.when(acts).then(in_day - in_day % _SLOT_MS)
    return [
        Tally("first_seen", "min", seen),
        Tally("last_seen", "max", seen),
        counted("events", acts),
        counted("events_30", acts & scene.within(30)),
        counted("views", name == VIEW_ITEM),
        counted("carts", name == ADD_TO_CART),
        counted("searches", name == SEARCH),
        counted("weekend", acts & (nw.col("in_week") >= _WEEKEND * DAY_MS)),
        *(counted(one, slot == index * _SLOT_MS) for index, one in enumerate(_SLOTS)),
    ]


def frames(scene: Scene) -> list[Frame]:
    """Active days, visits and the favourite channel of the last 90 days."""
    recent = scene.events(_RECENT).filter(nw.col("acts"))
    visits = recent.select("customer_id", "day", "session_id").unique()
    by_day = visits.group_by("customer_id", "day").agg(sessions=nw.col("session_id").count())
    active = by_day.group_by("customer_id").agg(
        active_days_90=nw.len(), visits_90=nw.col("sessions").sum()
    )
    points = recent.select("customer_id", "channel", points=nw.lit(1))
    return [active, favourite(points, "channel", "points", "favourite_channel")]


def steps(scene: Scene) -> dict[str, nw.Expr]:  # noqa: ARG001 - as every family
    """The greatest count of the hours."""
    return {"slot_most": nw.max_horizontal(*_SLOTS)}


def columns(scene: Scene) -> dict[str, nw.Expr]:
    """The traits."""
    today = nw.lit(scene.as_of.toordinal())
    span = ordinal(nw.col("last_seen")) - ordinal(nw.col("first_seen")) + 1
    most = nw.col("slot_most")
    # Side by side, not one inside the other, which takes ten times as long to build.
    hour = nw.coalesce(*(nw.when(nw.col(one) == most).then(nw.lit(_named(one))) for one in _SLOTS))
    count = {one: nw.coalesce(nw.col(one), nw.lit(0)) for one in ("active_days_90", "visits_90")}
    return {
        "first_seen": nw.col("first_seen"),
        "last_seen": nw.col("last_seen"),
        "tenure_days": today - ordinal(nw.col("first_seen")),
        "days_since_seen": today - ordinal(nw.col("last_seen")),
        "events": nw.coalesce(nw.col("events"), nw.lit(0)),
        "events_30": nw.coalesce(nw.col("events_30"), nw.lit(0)),
        "views": nw.coalesce(nw.col("views"), nw.lit(0)),
        "carts": nw.coalesce(nw.col("carts"), nw.lit(0)),
        "searches": nw.coalesce(nw.col("searches"), nw.lit(0)),
        **count,
        "weekend_share": ratio(nw.col("weekend"), nw.col("events")),
        "events_a_day": ratio(nw.col("events"), span),
        "active_hours": hour,
        "favourite_channel": nw.col("favourite_channel"),
    }


def _named(slot: str) -> str:
    start = int(slot.rpartition("_")[2])
    return f"{start:02d}-{start + _HOURS:02d}"
