"""Reading values of a scenario file one by one, with errors that name the key and the bounds."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from shopkeeper.core.errors import BadInput, UnknownName


class Reader:
    """The values of one table of the file; ``where`` names it in errors."""

    def __init__(self, values: Mapping[str, Any], where: str, known: Iterable[str]) -> None:
        self._values = values
        self._where = where
        known = list(known)
        for key in values:
            if key not in known:
                raise UnknownName(f"key of the {where}", key, known, field=key)

    def whole(self, key: str, default: int | None, low: int, high: int) -> int | None:
        value = self._values.get(key, default)
        if value is None:
            return None
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise self._wrong(key, value, f"a whole number from {low:,} to {high:,}")
        return value

    def number(
        self, key: str, default: float | None, low: float, high: float, meaning: str = ""
    ) -> float:
        value = self._values.get(key, default)
        if value is None:
            raise self._missing(key, f"a number from {low:g} to {high:g}{meaning}")
        if (
            isinstance(value, bool)
            or not isinstance(value, int | float)
            or not math.isfinite(value)
        ):
            raise self._wrong(key, value, f"a number from {low:g} to {high:g}{meaning}")
        if not low <= value <= high:
            raise self._wrong(key, value, f"from {low:g} to {high:g}{meaning}")
        return float(value)

    def words(self, key: str, default: str, longest: int) -> str:
        value = self._values.get(key, default)
        if not isinstance(value, str) or len(value) > longest:
            raise self._wrong(key, value, f"text of at most {longest} characters")
        return value

    def day(self, key: str, default: date | None, low: date, high: date) -> date:
        value = self._values.get(key, default)
        if value is None:
            raise self._missing(key, "a day such as 2024-11-01")
        if isinstance(value, datetime):
            raise self._wrong(key, value, "a day without a time, such as 2024-11-01")
        if isinstance(value, str):
            try:
                value = date.fromisoformat(value)
            except ValueError:
                raise self._wrong(key, value, "a day such as 2024-11-01") from None
        if not isinstance(value, date):
            raise self._wrong(key, value, "a day such as 2024-11-01")
        if not low <= value <= high:
            raise self._wrong(key, value, f"within {low} to {high}")
        return value

    def one_of(self, key: str, default: str, known: Sequence[str]) -> str:
        value = self._values.get(key, default)
        if value not in known:
            raise UnknownName(f"{key} for the {self._where}", str(value), known, field=key)
        return str(value)

    def several(self, key: str, known: Sequence[str], what: str) -> tuple[str, ...]:
        """One name or a list of names, each known."""
        value = self._values.get(key, [])
        values = [value] if isinstance(value, str) else value
        if not isinstance(values, list) or (key in self._values and not values):
            raise self._wrong(key, value, f"the name of one {what} or a list of names")
        for name in values:
            if name not in known:
                raise UnknownName(what, str(name), known, field=f"{self._where}.{key}")
        return tuple(values)

    def shares(
        self, key: str, default: Mapping[str, float], known: Iterable[str], what: str
    ) -> dict[str, float]:
        """Weights by name, made to sum to one."""
        value = self._values.get(key, default)
        if not isinstance(value, Mapping):
            raise self._wrong(key, value, "a table of shares such as {zh = 0.7, en = 0.3}")
        known = list(known)
        for name, share in value.items():
            if name not in known:
                raise UnknownName(what, name, known, field=f"{key}.{name}")
            good = isinstance(share, int | float) and not isinstance(share, bool)
            if not good or not math.isfinite(share) or share < 0:
                raise self._wrong(f"{key}.{name}", share, "a share of 0 or more")
        total = sum(value.values())
        if value and total <= 0:
            raise self._wrong(key, value, "shares of which at least one is above 0")
        return {name: share / total for name, share in value.items() if share > 0}

    def _wrong(self, key: str, value: object, expected: str) -> BadInput:
        return BadInput(
            f"{self._where}: {key} is {str(value)[:80]!r}, which is not {expected}.",
            hint=f"Correct {key!r}.",
            field=key,
        )

    def _missing(self, key: str, expected: str) -> BadInput:
        return BadInput(
            f"{self._where} has no {key!r}.", hint=f"Give {key!r}: {expected}.", field=key
        )
