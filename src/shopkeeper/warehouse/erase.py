"""Removes customers from the tables, and every old file and log entry that named them.

The rows of their days are written anew and the old files deleted: a delete by predicate would leave
the id in the log, and the old rows on disk until the next vacuum.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime

import duckdb
import pyarrow as pa

from shopkeeper.core.events import PURCHASE, REFUND
from shopkeeper.core.schema import EVENTS, TEXTS
from shopkeeper.core.subject import ERASED, Needles, Subject
from shopkeeper.warehouse.arrow import conform
from shopkeeper.warehouse.delta import Delta, FileWriter
from shopkeeper.warehouse.maintain import roll
from shopkeeper.warehouse.warehouse import Warehouse

_DAYS_AT_ONCE = 30
_KEPT = frozenset(
    {"event_id", "item_id", "quantity", "price", "value", "cost", "currency", "order_id", "source"}
)
"""What an order record is: the rest of a kept row is emptied."""
_PRIVATE = (
    "(kind IN ('chat', 'ticket') AND thread_id IN (SELECT t.thread_id "
    "FROM read_parquet($files, hive_partitioning = true) t JOIN held ON t.customer_id = held.sent_id "
    "WHERE t.thread_id IS NOT NULL))"
)
"""A conversation between the customer and the shop: the shop's part of it goes as well."""
_IS_THEIRS = "IN (SELECT id FROM ids)"
_TEXTS = {"texts": ("title", "body", "url", "thread_id"), "traits": ("value",)}
_SENDER = {"events": "coalesce(user_id, anonymous_id)"}


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
    with _prepared(warehouse, subjects) as connection:
        # Without a search of all text, which takes long: rows of others that name them are not counted.
        found = ((n, _found(warehouse, connection, n, "", keep_from)) for n in _ALL)
        return [_total(name, days) for name, days in found]


def erase(
    warehouse: Warehouse,
    subjects: Sequence[Subject],
    keep_from: datetime,
) -> list[Removed]:
    """Remove the customers' rows; orders since ``keep_from`` stay under the pseudonym, older without.

    The caller holds the writer's lease and has drained the log.
    Safe to repeat after a crash.
    """
    needles = Needles.of(*subjects)
    done = []
    with _prepared(warehouse, subjects) as connection:
        connection.execute("SET VARIABLE salt = ?", [secrets.token_hex(16)])
        for name in _ALL:
            days = _found(warehouse, connection, name, needles.pattern, keep_from)
            done.append(_total(name, days))
            if days:
                _rewrite(warehouse, connection, name, days, needles.pattern, keep_from)
    return done


def orders_of(warehouse: Warehouse, pseudonyms: Sequence[str]) -> int:
    """How many rows stay under these pseudonyms."""
    snapshot = warehouse.tables["events"].snapshot()
    if snapshot is None or not snapshot.files:
        return 0
    query = "SELECT count(*) FROM read_parquet($files) WHERE user_id IN (SELECT unnest($names))"
    with warehouse.connection() as connection:
        values = {"files": snapshot.uris(), "names": list(pseudonyms)}
        row = connection.execute(query, values).fetchone()
        return int(row[0]) if row else 0


def clear(warehouse: Warehouse) -> None:
    """Delete every file and log entry that the current versions do not need: time travel ends here."""
    for delta in warehouse.tables.values():
        delta.clear()


_ALL = ("events", "texts", "traits", "customers", "identities", "handovers")


@contextmanager
def _prepared(
    warehouse: Warehouse, subjects: Sequence[Subject]
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection with the periods of the subjects' ids, and with the ids that are theirs alone."""
    stamp = pa.timestamp("us", tz="UTC")
    held = [(h, s.pseudonym) for s in subjects for h in s.held]
    periods = pa.table(
        {
            "sent_id": pa.array([h.sent_id for h, _ in held], pa.string()),
            "starts_at": pa.array([h.start for h, _ in held], pa.int64()).cast(stamp),
            "ends_at": pa.array([h.until for h, _ in held], pa.int64()).cast(stamp),
            "pseudonym": pa.array([name for _, name in held], pa.string()),
        }
    )
    ids = pa.table({"id": pa.array(sorted({i for s in subjects for i in s.ids}), pa.string())})
    with warehouse.connection() as connection:
        connection.register("given_periods", periods)
        connection.register("given_ids", ids)
        connection.execute("CREATE TEMP TABLE held AS SELECT * FROM given_periods")
        connection.execute("CREATE TEMP TABLE ids AS SELECT * FROM given_ids")
        yield connection


def _found(
    warehouse: Warehouse,
    connection: duckdb.DuckDBPyConnection,
    name: str,
    pattern: str,
    keep_from: datetime,
) -> list[_Found]:
    """By day, what there is of the customers in one table; days without are left out."""
    delta = warehouse.tables[name]
    snapshot = delta.snapshot()
    if snapshot is None or not snapshot.files:
        return []
    day = "day" if delta.table.partition else "NULL::DATE"
    counted = connection.execute(
        f"""SELECT {day} AS day, count(*) FILTER (mine), count(*) FILTER (mine AND kept AND time >= $keep),
            count(*) FILTER (mine AND kept AND time < $keep), count(*) FILTER (NOT mine AND named)
        FROM ({_joined(delta, name, pattern)}) WHERE mine OR named GROUP BY 1 ORDER BY 1""",  # noqa: S608
        {"files": snapshot.uris(), "keep": keep_from, **_given(pattern)},
    )
    return [_Found(*row) for row in counted.fetchall()]


def _joined(delta: Delta, name: str, pattern: str) -> str:
    """SQL: the table's rows with whose they are, whether they are, and whether they name them."""
    sender = _SENDER.get(name, "customer_id")
    dated = "time" in delta.table.names
    within = (
        "AND (h.starts_at IS NULL OR r.time >= h.starts_at) AND (h.ends_at IS NULL OR r.time < h.ends_at)"
        if dated
        else ""
    )
    private = _PRIVATE if name == TEXTS.name else "false"
    extra = "" if dated else ", NULL::TIMESTAMPTZ AS time"
    kept = f"name IN ('{PURCHASE}', '{REFUND}')" if name == EVENTS.name else "false"
    partitioned = "true" if delta.table.partition else "false"
    return (
        f"SELECT *, pseudonym IS NOT NULL OR {private} AS mine, {kept} AS kept, "  # noqa: S608
        f"{_named(delta, name, pattern)} AS named FROM (SELECT r.*{extra}, h.pseudonym "
        f"FROM read_parquet($files, hive_partitioning = {partitioned}) r "
        f"LEFT JOIN held h ON {sender} = h.sent_id {within})"
    )


def _named(delta: Delta, name: str, pattern: str) -> str:
    """SQL: whether a row of anybody names one of the customers."""
    tests = ["false"]
    if name == EVENTS.name:
        tests += (
            f"coalesce({column} {_IS_THEIRS}, false)" for column in ("user_id", "anonymous_id")
        )
    if pattern:
        tests.append(f"regexp_matches({text_of(delta)}, $pattern)")
    return "(" + " OR ".join(tests) + ")"


def text_of(delta: Delta) -> str:
    """SQL: all text of a row as one, so that a row is searched once and not once for each column."""
    texts = (f'"{c.name}"' for c in delta.table if c.type == "string")
    maps = (f'CAST("{c.name}" AS VARCHAR)' for c in delta.table if c.type == "map")
    return f"concat_ws(chr(31), {', '.join((*texts, *maps))})"


def _rewrite(
    warehouse: Warehouse,
    connection: duckdb.DuckDBPyConnection,
    name: str,
    found: Sequence[_Found],
    pattern: str,
    keep_from: datetime,
) -> None:
    delta = warehouse.tables[name]
    days = [one.day for one in found if one.day is not None]
    pages: list[list[date] | None] = [None]
    if days:
        pages = [days[i : i + _DAYS_AT_ONCE] for i in range(0, len(days), _DAYS_AT_ONCE)]
    for page in pages:
        snapshot = delta.snapshot()
        uris = snapshot.uris(page) if snapshot else []
        values = {"files": uris, **_given(pattern)}
        if name == EVENTS.name:
            values["keep"] = keep_from
        order = "day, time" if page else delta.table.key[0]
        query = f"SELECT {_columns(delta, name, pattern)} FROM ({_joined(delta, name, pattern)}) "  # noqa: S608
        left = connection.sql(f"{query} WHERE NOT mine OR kept ORDER BY {order}", params=values)
        _commit(warehouse, delta, left, page)


def _commit(
    warehouse: Warehouse,
    delta: Delta,
    rows_left: duckdb.DuckDBPyRelation,
    days: Sequence[date] | None,
) -> None:
    files = FileWriter(delta)
    left: set[date] = set()
    for batch in rows_left.to_arrow_reader(100_000):
        part = conform(pa.Table.from_batches([batch]), delta.table)
        files.add(part)
        if days is not None:
            left.update(part.column("day").unique().to_pylist())
    written = files.finish()
    if days is None:
        delta.commit(written, replace="all")
        return
    emptied = [day for day in days if day not in left]
    if written:
        delta.commit(written, replace="days")
    delta.drop_days(emptied)
    if delta.table is EVENTS:
        roll(warehouse, sorted(left))
        warehouse.tables["daily"].drop_days(emptied)


def _columns(delta: Delta, name: str, pattern: str) -> str:
    """SQL: each column as it is written: others' rows cleaned, kept rows of the customers emptied."""
    return ", ".join(f'{_column(c.name, c.type, name, pattern)} AS "{c.name}"' for c in delta.table)


def _column(column: str, kind: str, table: str, pattern: str) -> str:
    cleaned = _cleaned(column, kind, pattern)
    if table != EVENTS.name:
        return cleaned if column in _TEXTS.get(table, ()) else f'"{column}"'
    if column == "user_id":
        mine = "CASE WHEN time >= $keep THEN pseudonym END"
        return f"CASE WHEN mine THEN {mine} WHEN NOT coalesce(user_id {_IS_THEIRS}, false) THEN user_id END"
    if column == "anonymous_id":
        return (
            f"CASE WHEN NOT mine AND NOT coalesce({column} {_IS_THEIRS}, false) THEN {column} END"
        )
    if column in ("event_id", "order_id") and pattern:
        # Still one id for one order, and no way back from it.
        fresh = f"'erased-' || substr(sha256(getvariable('salt') || {column}), 1, 24)"
        return f"CASE WHEN regexp_matches({column}, $pattern) THEN {fresh} ELSE {column} END"
    if kind in ("timestamp", "date") or column == "name":
        return column
    return cleaned if column in _KEPT else f"CASE WHEN NOT mine THEN {cleaned} END"


def _cleaned(column: str, kind: str, pattern: str) -> str:
    if not pattern or kind not in ("string", "map"):
        return column
    if kind == "string":
        return f"regexp_replace({column}, $pattern, '{ERASED}', 'g')"
    value = f"regexp_replace(e.value, $pattern, '{ERASED}', 'g')"
    known = f"list_filter(map_entries({column}), lambda e: NOT regexp_matches(e.key, $pattern))"
    entries = f"list_transform({known}, lambda e: {{'key': e.key, 'value': {value}}})"
    names = f"regexp_matches(CAST({column} AS VARCHAR), $pattern)"
    return f"CASE WHEN {names} THEN map_from_entries({entries}) ELSE {column} END"


def _given(pattern: str) -> dict[str, object]:
    return {"pattern": pattern} if pattern else {}


def _total(name: str, found: Iterable[_Found]) -> Removed:
    days = list(found)
    mine, kept = sum(d.mine for d in days), sum(d.orders for d in days)
    old = sum(d.old_orders for d in days)
    return Removed(name, mine - kept - old, kept, old, sum(d.mentions for d in days))


def first_row(warehouse: Warehouse, subject: Subject) -> bool:
    """Whether any row of any table is this customer's."""
    with _prepared(warehouse, [subject]) as connection:
        for name in _ALL:
            delta = warehouse.tables[name]
            snapshot = delta.snapshot()
            if snapshot is None or not snapshot.files:
                continue
            query = (
                f"SELECT 1 FROM ({_joined(delta, name, '')}) WHERE pseudonym IS NOT NULL LIMIT 1"  # noqa: S608
            )
            if connection.execute(query, {"files": snapshot.uris()}).fetchone():
                return True
    return False


def of(warehouse: Warehouse, subject: Subject) -> dict[str, list[dict[str, object]]]:
    """Every row of the customer, and of conversations with them, by table."""
    found: dict[str, list[dict[str, object]]] = {}
    with _prepared(warehouse, [subject]) as connection:
        for name in _ALL:
            delta = warehouse.tables[name]
            snapshot = delta.snapshot()
            if snapshot is None or not snapshot.files:
                continue
            columns = ", ".join(f'"{column}"' for column in delta.table.names)
            query = f"SELECT {columns} FROM ({_joined(delta, name, '')}) WHERE mine"  # noqa: S608
            rows = connection.sql(query, params={"files": snapshot.uris()}).to_arrow_table()
            found[name] = conform(rows, delta.table).to_pylist(maps_as_pydicts="strict")
    return found


def rewritten(warehouse: Warehouse, name: str, condition: str, columns: Mapping[str, str]) -> int:
    """Rewrite the days that have such rows: with these columns in place or, if none, without the rows."""
    delta = warehouse.tables[name]
    snapshot = delta.snapshot()
    if snapshot is None or not snapshot.files:
        return 0
    day, flag, order = ("day", "true", "day, time") if delta.table.partition else (
        "NULL::DATE", "false", "time")  # fmt: skip
    source = f"read_parquet($files, hive_partitioning = {flag})"
    told = ", ".join(f"{columns.get(c.name, c.name)} AS {c.name}" for c in delta.table)
    kept = "" if columns else f"WHERE NOT coalesce({condition}, false)"
    with warehouse.connection() as connection:
        counted = f"SELECT {day}, count(*) FROM {source} WHERE {condition} GROUP BY 1 ORDER BY 1"  # noqa: S608
        found = connection.execute(counted, {"files": snapshot.uris()}).fetchall()
        days = [day for day, _ in found]
        for start in range(0, len(days), _DAYS_AT_ONCE):
            page = days[start : start + _DAYS_AT_ONCE] if delta.table.partition else None
            query = f"SELECT {told} FROM {source} {kept} ORDER BY {order}"  # noqa: S608
            left = connection.sql(query, params={"files": snapshot.uris(page)})
            _commit(warehouse, delta, left, page)
        return sum(count for _, count in found)
