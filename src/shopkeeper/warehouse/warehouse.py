"""The analytical side of a shop: its Delta tables and the engine that queries them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import duckdb
import pyarrow as pa

from shopkeeper.core import discovery
from shopkeeper.core.period import Days
from shopkeeper.core.schema import TABLES
from shopkeeper.warehouse.delta import Delta
from shopkeeper.warehouse.engines.base import Engine, Means
from shopkeeper.warehouse.engines.duckdb import DuckDB
from shopkeeper.warehouse.people import People
from shopkeeper.warehouse.source import Frame, Source, Tail

_ENGINES = "shopkeeper.warehouse.engines"
_LOCAL = "duckdb"

Build = Callable[[Source], Frame]
"""A query: given the tables, the frame of its answer."""


class Warehouse:
    """Tables under ``root`` (a folder or an object store's URL); safe to share between threads.

    ``engine`` runs the queries. The writer's own work (duplicates, rollup) is DuckDB's always: it
    happens in one process, beside the files that it writes.
    """

    def __init__(
        self,
        root: str,
        *,
        memory_mb: int,
        spill: Path,
        engine: str = _LOCAL,
        spark_url: str = "",
    ) -> None:
        self.tables = {name: Delta(root, table) for name, table in TABLES.items()}
        means = Means(memory_mb, spill, spark_url)
        self._local = DuckDB(means)
        self._engine: Engine = self._local
        if engine != _LOCAL:
            plug = discovery.load(_ENGINES, engine, what="engine", extra=engine)
            self._engine = plug.connect(means)

    def query(
        self,
        build: Build,
        *,
        now: datetime,
        tail: Tail | None = None,
        people: People | None = None,
    ) -> pa.Table:
        """The rows of the frame that ``build`` makes, all tables pinned to their newest version."""
        return self._engine.run(
            lambda scan: build(Source(scan, self.tables, now, tail, people)), self._reopen
        )

    def span(self) -> Days | None:
        """The first and the last local day that has events; None while there are none."""
        snapshot = self.tables["events"].snapshot()
        days = [file.day for file in snapshot.files if file.day and file.rows] if snapshot else []
        return Days(min(days), max(days)) if days else None

    @contextmanager
    def connection(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection of one's own to this process's DuckDB, for work that is not a query."""
        with self._local.cursor() as connection:
            yield connection

    def close(self) -> None:
        """Give back what the engine and this process's DuckDB hold."""
        self._engine.close()
        self._local.close()

    def _reopen(self) -> None:
        for delta in self.tables.values():
            delta.forget()
