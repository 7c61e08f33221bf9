"""Finds rows whose key a table has already.

With one writer, an anti-join before an append is what an insert-only MERGE would do, in one pass
and without rewriting files.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

import duckdb
import numpy as np
import pyarrow as pa

from shopkeeper.warehouse.delta import Delta

_TYPES = {"timestamp": "TIMESTAMPTZ", "int64": "BIGINT"}


class Seen:
    """The keys of one table, or of some of its days, and of the rows asked about so far."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        delta: Delta,
        days: Collection[date] | None = None,
    ) -> None:
        self._connection = connection
        self._key = ", ".join(delta.table.key)
        snapshot = delta.snapshot()
        uris = snapshot.uris(days) if snapshot else []
        # Temporary: two loads never share it, and it is gone with the connection.
        if uris:
            connection.execute(
                f"CREATE TEMP TABLE seen AS SELECT {self._key} "  # noqa: S608
                "FROM read_parquet(?, hive_partitioning = ?)",
                [uris, delta.table.partition is not None],
            )
        else:
            types = {c.name: _TYPES.get(c.type, "VARCHAR") for c in delta.table}
            columns = ", ".join(f"{name} {types[name]}" for name in delta.table.key)
            connection.execute(f"CREATE TEMP TABLE seen ({columns})")

    def fresh(self, rows: pa.Table) -> pa.Table:
        """The rows whose key is new, the first of equal ones; they are remembered from now on."""
        numbered = rows.append_column("row_number", pa.array(np.arange(rows.num_rows)))
        self._connection.register("incoming", numbered)
        kept = self._connection.sql(
            f"SELECT min(row_number) AS row_number FROM incoming ANTI JOIN seen USING ({self._key}) "  # noqa: S608
            f"GROUP BY {self._key} ORDER BY 1"
        ).to_arrow_table()
        fresh = rows.take(kept["row_number"]) if kept.num_rows < rows.num_rows else rows
        self._connection.register("incoming", fresh)
        self._connection.execute(f"INSERT INTO seen SELECT {self._key} FROM incoming")  # noqa: S608
        self._connection.unregister("incoming")
        return fresh
