"""Spans of local days, as people write them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from pydantic import GetCoreSchemaHandler
from pydantic_core import core_schema

from shopkeeper.core.errors import BadInput

_RELATIVE = re.compile(r"(\d{1,5})([dwmy])")
_DAYS = {"d": 1, "w": 7, "m": 30, "y": 365}
_HINT = "Write 30d, 12w, 6m, 1y, all, 2011-11 or 2011-01-01..2011-03-31."


class Period(str):
    """A span of days as written: ``30d``, ``all``, ``2011-11``, ``2011-01-01..2011-03-31``.

    It stays text until it is resolved, because ``30d`` depends on the last day there are data for.
    """

    def __new__(cls, text: str) -> Period:
        cleaned = text.strip().lower()
        _parse(cleaned)
        return super().__new__(cls, cleaned)

    def resolve(self, first: date, last: date) -> Days:
        """The days meant, where data run from ``first`` to ``last`` (both included)."""
        kind, start, end, length = _parse(self)
        if kind == "all":
            return Days(first, last)
        if kind == "relative":
            return Days(last - timedelta(days=length - 1), last)
        return Days(start, end)

    @classmethod
    def __get_pydantic_core_schema__(
        cls, _source: type[Any], _handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        return core_schema.no_info_after_validator_function(_validated, core_schema.str_schema())


@dataclass(frozen=True)
class Days:
    """Local days from ``start`` to ``end``, both included."""

    start: date
    end: date

    def __len__(self) -> int:
        return (self.end - self.start).days + 1

    def before(self) -> Days:
        """The period of the same length that ends the day before this one starts."""
        return Days(self.start - timedelta(days=len(self)), self.start - timedelta(days=1))

    def __contains__(self, day: object) -> bool:
        return isinstance(day, date) and self.start <= day <= self.end

    def __str__(self) -> str:
        return f"{self.start}..{self.end}"


def _validated(text: str) -> Period:
    try:
        return Period(text)
    except BadInput as error:
        raise ValueError(str(error)) from error


def _parse(text: str) -> tuple[str, date, date, int]:
    if text == "all":
        return "all", date.min, date.max, 0
    relative = _RELATIVE.fullmatch(text)
    if relative and int(relative[1]) > 0:
        return "relative", date.min, date.max, int(relative[1]) * _DAYS[relative[2]]
    start, _, end = text.partition("..")
    try:
        first = _first_day(start)
        last = _last_day(end or start)
    except ValueError:
        raise BadInput(f"{text!r} is not a period.", hint=_HINT, field="period") from None
    if first > last:
        raise BadInput(f"The period {text!r} ends before it starts.", hint=_HINT, field="period")
    return "days", first, last, 0


def _first_day(text: str) -> date:
    return date.fromisoformat(f"{text}-01" if len(text) == 7 else text)


def _last_day(text: str) -> date:
    if len(text) != 7:
        return date.fromisoformat(text)
    first = date.fromisoformat(f"{text}-01")
    following = date(first.year + first.month // 12, first.month % 12 + 1, 1)
    return following - timedelta(days=1)
