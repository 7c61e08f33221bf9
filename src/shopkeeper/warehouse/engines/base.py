"""What an engine is: it turns stored tables into frames, and the frame of an answer into rows.

A file here is an engine if it has ``connect(means: Means) -> Engine``. Its native relations never
leave it: ``Source`` hands them back to the engine that made them, and everybody else sees Narwhals
frames and Arrow tables.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Protocol, TypeVar

import narwhals as nw
import pyarrow as pa

from shopkeeper.core.period import Days
from shopkeeper.warehouse.delta import Delta, Snapshot
from shopkeeper.warehouse.identity import Moment
from shopkeeper.warehouse.rollup import KEYS

Frame = nw.LazyFrame[Any]
Relation = TypeVar("Relation")


@dataclass(frozen=True)
class Means:
    """What an engine may use: memory of this process, a folder to spill to, or a server's address."""

    memory_mb: int
    spill: Path
    spark_url: str = ""


class Scan(Protocol[Relation]):
    """The engine as one query sees it. ``Relation`` is the engine's own kind of rows."""

    def stored(
        self, delta: Delta, snapshot: Snapshot | None, days: Collection[date] | None
    ) -> Relation:
        """The rows of a table at that version, of these days alone or of all."""
        ...

    def given(self, table: pa.Table) -> Relation:
        """Rows of this process."""
        ...

    def select(self, rows: Relation, columns: Sequence[str]) -> Relation:
        """These columns alone, in this order."""
        ...

    def between(self, rows: Relation, days: Days) -> Relation:
        """Those of these days."""
        ...

    def union(self, first: Relation, second: Relation) -> Relation:
        """The rows of both, which have the same columns in the same order."""
        ...

    def with_ms(self, rows: Relation) -> Relation:
        """With ``time_ms``: milliseconds since 1970, UTC."""
        ...

    def rolled_up(self, events: Relation, keys: Sequence[str] = KEYS) -> Relation:
        """The daily rollup of these events, as ``warehouse.rollup`` defines it, by these keys."""
        ...

    def identified(
        self,
        rows: Relation,
        identities: Relation | None,
        handovers: Relation | None = None,
        moment: Moment = "time",
    ) -> Relation:
        """With ``customer_id``: the customer that each sent id stands for at the row's time or day.

        ``warehouse.identity`` has the conditions of the joins (to the left) and the expression.
        """
        ...


class Engine(Protocol):
    """Runs queries; safe to share between threads."""

    def run(self, build: Callable[[Scan[Any]], Frame], reopen: Callable[[], None]) -> pa.Table:
        """The rows of the frame that ``build`` makes.

        Maintenance may remove a file between reading the list of files and opening one of them:
        ``reopen`` then forgets the list, and ``build`` runs once more.

        Raises:
            Unavailable: data or engine cannot be reached, or memory does not suffice.
        """
        ...

    def close(self) -> None:
        """Give back what the engine holds."""
        ...
