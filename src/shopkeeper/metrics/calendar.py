"""Days, ISO weeks and months as whole numbers, in queries and in Python alike.

Engines disagree about truncating dates to weeks; whole-number arithmetic on year and day of the year
is the same everywhere. Numbers follow ``date.toordinal``, whose day 1 was a Monday.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import narwhals as nw

from shopkeeper.core.period import Days
from shopkeeper.metrics.types import Cycle


def ordinal(day: nw.Expr) -> nw.Expr:
    """The proleptic Gregorian ordinal of a date column: what ``date.toordinal`` gives."""
    year = day.dt.year().cast(nw.Int64) - 1
    return year * 365 + year // 4 - year // 100 + year // 400 + day.dt.ordinal_day()


def bucket(day: nw.Expr, cycle: Cycle) -> nw.Expr:
    """The number of the day, week or month in which a date column lies."""
    if cycle == "month":
        return day.dt.year().cast(nw.Int64) * 12 + day.dt.month() - 1
    number = ordinal(day)
    return number if cycle == "day" else (number - 1) // 7


def number(day: date, cycle: Cycle) -> int:
    """The number of the bucket in which ``day`` lies."""
    if cycle == "month":
        return day.year * 12 + day.month - 1
    return day.toordinal() if cycle == "day" else (day.toordinal() - 1) // 7


def days(bucket_number: int, cycle: Cycle) -> Days:
    """The days of the bucket of that number."""
    if cycle == "month":
        first = date(bucket_number // 12, bucket_number % 12 + 1, 1)
        following = date((bucket_number + 1) // 12, (bucket_number + 1) % 12 + 1, 1)
        return Days(first, following - timedelta(days=1))
    if cycle == "week":
        first = date.fromordinal(bucket_number * 7 + 1)
        return Days(first, first + timedelta(days=6))
    return Days(date.fromordinal(bucket_number), date.fromordinal(bucket_number))


def between(span: Days, cycle: Cycle) -> Iterator[int]:
    """The numbers of all buckets that share a day with ``span``, in order."""
    yield from range(number(span.start, cycle), number(span.end, cycle) + 1)
