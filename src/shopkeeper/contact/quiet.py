"""Quiet hours by a customer's own clock, right on the nights when clocks change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from shopkeeper.contact.policy import Quiet

_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)


def is_quiet(at: datetime, zone: ZoneInfo, quiet: Quiet) -> bool:
    """Whether a clock in that zone shows a quiet hour at that instant."""
    clock = at.astimezone(zone).time()
    if quiet.start < quiet.end:
        return quiet.start <= clock < quiet.end
    return clock >= quiet.start or clock < quiet.end


def next_allowed(at: datetime, zone: ZoneInfo, quiet: Quiet | None) -> datetime:
    """The first instant from ``at`` on whose hour is not quiet, in UTC.

    Where clocks are put forward over the end of the quiet hours, it is the instant of the change; where
    they are put back over it, an hour that comes twice is judged by what the clock shows each time.
    """
    at = at.astimezone(UTC)
    if quiet is None:
        return at
    while is_quiet(at, zone, quiet):
        at = _next_end(at, zone, quiet)
    return at


def _next_end(at: datetime, zone: ZoneInfo, quiet: Quiet) -> datetime:
    """The first instant after ``at`` at which the clock shows the end, or jumps over it."""
    day = at.astimezone(zone).date()
    found = []
    for date in (day, day + _DAY):
        for fold in (0, 1):
            wall = datetime.combine(date, quiet.end, zone).replace(fold=fold)
            instant = wall.astimezone(UTC)
            shown = instant.astimezone(zone).replace(tzinfo=None)
            if shown != wall.replace(tzinfo=None):  # a time that no clock shows that night
                instant = _change(instant - _DAY, instant + _DAY, zone)
            found.append(instant)
    return min(instant for instant in found if instant > at)


def _change(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """The instant between the two at which the zone's offset changes, to the second."""
    start = before.astimezone(zone).utcoffset()
    while after - before > _SECOND:
        middle = before + (after - before) / 2
        if middle.astimezone(zone).utcoffset() == start:
            before = middle
        else:
            after = middle
    return after.replace(microsecond=0)


@lru_cache(maxsize=1024)
def zone_of(name: str, otherwise: str) -> ZoneInfo:
    """The zone of that name; the shop's where a customer's is missing or no zone at all."""
    if name:
        try:
            return ZoneInfo(name)
        except (KeyError, OSError, ValueError):  # no such zone, or no name that could be one
            pass
    return ZoneInfo(otherwise)
