"""The analytical side of a shop: its Delta tables and the engine that queries them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import duckdb
import pyarrow as pa

from shopkeeper.core.period import Days
from shopkeeper.core.schema import TABLES
from shopkeeper.warehouse.delta import Delta
from shopkeeper.warehouse.engine import Engine
from shopkeeper.warehouse.source import Frame, Source, Tail

Build = Callable[[Source], Frame]
"""A query: given the tables, the frame of its answer."""


class Warehouse:
    """Tables under ``root`` (a folder or an object store's URL); safe to share between threads."""

    def __init__(self, root: str, *, memory_mb: int, spill: Path) -> None:
        self.tables = {name: Delta(root, table) for name, table in TABLES.items()}
        self._engine = Engine(memory_mb, spill)

    def query(self, build: Build, *, now: datetime, tail: Tail | None = None) -> pa.Table:
        """The rows of the frame that ``build`` makes, all tables pinned to their newest version."""

        def once(connection: duckdb.DuckDBPyConnection) -> pa.Table:
            frame = build(Source(connection, self.tables, now, tail))
            return frame.to_native().to_arrow_table()

        return self._engine.run(once, self._reopen)

    def span(self) -> Days | None:
        """The first and the last local day that has events; None while there are none."""
        snapshot = self.tables["events"].snapshot()
        days = [file.day for file in snapshot.files if file.day and file.rows] if snapshot else []
        return Days(min(days), max(days)) if days else None

    @contextmanager
    def connection(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection of one's own to the engine, for work that is not a query."""
        with self._engine.cursor() as connection:
            yield connection

    def close(self) -> None:
        """Give the engine's memory back."""
        self._engine.close()

    def _reopen(self) -> None:
        for delta in self.tables.values():
            delta.forget()
