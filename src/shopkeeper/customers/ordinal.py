"""Days as numbers, in a way that every engine agrees on."""

from __future__ import annotations

import narwhals as nw


def ordinal(day: nw.Expr) -> nw.Expr:
    """The day's number as ``date.toordinal`` gives it: date arithmetic differs between engines."""
    years = day.dt.year().cast(nw.Int64) - 1
    return years * 365 + years // 4 - years // 100 + years // 400 + day.dt.ordinal_day()
