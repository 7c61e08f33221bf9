"""What customers do before or after an event within one visit: the commonest ways, and each step of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Final

import narwhals as nw

from shopkeeper.core import events
from shopkeeper.core.operation import Context
from shopkeeper.core.period import Days, Period
from shopkeeper.core.types import CannotSay
from shopkeeper.metrics.robots import robots
from shopkeeper.metrics.types import Direction, Edge, Paths, Way
from shopkeeper.metrics.window import span, window
from shopkeeper.stats import intervals
from shopkeeper.stats.summary import Proportion
from shopkeeper.warehouse.source import Frame, Source

ENTRY: Final = "(entry)"
EXIT: Final = "(exit)"
OTHER: Final = "(other)"
"""Where a visit begins, where it ends, and the events that are too rare to have a name of their own."""

PAUSE_MS: Final = 30 * 60 * 1000
"""A visit ends with half an hour without an event, or where the sender says that another begins."""

_NO_STEPS: Final = sorted(
    {events.IDENTIFY, events.GROUP, events.ALIAS, events.IMPRESSION, *events.PASSIVE}
)
"""What a system notes, not what a customer does."""

_NAMES: Final = 24
_ORDER: Final = ["time_ms", "event_id"]
_VISIT: Final = ["customer_id", "visit"]


def paths(
    ctx: Context, since: Period, around: str, direction: Direction, depth: int, k: int
) -> Paths:
    """See the operation of this name."""
    named = events.canonical(around)
    seen = window(ctx, since)
    if isinstance(seen, CannotSay):
        return _empty(named, direction, depth, seen)
    days = seen.days
    known = ctx.shop.query(lambda source: _names(source, days)).to_pylist()
    if named not in {row["name"] for row in known}:
        why = CannotSay(
            reason=f"Nobody known did {named!r} between {days.start} and {days.end}.",
            needed=f"events {named!r}, or another event: {', '.join(r['name'] for r in known[:5])}",
            code="nobody_did",
            values={"start": str(days.start), "end": str(days.end)},
        )
        return _empty(named, direction, depth, why)
    kept = names_of(known, named)
    rows = ctx.shop.query(
        lambda source: _counted(visits(source, days, named, direction, depth, kept), depth)
    ).to_pylist()
    left_out = ctx.shop.query(lambda source: robots(source.events(days))).num_rows
    total = sum(int(row["sessions"]) for row in rows)
    buyers = ctx.shop.query(lambda source: _people(source, days, named)).to_pylist()
    return Paths(
        period=span(days),
        around=named,
        direction=direction,
        depth=depth,
        sessions=total,
        customers=int(buyers[0]["customers"]),
        robots=left_out,
        ways=_ways(rows, total, direction, depth, k),
        edges=_edges(rows, total, named, direction, depth),
    )


def _empty(around: str, direction: Direction, depth: int, why: CannotSay) -> Paths:
    return Paths(
        period=None, around=around, direction=direction, depth=depth, sessions=0, customers=0,
        robots=0, ways=(), edges=(), cannot_say=why,
    )  # fmt: skip


def _walked(source: Source, days: Days) -> Frame:
    """What known customers did."""
    rows = source.events(days).filter(~nw.col("customer_id").is_null())
    return rows.filter(~nw.col("name").is_in(_NO_STEPS))


def _names(source: Source, days: Days) -> Frame:
    counted = _walked(source, days)
    counted = counted.group_by("name").agg(nw.len().alias("events"))
    return counted.sort("events", "name", descending=[True, False])


def names_of(known: Sequence[dict[str, Any]], around: str) -> list[str]:
    """The commonest names, ``around`` among them."""
    names = [row["name"] for row in known if row["name"] != around]
    return sorted([around, *names[: _NAMES - 1]])


def kept_names(ctx: Context, days: Days, around: str) -> list[str]:
    """The names that ways over these days are told with."""
    return names_of(ctx.shop.query(lambda source: _names(source, days)).to_pylist(), around)


def visits(
    source: Source, days: Days, around: str, direction: Direction, depth: int, kept: Sequence[str]
) -> Frame:
    """One row a visit with the event: customer_id, ``step_1`` next to its first time, ``step_2`` and so on.

    A run of the same event is one step. A place beyond the visit's start or end is ``ENTRY`` or ``EXIT``, and
    null further on.
    """
    rows = _walked(source, days)
    mine = rows.filter(nw.col("name") == around).select("customer_id").unique()
    mine = mine.join(robots(rows), on="customer_id", how="anti")
    rows = rows.select("customer_id", "name", "session_id", *_ORDER)
    rows = rows.join(mine, on="customer_id", how="semi")
    name = nw.when(nw.col("name").is_in(list(kept))).then(nw.col("name")).otherwise(nw.lit(OTHER))
    rows = _steps(_visited(rows.with_columns(name=name)))
    first = nw.when(nw.col("name") == around).then(nw.col("place")).min().over(*_VISIT)
    sign = -1 if direction == "before" else 1
    rows = rows.with_columns(first=first).filter(~nw.col("first").is_null())
    rows = rows.with_columns(away=(nw.col("place") - nw.col("first")) * sign)
    rows = rows.filter(nw.col("away") >= 0, nw.col("away") <= depth)
    taken = rows.group_by(*_VISIT).agg(
        *(
            nw.when(nw.col("away") == place).then(nw.col("name")).max().alias(step(place))
            for place in range(1, depth + 1)
        )
    )
    return _bounded(taken, direction, depth)


def _visited(rows: Frame) -> Frame:
    """Events with the number of the customer's visit."""
    before = {
        "before_ms": nw.col("time_ms").shift(1).over("customer_id", order_by=_ORDER),
        "before_session": nw.col("session_id").shift(1).over("customer_id", order_by=_ORDER),
    }
    rows = rows.with_columns(**before)
    paused = nw.col("before_ms").is_null() | (nw.col("time_ms") - nw.col("before_ms") > PAUSE_MS)
    session, earlier = nw.col("session_id"), nw.col("before_session")
    other = ~session.is_null() & ~earlier.is_null() & (session != earlier)
    begins = nw.when(paused | other).then(nw.lit(1)).otherwise(nw.lit(0))
    rows = rows.with_columns(begins=begins)
    return rows.with_columns(visit=nw.col("begins").cum_sum().over("customer_id", order_by=_ORDER))


def _steps(rows: Frame) -> Frame:
    """Runs of the same event as one row, with their place in the visit."""
    before = nw.col("name").shift(1).over(*_VISIT, order_by=_ORDER)
    rows = rows.with_columns(before=before)
    rows = rows.filter(nw.col("before").is_null() | (nw.col("before") != nw.col("name")))
    rows = rows.with_columns(one=nw.lit(1))
    return rows.with_columns(place=nw.col("one").cum_sum().over(*_VISIT, order_by=_ORDER))


def _bounded(taken: Frame, direction: Direction, depth: int) -> Frame:
    edge = nw.lit(ENTRY if direction == "before" else EXIT)
    made = {}
    for place in range(1, depth + 1):
        here = nw.col(step(place))
        ends = here.is_null() if place == 1 else here.is_null() & ~nw.col(step(place - 1)).is_null()
        made[step(place)] = nw.when(ends).then(edge).otherwise(here)
    return taken.with_columns(**made)


def step(place: int) -> str:
    """The column of the step so many places from the event."""
    return f"step_{place}"


def _counted(frame: Frame, depth: int) -> Frame:
    columns = [step(place) for place in range(1, depth + 1)]
    return frame.group_by(*columns).agg(
        nw.len().alias("sessions"), nw.col("customer_id").n_unique().alias("customers")
    )


def _people(source: Source, days: Days, around: str) -> Frame:
    rows = _walked(source, days)
    mine = rows.filter(nw.col("name") == around).select("customer_id").unique()
    mine = mine.join(robots(rows), on="customer_id", how="anti")
    return mine.select(nw.len().alias("customers"))


def _taken(row: dict[str, Any], depth: int) -> list[str]:
    """The steps of a row, from the event outwards."""
    return [row[step(p)] for p in range(1, depth + 1) if row[step(p)] is not None]


def _ways(
    rows: Sequence[dict[str, Any]], total: int, direction: Direction, depth: int, k: int
) -> tuple[Way, ...]:
    order = sorted(rows, key=lambda row: (-row["sessions"], _taken(row, depth)))
    return tuple(
        Way(
            steps=tuple(_taken(row, depth)[:: -1 if direction == "before" else 1]),
            sessions=int(row["sessions"]),
            customers=int(row["customers"]),
            share=intervals.proportion(Proportion(total, int(row["sessions"]))),
        )
        for row in order[:k]
    )


def _edges(
    rows: Sequence[dict[str, Any]], total: int, around: str, direction: Direction, depth: int
) -> tuple[Edge, ...]:
    counts: Counter[tuple[int, str, str]] = Counter()
    for row in rows:
        taken = [around, *_taken(row, depth)]
        for place, (near, far) in enumerate(pairwise(taken), 1):
            key = (-place, far, near) if direction == "before" else (place - 1, near, far)
            counts[key] += int(row["sessions"])
    order = sorted(counts.items(), key=lambda one: (one[0][0], -one[1], one[0]))
    return tuple(
        Edge(at=at, source=source, target=target, sessions=n, share=n / total)
        for (at, source, target), n in order
    )
