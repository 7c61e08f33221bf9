"""Column types that come back the same from SQLite and PostgreSQL."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, Dialect, Text
from sqlalchemy.types import TypeDecorator

from shopkeeper.core.errors import BadInput

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Instant(TypeDecorator[datetime]):
    """A point in time: kept as microseconds since 1970 UTC, read as a datetime in UTC."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _dialect: Dialect) -> int | None:
        return None if value is None else microseconds(value)

    def process_result_value(self, value: int | None, _dialect: Dialect) -> datetime | None:
        return None if value is None else _EPOCH + timedelta(microseconds=value)


class Json(TypeDecorator[Any]):
    r"""Any JSON value, kept as ASCII text.

    PostgreSQL's own JSON types refuse ``\u0000``, lone surrogates and NaN, all of which a refused
    row of a broken file may hold; escaped in text they survive.
    """

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, _dialect: Dialect) -> str | None:
        return None if value is None else json.dumps(value, separators=(",", ":"))

    def process_result_value(self, value: str | None, _dialect: Dialect) -> Any:
        return None if value is None else json.loads(value)


def microseconds(time: datetime) -> int:
    """Microseconds since 1970 UTC of a time that knows its zone."""
    if time.tzinfo is None:
        raise BadInput(f"The time {time} has no time zone.", hint="Give it one: UTC, +08:00 …")
    return (time - _EPOCH) // _MICROSECOND
