"""What customers did over time, as the report tells it: how often they came, their ways, where they left."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from typing import Final

from shopkeeper.core.operation import Context
from shopkeeper.core.period import Days, Period
from shopkeeper.metrics import operations as metrics
from shopkeeper.metrics.types import DropOff, Funnel, Paths, Stickiness

DAYS: Final = 30
"""Ways and reasons are of the period's last days: they are asked of single events."""

_WAYS, _REASONS = 6, 6


@dataclass(frozen=True)
class Walked:
    """``left`` is of the step at which the largest part of the customers is lost; None without one."""

    stickiness: Stickiness
    paths: Paths
    left: DropOff | None


def walked(ctx: Context, days: Days | None, funnel: Funnel) -> Walked:
    """The replies for this period, which may be that of an empty shop."""
    since = Period("30d") if days is None else Period(str(_last(days)))
    step = _leakiest(funnel)
    return Walked(
        stickiness=metrics.stickiness(ctx, since=since),
        paths=metrics.paths(ctx, since=since, k=_WAYS),
        left=None if step is None else metrics.drop_off(ctx, step=step, since=since, k=_REASONS),
    )


def _last(days: Days) -> Days:
    return Days(max(days.start, days.end - timedelta(days=DAYS - 1)), days.end)


def _leakiest(funnel: Funnel) -> int | None:
    """The step after which the largest part of those who reached it is gone."""
    counts = [step.customers for step in funnel.steps]
    lost = [
        (1 - after / here, place) for place, (here, after) in enumerate(pairwise(counts)) if here
    ]
    return max(lost)[1] if lost else None
