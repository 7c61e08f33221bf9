"""DuckDB in this process: in memory, bounded, several threads at once."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any

import duckdb
import pyarrow as pa

from shopkeeper.core.errors import Unavailable
from shopkeeper.core.period import Days
from shopkeeper.warehouse.arrow import arrow_schema
from shopkeeper.warehouse.delta import Delta, Snapshot
from shopkeeper.warehouse.engines.base import Frame, Means, Scan
from shopkeeper.warehouse.identity import (
    CUSTOMER,
    CUSTOMER_OF_SHARED,
    KNOWN,
    KNOWN_COLUMNS,
    SENT,
    SHARED,
    SHARED_COLUMNS,
    Moment,
    renamed,
)
from shopkeeper.warehouse.rollup import AGGREGATES, KEYS

Relation = duckdb.DuckDBPyRelation


def connect(means: Means) -> DuckDB:
    """The engine, within the given memory."""
    return DuckDB(means)


class DuckDB:
    """One in-memory DuckDB per process: no database file that would lock other processes out."""

    def __init__(self, means: Means) -> None:
        self._root = duckdb.connect(
            ":memory:",
            config={
                "memory_limit": f"{means.memory_mb}MB",
                "threads": str(max(1, os.cpu_count() or 1)),
                "temp_directory": str(means.spill),
                "preserve_insertion_order": "false",  # results that need an order sort
                "autoinstall_known_extensions": "false",
                "autoload_known_extensions": "false",
            },
        )
        self._root.execute("SET parquet_metadata_cache = true")  # a data file never changes

    def run(self, build: Callable[[Scan[Any]], Frame], reopen: Callable[[], None]) -> pa.Table:
        """See :class:`~shopkeeper.warehouse.engines.base.Engine`."""
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

    def close(self) -> None:
        """Give the memory back."""
        self._root.close()

    def _once(self, build: Callable[[Scan[Any]], Frame]) -> pa.Table:
        with self.cursor() as connection:
            try:
                return build(_Scan(connection)).to_native().to_arrow_table()
            except duckdb.OutOfMemoryException as error:
                raise Unavailable(
                    "The query needs more memory than it may use.",
                    hint="Raise memory_mb in shopkeeper.toml or ask for a shorter period.",
                ) from error


@dataclass(frozen=True)
class _Scan:
    """In SQL, because every step of a frame is bound anew, and each query takes these."""

    connection: duckdb.DuckDBPyConnection

    def stored(
        self, delta: Delta, snapshot: Snapshot | None, days: Collection[date] | None
    ) -> Relation:
        uris = snapshot.uris(days) if snapshot else []
        if not uris:
            return self.given(arrow_schema(delta.table).empty_table())
        partitioned = delta.table.partition is not None
        rows = self.connection.read_parquet(uris, hive_partitioning=partitioned)
        return rows.select(*delta.table.names)

    def given(self, table: pa.Table) -> Relation:
        return self.connection.from_arrow(table)

    def select(self, rows: Relation, columns: Sequence[str]) -> Relation:
        return rows.select(*columns)

    def between(self, rows: Relation, days: Days) -> Relation:
        return rows.filter(f"day BETWEEN DATE '{days.start}' AND DATE '{days.end}'")

    def union(self, first: Relation, second: Relation) -> Relation:
        return first.union(second)

    def with_ms(self, rows: Relation) -> Relation:
        return rows.project("*, epoch_us(time) // 1000 AS time_ms")  # epoch_ms would round

    def rolled_up(self, events: Relation, keys: Sequence[str] = KEYS) -> Relation:
        by = ", ".join(keys)
        return events.aggregate(", ".join((by, *AGGREGATES)), by)

    def identified(
        self,
        rows: Relation,
        identities: Relation | None,
        handovers: Relation | None = None,
        moment: Moment = "time",
    ) -> Relation:
        if identities is None:
            return rows.project(f"*, {SENT} AS customer_id")
        known = identities.project(", ".join(renamed(KNOWN_COLUMNS)))
        joined = rows.join(known, KNOWN, how="left")
        if handovers is None:
            return _told(joined, KNOWN_COLUMNS, customer=CUSTOMER)
        shared = handovers.project(", ".join(renamed(SHARED_COLUMNS)))
        joined = joined.join(shared, SHARED[moment], how="left")
        return _told(joined, KNOWN_COLUMNS, SHARED_COLUMNS, customer=CUSTOMER_OF_SHARED)


def _told(joined: Relation, *joins: dict[str, str], customer: str) -> Relation:
    helping = ", ".join(name for join in joins for name in join.values())
    return joined.project(f"* EXCLUDE ({helping}), {customer} AS customer_id")
