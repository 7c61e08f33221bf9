"""Keeps the table of scores: what the newest run of each prediction says, and the run before it."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import duckdb
import pyarrow as pa

from shopkeeper.core.schema import SCORES
from shopkeeper.warehouse.arrow import conform
from shopkeeper.warehouse.delta import FileWriter
from shopkeeper.warehouse.warehouse import Warehouse

_BATCH = 200_000


def replace_scores(
    warehouse: Warehouse, rows: pa.Table, predictions: Collection[str], at: datetime
) -> None:
    """Put ``rows`` in the place of what was said of these predictions, in one commit.

    What held until now ends at ``at`` and stays until the next run; what had ended goes. Other
    predictions are not touched. The caller holds the writer's lease and lets nobody else write.

    Args:
        warehouse: the tables.
        rows: open rows of ``core.schema.SCORES``, of these predictions alone.
        predictions: what the run is about: one without any row is emptied.
        at: the moment of the run.
    """
    delta = warehouse.tables[SCORES.name]
    snapshot = delta.snapshot()
    files = FileWriter(delta)
    if snapshot is not None and snapshot.files:
        with warehouse.connection() as connection:
            for batch in _kept(connection, snapshot.uris(), predictions, at):
                files.add(conform(batch, SCORES))
    files.add(conform(rows, SCORES))
    delta.commit(files.finish(), replace="all")


def _kept(
    connection: duckdb.DuckDBPyConnection,
    uris: list[str],
    predictions: Collection[str],
    at: datetime,
) -> pa.RecordBatchReader:
    ended = f"CASE WHEN mine THEN $at ELSE valid_to END AS {SCORES.names[-1]}"
    columns = ", ".join((*SCORES.names[:-1], ended))
    query = (
        f"SELECT {columns} FROM (SELECT *, list_contains($predictions, prediction) AS mine "  # noqa: S608
        "FROM read_parquet($files)) WHERE NOT mine OR valid_to IS NULL"
    )
    given = {"at": at, "predictions": sorted(predictions), "files": uris}
    return connection.sql(query, params=given).to_arrow_reader(_BATCH)
