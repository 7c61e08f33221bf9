"""What rules ask of the items, as arrays by position, and which of them a condition means."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from shopkeeper.recommend.history import History, Ints
from shopkeeper.recommend.rules.language import Match

Bools = NDArray[np.bool_]
PATH: Final = " > "
_COLUMNS: Final = frozenset({"brand", "category", "title"})


@dataclass(frozen=True)
class Grounds:
    """The catalogue in the order of a model's positions; ``began`` is NaT where it is not known."""

    item_ids: pa.Array
    rows: Sequence[Mapping[str, Any]]
    began: NDArray[np.datetime64]
    now: datetime

    def __len__(self) -> int:
        return len(self.rows)

    def matching(self, match: Match) -> Bools:
        """Which items the condition means."""
        found = np.ones(len(self), dtype=bool)
        if match.items:
            found &= self.named(match.items)
        for column, wanted in (("kind", match.kinds), ("brand", match.brands)):
            if wanted:
                found &= self._each(row.get(column) in wanted for row in self.rows)
        if match.categories:
            found &= self._each(_below(row.get("category"), match.categories) for row in self.rows)
        for name, values in match.attributes.items():
            found &= self._each(attribute(row, name) in values for row in self.rows)
        return self._priced(found & self._new(match), match)

    def named(self, ids: Iterable[str]) -> Bools:
        """Which items have one of these ids."""
        there = pc.is_in(self.item_ids, pa.array(sorted(set(ids)), pa.string()))
        return np.asarray(there.to_numpy(zero_copy_only=False)).astype(bool)

    def stock(self) -> NDArray[np.float64]:
        """Units at hand; infinite where they are not told."""
        return np.array(
            [np.inf if (s := row.get("stock")) is None else s for row in self.rows], dtype=float
        )

    def groups(self, by: str) -> Ints:
        """A number for each value of what items may share; -1 where an item has none."""
        values = [row.get(by) if by in _COLUMNS else attribute(row, by) for row in self.rows]
        numbers = {value: n for n, value in enumerate(sorted({str(v) for v in values if v}))}
        return np.array([numbers[str(v)] if v else -1 for v in values], dtype=np.int64)

    def _priced(self, found: Bools, match: Match) -> Bools:
        if match.price_from is None and match.price_to is None:
            return found
        low = -np.inf if match.price_from is None else match.price_from
        high = np.inf if match.price_to is None else match.price_to
        # An item whose price is not told lies in no band.
        price = np.array(
            [np.nan if (p := row.get("price")) is None else p for row in self.rows], dtype=float
        )
        return np.asarray(found & (price >= low) & (price <= high))

    def _new(self, match: Match) -> Bools:
        if match.new_days is None:
            return np.ones(len(self), dtype=bool)
        first = np.datetime64(_naive(self.now - timedelta(days=match.new_days)), "ms")
        return np.asarray(self.began >= first)  # false where it is not known

    def _each(self, tests: Iterable[bool]) -> Bools:
        return np.fromiter(tests, dtype=bool, count=len(self))


def grounds(
    item_ids: pa.Array, items: Mapping[str, Mapping[str, Any]], history: History, now: datetime
) -> Grounds:
    """The catalogue's rows for these items, and since when each is on offer or was chosen first."""
    first = np.full(len(history.item_ids), np.iinfo(np.int64).max)
    np.minimum.at(first, history.item, history.time)
    chosen = dict(zip(history.item_ids.to_pylist(), first.tolist(), strict=True))
    never = np.iinfo(np.int64).max
    rows, began = [], np.full(len(item_ids), np.datetime64("NaT"), "datetime64[ms]")
    for place, item in enumerate(item_ids.to_pylist()):
        row = items.get(item, {})
        rows.append(row)
        if row.get("available_from") is not None:
            began[place] = np.datetime64(_naive(row["available_from"]), "ms")
        elif chosen.get(item, never) != never:
            began[place] = np.datetime64(chosen[item], "ms")
    return Grounds(item_ids, rows, began, now)


def attribute(row: Mapping[str, Any], name: str) -> str | None:
    """One attribute of an item, whichever form the engine gives maps in."""
    told = row.get("attributes") or {}
    found = dict(told).get(name)
    return None if found is None else str(found)


def _below(category: str | None, paths: Sequence[str]) -> bool:
    """Whether the item's category is one of the paths or lies below one."""
    if category is None:
        return False
    return any(category == path or category.startswith(path + PATH) for path in paths)


def _naive(time: datetime) -> datetime:
    """As NumPy takes it: UTC without saying so."""
    return time.astimezone(UTC).replace(tzinfo=None)
