"""Times of live calls: read, repaired, and put on the shop's local day, at a microsecond or so each."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

_SECOND = 1_000_000
_QUARTER = 900  # since 1990 every zone has changed its offset on a quarter of an hour, UTC
_DAY = 86_400
_ORDINAL = datetime(1970, 1, 1).toordinal()
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TICK = timedelta(microseconds=1)
_KEPT = 200_000

EARLIEST = (datetime(1990, 1, 1, tzinfo=UTC) - _EPOCH) // _TICK
AHEAD = _DAY * _SECOND
"""How far ahead of the server's clock a time may lie, in microseconds."""


def micros(moment: datetime) -> int:
    """Microseconds since 1970, UTC. A time without a zone is taken as UTC."""
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - _EPOCH) // _TICK


def parse(value: object) -> int | None:
    """The time as microseconds since 1970: ISO 8601 text, or a count of (milli)seconds; else None."""
    if isinstance(value, str):
        try:
            return micros(datetime.fromisoformat(value.strip()))
        except (ValueError, OverflowError):
            return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if not -1e16 < value < 1e16:  # also false for NaN
        return None
    return int(value * 1_000) if abs(value) >= 1e11 else int(value * _SECOND)


class LocalDays:
    """Local dates of UTC times in one zone. The offset of each quarter of an hour is looked up once."""

    def __init__(self, zone: str) -> None:
        self._zone = ZoneInfo(zone)
        self._offsets: dict[int, int] = {}
        self._dates: dict[int, str] = {}

    def day(self, time: int) -> str:
        """The local date, ``YYYY-MM-DD``, of a time in microseconds since 1970."""
        seconds = time // _SECOND
        quarter = seconds // _QUARTER
        offset = self._offsets.get(quarter)
        if offset is None:
            offset = self._offset(quarter)
        number = (seconds + offset) // _DAY
        date = self._dates.get(number)
        if date is None:
            date = datetime.fromordinal(_ORDINAL + number).date().isoformat()
            self._dates[number] = date
        return date

    def _offset(self, quarter: int) -> int:
        if len(self._offsets) > _KEPT:  # someone sends times of all ages: start over
            self._offsets.clear()
        moment = _EPOCH + timedelta(seconds=quarter * _QUARTER)
        delta = moment.astimezone(self._zone).utcoffset() or timedelta()
        offset = self._offsets[quarter] = int(delta.total_seconds())
        return offset
