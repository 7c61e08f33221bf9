"""What models say of customers: made into rows of the table of scores, and put in the old ones' place."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from shopkeeper.core.errors import Conflict
from shopkeeper.core.schema import SCORES
from shopkeeper.shop.shop import Shop
from shopkeeper.warehouse.arrow import arrow_schema
from shopkeeper.warehouse.scores import replace_scores

Array = NDArray[np.float64]

PURPOSE: Final = ("personalisation", "recommend")
"""The consent under which customers are predicted: until they refuse."""


@dataclass(frozen=True)
class Said:
    """One prediction of customers in their order; what is not finite is not said."""

    prediction: str
    ids: Sequence[str]
    value: Array
    low: Array | None
    high: Array | None
    reasons: Sequence[str | None]

    def table(self, version: str, at: datetime) -> pa.Table:
        """Open rows of the table of scores."""
        count = len(self.ids)
        empty = np.full(count, np.nan)
        numbers = (self.value, self.low, self.high)
        value, low, high = (_numbers(empty if one is None else one) for one in numbers)
        schema = arrow_schema(SCORES)
        columns = [
            pa.array(self.ids, pa.string()),
            pa.array([self.prediction] * count, pa.string()),
            *(value, low, high),
            pa.array(self.reasons, pa.string()),
            pa.array([version] * count, pa.string()),
            pa.array([at] * count, pa.timestamp("us", tz="UTC")),
            pa.nulls(count, pa.timestamp("us", tz="UTC")),
        ]
        return pa.Table.from_arrays(columns, schema=schema)


def table(said: Iterable[Said], version: str, at: datetime) -> pa.Table:
    """The rows of several predictions."""
    parts = [one.table(version, at) for one in said]
    return pa.concat_tables(parts) if parts else arrow_schema(SCORES).empty_table()


def keep(
    shop: Shop, rows: pa.Table, predictions: Collection[str], at: datetime, restricted: int
) -> None:
    """Put the rows in the place of what was said of these predictions before.

    Args:
        shop: whose table.
        rows: see :func:`table`.
        predictions: what the run was about.
        at: the moment from which the rows hold.
        restricted: the revision of the restrictions when the run began to read.

    Raises:
        Conflict: somebody was restricted or erased meanwhile: their rows must not come back.
    """
    with shop.writer("scores of customers") as writer, writer.alone():
        if shop.state.revision("restrictions") != restricted:
            raise Conflict(
                "A customer was restricted while the predictions were made: nothing was written.",
                hint="Run it again.",
            )
        replace_scores(shop.warehouse, rows, predictions, at)


def refusers(shop: Shop) -> set[str]:
    """Customers whose latest word on personalisation is no: nothing is predicted of them."""
    ever = shop.consent.against(*PURPOSE)
    return set(ever) - shop.consent.allowed(ever, *PURPOSE)


def version_at(at: datetime) -> str:
    """The name of a model that was fitted at this moment."""
    return f"{at:%Y%m%dT%H%M%S%f}"


def _numbers(values: Array) -> pa.Array:
    return pa.array(values, pa.float64(), mask=~np.isfinite(values))
