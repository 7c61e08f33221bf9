"""Cohorts by the week or month in which customers began, and how many came in each later one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

import narwhals as nw

from shopkeeper.core.operation import Context
from shopkeeper.core.period import Days, Period
from shopkeeper.core.types import CannotSay, EstimateOrCannotSay
from shopkeeper.metrics import calendar
from shopkeeper.metrics.cells import cells
from shopkeeper.metrics.types import Cohort, Cycle, Retention, Start
from shopkeeper.metrics.window import Window, span, window
from shopkeeper.stats import intervals
from shopkeeper.stats.summary import Proportion
from shopkeeper.warehouse.source import Frame, Source

Counts = Mapping[int, Mapping[int, int]]
"""Customers who came, by the number of the bucket they began in and of the one they came in."""

_COUNTED = {"purchase": "lines", "activity": "events"}
_NOT_OVER = CannotSay(
    reason="That time is not over yet.", needed="data to its last day", code="not_over"
)


def retention(
    ctx: Context,
    since: Period,
    cycle: Cycle,
    start: Start,
    k: int = 12,
    raw: bool = False,
) -> Retention:
    """See the operation of this name; ``raw`` answers from events, not from the rollup."""
    seen = window(ctx, since)
    if isinstance(seen, CannotSay):
        return Retention(
            period=None, cycle=cycle, start=start, cohorts=(), pooled=(), cannot_say=seen
        )
    table = ctx.shop.query(lambda source: came(source, seen.data, cycle, start, raw))
    counts: dict[int, dict[int, int]] = defaultdict(dict)
    for row in table.to_pylist():
        counts[int(row["first"])][int(row["bucket"])] = int(row["customers"])
    numbers = [n for n in calendar.between(seen.days, cycle) if counts.get(n)]
    shares = {n: _shares(counts[n], n, seen.data, cycle, k) for n in numbers}
    cohorts = tuple(
        Cohort(
            start=calendar.days(n, cycle).start,
            customers=counts[n][n],
            censored=_censored(n, seen, cycle),
            shares=tuple(_estimate(share) for share in shares[n]),
        )
        for n in numbers
    )
    whole = [shares[n] for n in numbers if not _censored(n, seen, cycle)]
    return Retention(
        period=span(seen.days), cycle=cycle, start=start, cohorts=cohorts, pooled=_pooled(whole, k)
    )


def came(source: Source, data: Days, cycle: Cycle, start: Start, raw: bool = False) -> Frame:
    """How many customers of each first bucket came in each bucket, over all days of data."""
    counted = _COUNTED[start]
    frame = cells(source, data, [counted], None, raw)
    seen = (
        frame.filter(nw.col(counted) > 0, ~nw.col("customer_id").is_null())
        .group_by("customer_id", calendar.bucket(nw.col("day"), cycle).alias("bucket"))
        .agg(nw.len().alias("cells"))
    )
    first = nw.col("bucket").min().over("customer_id")
    return (
        seen.with_columns(first.alias("first"))
        .group_by("first", "bucket")
        .agg(nw.len().alias("customers"))
    )


def _shares(
    came_in: Mapping[int, int], first: int, data: Days, cycle: Cycle, k: int
) -> list[Proportion | None]:
    """The shares of one cohort up to ``k`` buckets later; None for one that is not over."""
    size = came_in[first]
    return [
        Proportion(size, came_in.get(first + distance, 0))
        if distance == 0 or calendar.days(first + distance, cycle).end <= data.end
        else None
        for distance in range(k + 1)
    ]


def _estimate(share: Proportion | None) -> EstimateOrCannotSay:
    return _NOT_OVER if share is None else intervals.proportion(share)


def _pooled(cohorts: list[list[Proportion | None]], k: int) -> tuple[EstimateOrCannotSay, ...]:
    made: list[EstimateOrCannotSay] = []
    for distance in range(k + 1):
        known = [share for shares in cohorts if (share := shares[distance]) is not None]
        made.append(intervals.proportion(sum(known, Proportion())) if known else _NOT_OVER)
    return tuple(made)


def _censored(number: int, seen: Window, cycle: Cycle) -> bool:
    return number == calendar.number(seen.data.start, cycle)
