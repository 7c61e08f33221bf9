"""The shop's year: local midnights, weekdays, hours, festivals of East and West."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

EPOCH: Final = date(1970, 1, 1)
DAY_US: Final = 86_400_000_000

_SPRING: Final = {
    2015: (2, 19), 2016: (2, 8), 2017: (1, 28), 2018: (2, 16), 2019: (2, 5), 2020: (1, 25),
    2021: (2, 12), 2022: (2, 1), 2023: (1, 22), 2024: (2, 10), 2025: (1, 29), 2026: (2, 17),
    2027: (2, 6), 2028: (1, 26), 2029: (2, 13), 2030: (2, 3), 2031: (1, 23), 2032: (2, 11),
    2033: (1, 31), 2034: (2, 19), 2035: (2, 8),
}  # fmt: skip
_WEEKDAYS: Final = (0.95, 0.93, 0.95, 0.98, 1.04, 1.1, 1.05)
_MONTHS: Final = (0.97, 0.9, 1.0, 0.98, 1.02, 1.03, 0.96, 0.95, 1.0, 1.0, 1.08, 1.1)
_HOURS: Final = (
    1.2, 0.6, 0.35, 0.2, 0.15, 0.25, 0.7, 1.6, 2.6, 3.6, 4.2, 4.4,
    4.8, 4.4, 4.0, 4.0, 4.1, 4.2, 4.6, 5.6, 7.0, 7.6, 6.2, 3.2,
)  # fmt: skip


@dataclass(frozen=True)
class Festivity:
    """What a date does to one culture: visits × ``visits``, and a discount for all in percent."""

    visits: float
    discount: int = 0


def festivity(day: date, culture: str) -> Festivity:
    """What the festivals of ``east`` or ``west`` do on this day."""
    return _east(day) if culture == "east" else _west(day)


def _east(day: date) -> Festivity:
    spring = (day - date(day.year, *_SPRING[day.year])).days
    if -3 <= spring <= 6:
        return Festivity(0.5)
    if -24 <= spring <= -8:
        return Festivity(1.25)
    at = (day.month, day.day)
    fixed = {
        (11, 11): Festivity(3.0, 15),
        (11, 10): Festivity(1.7, 10),
        (6, 18): Festivity(2.2, 12),
        (6, 17): Festivity(1.4, 8),
        (12, 12): Festivity(1.6, 8),
    }
    if at in fixed:
        return fixed[at]
    if (11, 1) <= at <= (11, 9):
        return Festivity(1.2)
    if (6, 1) <= at <= (6, 16):
        return Festivity(1.12)
    return Festivity(0.88 if (10, 1) <= at <= (10, 5) else 1.0)


def _west(day: date) -> Festivity:
    black_friday = _black_friday(day.year)
    since = (day - black_friday).days
    near = {
        0: Festivity(2.8, 15),
        1: Festivity(1.6, 10),
        2: Festivity(1.5, 10),
        3: Festivity(2.2, 12),
    }
    if since in near:
        return near[since]
    at = (day.month, day.day)
    if (12, 1) <= at <= (12, 18):
        return Festivity(1.4)
    return Festivity(0.5 if (12, 24) <= at <= (12, 26) else 1.0)


def _black_friday(year: int) -> date:
    first = date(year, 11, 1)
    thursday = first + timedelta(days=(3 - first.weekday()) % 7 + 21)
    return thursday + timedelta(days=1)


def year_curve(day: date) -> float:
    """Demand by weekday and time of the year, smooth between the middles of months."""
    place = day.month - 1 + (day.day - 15) / 30
    left = int(np.floor(place))
    part = place - left
    level = _MONTHS[left % 12] * (1 - part) + _MONTHS[(left + 1) % 12] * part
    return _WEEKDAYS[day.weekday()] * level


class Clock:
    """Local midnights of the period in UTC microseconds; one more than there are days."""

    def __init__(self, first: date, days: int, zone: ZoneInfo) -> None:
        self.first = first
        self.days = days
        self.zone = zone
        self.midnights = np.array([self._midnight(n) for n in range(days + 1)], np.int64)
        hours = np.array(_HOURS)
        self._hours = np.concatenate([[0.0], np.cumsum(hours / hours.sum())])

    def longer(self, days: int) -> Clock:
        """The same clock with so many days more."""
        return Clock(self.first, self.days + days, self.zone)

    def day(self, number: int) -> date:
        return self.first + timedelta(days=number)

    def epoch_day(self, number: int) -> int:
        return (self.first - EPOCH).days + number

    def number(self, day: date) -> int:
        return (day - self.first).days

    def number_at(self, times: NDArray[np.int64]) -> NDArray[np.int64]:
        """The number of the local day at each time; below 0 or from ``days`` on: outside."""
        return np.asarray(np.searchsorted(self.midnights, times, side="right") - 1)

    def spread(self, number: int, chance: NDArray[np.float64]) -> NDArray[np.int64]:
        """Times of that day by the hours at which people shop, from uniform chances."""
        share = np.interp(chance, self._hours, np.arange(25)) / 24
        length = self.midnights[number + 1] - self.midnights[number]
        return np.asarray(self.midnights[number] + (share * (length - 1)).astype(np.int64))

    def _midnight(self, number: int) -> int:
        local = datetime.combine(self.day(number), time(), self.zone)
        return round(local.timestamp() * 1_000_000)
