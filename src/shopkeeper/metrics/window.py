"""Which days a question is about, given the days there are data for."""

from __future__ import annotations

from dataclasses import dataclass

from shopkeeper.core.operation import Context
from shopkeeper.core.period import Days, Period
from shopkeeper.core.types import CannotSay
from shopkeeper.metrics.types import Span

EMPTY = CannotSay(
    reason="The shop has no events yet.",
    needed="events: import a file or send some",
    code="no_events",
)


@dataclass(frozen=True)
class Window:
    """The days asked for that data cover, all days of data, and the equally long days before."""

    days: Days
    data: Days

    @property
    def before(self) -> Days | CannotSay:
        """The period before, or why it cannot be compared with."""
        days = self.days.before()
        if days.start >= self.data.start:
            return days
        return CannotSay(
            reason=f"Data start on {self.data.start}, after the period before began.",
            needed=f"data from {days.start}",
            code="no_before",
            values={"start": str(self.data.start), "needed": str(days.start)},
        )


def window(ctx: Context, since: Period) -> Window | CannotSay:
    """The days meant by ``since``, cut to those that data cover; or why there are none."""
    data = ctx.shop.span()
    if data is None:
        return EMPTY
    asked = since.resolve(data.start, data.end)
    start, end = max(asked.start, data.start), min(asked.end, data.end)
    if start > end:
        return CannotSay(
            reason=f"There are no data for {asked}: they run from {data.start} to {data.end}.",
            needed="a period within those days",
            code="no_data_then",
            values={"asked": str(asked), "start": str(data.start), "end": str(data.end)},
        )
    return Window(Days(start, end), data)


def span(days: Days) -> Span:
    """The days as a reply shows them."""
    return Span(start=days.start, end=days.end)
