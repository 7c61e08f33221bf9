"""Runs queries on DuckDB: in memory, bounded, several threads at once, one retry after maintenance."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pyarrow as pa

from shopkeeper.core.errors import Unavailable


class Engine:
    """One in-memory DuckDB per process: no database file that would lock other processes out."""

    def __init__(self, memory_mb: int, spill: Path) -> None:
        self._root = duckdb.connect(
            ":memory:",
            config={
                "memory_limit": f"{memory_mb}MB",
                "threads": str(max(1, os.cpu_count() or 1)),
                "temp_directory": str(spill),
                "preserve_insertion_order": "false",  # results that need an order sort
                "autoinstall_known_extensions": "false",
                "autoload_known_extensions": "false",
            },
        )
        self._root.execute("SET parquet_metadata_cache = true")  # a data file never changes

    def run(
        self, build: Callable[[duckdb.DuckDBPyConnection], pa.Table], reopen: Callable[[], None]
    ) -> pa.Table:
        """The rows that ``build`` makes on a connection of its own.

        A compaction may remove a file between reading the list of files and opening one of them:
        ``reopen`` then forgets the list, and ``build`` runs once more.
        """
        try:
            return self._once(build)
        except duckdb.IOException:
            reopen()
        try:
            return self._once(build)
        except duckdb.IOException as error:
            raise Unavailable(
                f"A data file cannot be read: {error}",
                hint="Check the disk and the tables' folder.",
            ) from error

    @contextmanager
    def cursor(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection of its own to the same memory; its temporary tables are its own too."""
        with self._root.cursor() as connection:
            connection.execute("SET TimeZone = 'UTC'")
            yield connection

    def _once(self, build: Callable[[duckdb.DuckDBPyConnection], pa.Table]) -> pa.Table:
        with self.cursor() as connection:
            try:
                return build(connection)
            except duckdb.OutOfMemoryException as error:
                raise Unavailable(
                    "The query needs more memory than it may use.",
                    hint="Raise memory_mb in shopkeeper.toml or ask for a shorter period.",
                ) from error

    def close(self) -> None:
        self._root.close()
