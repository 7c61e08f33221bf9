"""Removes customers from the tables, and every old file and log entry that named them.

The rows of their days are written anew and the old files deleted: a delete by predicate would leave
the id in the log, and the old rows on disk until the next vacuum.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import duckdb
import numpy as np

from shopkeeper.core.schema import EVENTS
from shopkeeper.core.subject import Needles, Subject
from shopkeeper.warehouse.cleaning import columns
from shopkeeper.warehouse.find import Rows, Seen, naming_rows, numbered
from shopkeeper.warehouse.mentions import NO_WORDS, Words, know
from shopkeeper.warehouse.redacting import redact
from shopkeeper.warehouse.rewriting import DAYS_AT_ONCE, commit
from shopkeeper.warehouse.warehouse import Warehouse
from shopkeeper.warehouse.whose import ALL, joined, prepared


@dataclass(frozen=True)
class Removed:
    """What became of one table's rows of the customers, and of others' rows that named them."""

    table: str
    removed: int
    kept: int
    anonymised: int
    cleaned: int


@dataclass(frozen=True)
class _Found:
    day: date | None
    mine: int
    orders: int
    old_orders: int
    mentions: int


def rows(warehouse: Warehouse, subjects: Sequence[Subject], keep_from: datetime) -> list[Removed]:
    """How many rows of each table an erasure would remove, keep under a pseudonym, and clean."""
    with prepared(warehouse, subjects) as connection:
        # Without a search of all text, which takes long: rows of others that name them are not counted.
        found = ((n, _found(warehouse, connection, n, NO_WORDS, keep_from)) for n in ALL)
        return [_total(name, days) for name, days in found]


def erase(
    warehouse: Warehouse,
    subjects: Sequence[Subject],
    keep_from: datetime,
    seen: Seen | None = None,
) -> list[Removed]:
    """Remove the customers' rows; orders since ``keep_from`` stay under the pseudonym, older without.

    The caller holds the writer's lease and has drained the log. ``seen`` is what a search for the same
    customers saw: files of events that it decoded are not searched again.
    Safe to repeat after a crash.
    """
    needles = Needles.of(*subjects)
    words = Words.of(needles)
    done = []
    with prepared(warehouse, subjects) as connection:
        connection.execute("SET VARIABLE salt = ?", [secrets.token_hex(16)])
        know(connection, words.names)
        for name in ALL:
            if name == EVENTS.name:
                hits = naming_rows(warehouse, warehouse.tables[name], needles, seen or Seen())
                if any(one.shared for one in subjects):
                    hits = _with_senders(warehouse, connection, hits)
                became = redact(warehouse, connection, hits, words, keep_from)
                fates = (became[fate] for fate in ("removed", "kept", "anonymised", "cleaned"))
                done.append(Removed(name, *fates))
                continue
            days = _found(warehouse, connection, name, words, keep_from)
            done.append(_total(name, days))
            if days:
                _rewrite(warehouse, connection, name, days, words)
    return done


def _with_senders(
    warehouse: Warehouse, connection: duckdb.DuckDBPyConnection, hits: dict[str, Rows]
) -> dict[str, Rows]:
    """The rows, and all that any of the ids sent: one that others used too is no needle."""
    snapshot = warehouse.tables[EVENTS.name].snapshot()
    if snapshot is None or not snapshot.files:
        return hits
    query = (
        "SELECT filename, file_row_number FROM read_parquet($files, hive_partitioning = true, "
        "filename = true, file_row_number = true) WHERE user_id IN (SELECT sent_id FROM held) "
        "OR anonymous_id IN (SELECT sent_id FROM held)"
    )
    sent = numbered(connection.sql(query, params={"files": snapshot.uris()}))
    none = np.empty(0, np.int64)
    return {uri: np.union1d(hits.get(uri, none), sent.get(uri, none)) for uri in hits.keys() | sent}


def _found(
    warehouse: Warehouse,
    connection: duckdb.DuckDBPyConnection,
    name: str,
    words: Words,
    keep_from: datetime,
) -> list[_Found]:
    """By day, what there is of the customers in one table; days without are left out."""
    delta = warehouse.tables[name]
    snapshot = delta.snapshot()
    if snapshot is None or not snapshot.files:
        return []
    day = "day" if delta.table.partition else "NULL::DATE"
    query = f"""SELECT {day} AS day, count(*) FILTER (mine),
            count(*) FILTER (mine AND kept AND (keeps OR time >= $keep)),
            count(*) FILTER (mine AND kept AND NOT keeps AND time < $keep),
            count(*) FILTER (NOT mine AND named)
        FROM ({joined(delta, words)}) WHERE mine OR named GROUP BY 1 ORDER BY 1"""  # noqa: S608
    values = {"files": snapshot.uris(), "keep": keep_from, **_given(query, words)}
    counted = connection.execute(query, values)
    return [_Found(*row) for row in counted.fetchall()]


def _rewrite(
    warehouse: Warehouse,
    connection: duckdb.DuckDBPyConnection,
    name: str,
    found: Sequence[_Found],
    words: Words,
) -> None:
    delta = warehouse.tables[name]
    days = [one.day for one in found if one.day is not None]
    pages: list[list[date] | None] = [None]
    if days:
        pages = [days[i : i + DAYS_AT_ONCE] for i in range(0, len(days), DAYS_AT_ONCE)]
    for page in pages:
        snapshot = delta.snapshot()
        uris = snapshot.uris(page) if snapshot else []
        order = "day, time" if page else delta.table.key[0]
        query = f"SELECT {columns(delta, words)} FROM ({joined(delta, words)}) "  # noqa: S608
        query += f"WHERE NOT mine OR kept ORDER BY {order}"
        left = connection.sql(query, params={"files": uris, **_given(query, words)})
        commit(warehouse, delta, left, page)


def _given(query: str, words: Words) -> dict[str, object]:
    """The parameters of a query for words: DuckDB refuses one that is given and not asked for."""
    return {"pattern": words.pattern} if "$pattern" in query else {}


def _total(name: str, found: Iterable[_Found]) -> Removed:
    days = list(found)
    mine, kept = sum(d.mine for d in days), sum(d.orders for d in days)
    old = sum(d.old_orders for d in days)
    return Removed(name, mine - kept - old, kept, old, sum(d.mentions for d in days))
