"""Days that miss events, and days with unusually many or few."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import median

_BEFORE = 28
_LEAST = 10
_FACTOR = 3.0
_MADS = 5.0
_CLOSED = 0.1


@dataclass(frozen=True)
class Jump:
    """A day and how many times the usual number of events it has."""

    day: date
    times: float


@dataclass(frozen=True)
class Gaps:
    """``missing`` leaves out weekdays on which the shop never has events (``closed``)."""

    first: date | None
    last: date | None
    missing: tuple[date, ...]
    closed: tuple[str, ...]
    jumps: tuple[Jump, ...]


def gaps(per_day: Mapping[date, int]) -> Gaps:
    """What is odd about these numbers of events by day."""
    if not per_day:
        return Gaps(None, None, (), (), ())
    first, last = min(per_day), max(per_day)
    days = [first + timedelta(days=i) for i in range((last - first).days + 1)]
    weeks = Counter(day.weekday() for day in days)
    open_days = Counter(day.weekday() for day in per_day)
    closed = {w for w, n in weeks.items() if n >= 4 and open_days[w] < _CLOSED * n}
    missing = tuple(d for d in days if d not in per_day and d.weekday() not in closed)
    names = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
    return Gaps(first, last, missing, tuple(names[w] for w in sorted(closed)), _jumps(per_day))


def _jumps(per_day: Mapping[date, int]) -> tuple[Jump, ...]:
    """Days beyond three times (or below a third of) the four weeks before, and beyond their spread."""
    found = []
    ordered = sorted(per_day)
    for index, day in enumerate(ordered):
        before = [
            math.log(per_day[d])
            for d in ordered[max(0, index - _BEFORE) : index]
            if (day - d).days <= _BEFORE * 2 and per_day[d] > 0
        ]
        if len(before) < _LEAST or per_day[day] <= 0:
            continue
        middle = median(before)
        spread = 1.4826 * median(abs(x - middle) for x in before)
        distance = math.log(per_day[day]) - middle
        if abs(distance) > max(math.log(_FACTOR), _MADS * spread):
            found.append(Jump(day, math.exp(distance)))
    return tuple(found)
