"""One metric by the groups of a dimension: the largest ones, and the rest."""

from __future__ import annotations

from dataclasses import dataclass, replace

from shopkeeper.core.operation import Context
from shopkeeper.core.period import Days, Period
from shopkeeper.core.types import CannotSay
from shopkeeper.metrics.definitions import Metric, metric
from shopkeeper.metrics.dimensions import GROUP, REST, dimension, suited
from shopkeeper.metrics.figures import figure
from shopkeeper.metrics.totals import Row, build, totals
from shopkeeper.metrics.types import Breakdown, Group
from shopkeeper.metrics.units import Question
from shopkeeper.metrics.window import span, window
from shopkeeper.warehouse.source import Frame, Source

GroupKey = tuple[str | None, bool]
"""A group's name and whether it is the rest; a name of None: not known."""


@dataclass(frozen=True)
class Largest:
    """The groups that stay themselves, the totals of each, and whether there are more groups."""

    kept: tuple[str | None, ...]
    more: bool
    rows: tuple[Row, ...]

    @property
    def keys(self) -> tuple[GroupKey, ...]:
        kept = tuple((name, False) for name in self.kept)
        return (*kept, (None, True)) if self.more else kept


def largest(ctx: Context, asked: Question, k: int) -> Largest:
    """The ``k`` largest groups by the question's first metric: one small answer however many there are."""
    chosen = asked.metrics[0]
    column = f"{chosen.name}_{'x' if chosen.over else 'y'}"

    def top(source: Source) -> Frame:
        frame = build(source, asked)
        ordered = frame.sort(column, GROUP, descending=[True, False], nulls_last=True)
        return ordered.head(k + 1)

    rows = ctx.shop.query(top).to_pylist()
    kept = tuple(row[GROUP] for row in rows[:k])
    return Largest(kept, len(rows) > k, tuple(rows[:k]))


def breakdown(
    ctx: Context, name: str, by: str, since: Period, k: int = 10, raw: bool = False
) -> Breakdown:
    """See the operation of this name; ``raw`` answers from events, not from the rollup."""
    chosen, where = metric(name), dimension(by)
    suited(chosen, where)
    seen = window(ctx, since)
    overlap = where.level != "customer" and not _disjoint(chosen)
    if isinstance(seen, CannotSay):
        return Breakdown(
            period=None, before=None, currency=ctx.shop.settings.currency, metric=name, by=by,
            overlap=overlap, groups=(), all=None, cannot_say=seen,
        )  # fmt: skip
    before = seen.before
    earlier = before if isinstance(before, Days) else None
    asked = Question((chosen,), seen.days, seen.data, earlier, by=where, raw=raw)
    found = largest(ctx, asked, k)
    answer = totals(ctx, replace(asked, kept=found.kept)) if found.more else found.rows
    rows = {(row[GROUP], bool(row[REST])): row for row in answer}
    whole = totals(ctx, replace(asked, by=None))[0]
    groups = tuple(
        Group(
            group=group,
            rest=rest,
            figure=figure(rows.get((group, rest)), chosen, seen.days, before),
        )
        for group, rest in found.keys
    )
    return Breakdown(
        period=span(seen.days),
        before=span(earlier) if earlier else None,
        currency=ctx.shop.settings.currency,
        metric=name,
        by=by,
        overlap=overlap,
        groups=groups,
        all=figure(whole, chosen, seen.days, before),
    )


def _disjoint(chosen: Metric) -> bool:
    """Whether each event counts in one group only, so that groups add up to all."""
    return chosen.kind == "sum" and chosen.behind == "events"
