"""The headline figures beside those of the period before, and what moved most."""

from __future__ import annotations

from shopkeeper.core.operation import Context
from shopkeeper.core.period import Days, Period
from shopkeeper.core.types import CannotSay
from shopkeeper.metrics.definitions import HEADLINE, METRICS
from shopkeeper.metrics.figures import figure
from shopkeeper.metrics.totals import totals
from shopkeeper.metrics.types import Figure, Overview
from shopkeeper.metrics.units import Question
from shopkeeper.metrics.window import span, window


def overview(ctx: Context, since: Period, *, raw: bool = False) -> Overview:
    """See the operation of this name; ``raw`` answers from events, not from the rollup."""
    currency = ctx.shop.settings.currency
    seen = window(ctx, since)
    if isinstance(seen, CannotSay):
        return Overview(
            period=None, before=None, currency=currency, figures=(), moved=(), cannot_say=seen
        )
    metrics = tuple(METRICS[name] for name in HEADLINE)
    before = seen.before
    earlier = before if isinstance(before, Days) else None
    rows = totals(ctx, Question(metrics, seen.days, seen.data, earlier, raw=raw))
    figures = tuple(figure(rows[0], metric, seen.days, before) for metric in metrics)
    return Overview(
        period=span(seen.days),
        before=span(earlier) if earlier else None,
        currency=currency,
        figures=figures,
        moved=moved(figures),
    )


def moved(figures: tuple[Figure, ...]) -> tuple[str, ...]:
    """The metrics that changed by more than chance, by the size of it relative to the earlier value."""
    changed = [f for f in figures if f.beyond_chance and f.relative is not None]
    ordered = sorted(changed, key=lambda f: (-abs(f.relative or 0.0), f.metric))
    return tuple(f.metric for f in ordered)
