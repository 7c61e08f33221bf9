"""Removes customers from the tables, and every old file and log entry that named them.

The rows of their days are written anew and the old files deleted: a delete by predicate would leave
the id in the log, and the old rows on disk until the next vacuum.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime

import duckdb
import pyarrow as pa

from shopkeeper.core.events import PURCHASE, REFUND
from shopkeeper.core.schema import EVENTS, READINGS, TEXTS, TRAITS
from shopkeeper.core.subject import ERASED, PERSONAL, Needles, Subject
from shopkeeper.warehouse.arrow import conform
from shopkeeper.warehouse.delta import Delta, FileWriter
from shopkeeper.warehouse.maintain import roll
from shopkeeper.warehouse.warehouse import Warehouse

_DAYS_AT_ONCE = 30
_KEPT = frozenset(
    {"event_id", "item_id", "quantity", "price", "value", "cost", "currency", "order_id", "source"}
)
"""What an order record is: the rest of a kept row is emptied."""
_COUNTED = frozenset(
    {"channel", "campaign_id", "content_id", "experiment_id", "variant_id", "propensity"}
)
"""What else figures are made of: it stays of who is anonymised."""
_PRIVATE = (
    "(kind IN ('chat', 'ticket') AND thread_id IN (SELECT t.thread_id "
    "FROM read_parquet($files, hive_partitioning = true) t JOIN held ON t.customer_id = held.sent_id "
    "WHERE t.thread_id IS NOT NULL))"
)
"""A conversation between the customer and the shop: the shop's part of it goes as well."""
_IS_THEIRS = "IN (SELECT id FROM ids)"
_TEXTS = {
    "texts": ("title", "body", "url", "thread_id"),
    "readings": ("label", "span", "opinion"),
    "traits": ("value",),
    "decisions": ("rules", "context"),
}
_WHOLE = {"events": ("query",), "texts": ("title", "body"), "traits": ("value",)}
"""Columns of free text in which a name may stand alone; others hold the names of other things."""
_NAMES, _FIELDS = "getvariable('names')", "getvariable('fields')"
_TELLS_NAME = f"list_contains({_FIELDS}, lower(e.key)) AND list_contains({_NAMES}, e.value)"
_PARTS = ("keys", "values")
_FEW = 8
_SENDER = {"events": "coalesce(user_id, anonymous_id)"}


@dataclass(frozen=True)
class Words:
    """What to look for in rows of others: texts inside their text, and names as whole values.

    ``pattern`` matches any of ``inside``.
    """

    inside: tuple[str, ...] = ()
    pattern: str = ""
    names: frozenset[str] = frozenset()

    @classmethod
    def of(cls, needles: Needles) -> Words:
        """Those of the needles."""
        return cls(needles.inside, needles.pattern, needles.names | needles.bare)


_NO_WORDS = Words()


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
        found = ((n, _found(warehouse, connection, n, _NO_WORDS, keep_from)) for n in _ALL)
        return [_total(name, days) for name, days in found]


def erase(
    warehouse: Warehouse,
    subjects: Sequence[Subject],
    keep_from: datetime,
    clean: Collection[str] = (),
) -> list[Removed]:
    """Remove the customers' rows; orders since ``keep_from`` stay under the pseudonym, older without.

    The caller holds the writer's lease and has drained the log. ``clean`` are paths of files that a
    search for the same customers has decoded and found without: events there are not read again.
    Safe to repeat after a crash.
    """
    words = Words.of(Needles.of(*subjects))
    done = []
    with _prepared(warehouse, subjects) as connection:
        connection.execute("SET VARIABLE salt = ?", [secrets.token_hex(16)])
        know(connection, words.names)
        for name in _ALL:
            # A shared device's id is no needle: a file can be clean of needles and hold its rows.
            skip = () if name != EVENTS.name or any(one.shared for one in subjects) else clean
            days = _found(warehouse, connection, name, words, keep_from, skip)
            done.append(_total(name, days))
            if days:
                _rewrite(warehouse, connection, name, days, words, keep_from)
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


# Readings before texts: once a text is gone nothing says any more whose its readings were.
_ALL = (
    "events",
    "readings",
    "texts",
    "traits",
    "customers",
    "identities",
    "handovers",
    "memberships",
    "scores",
    "decisions",
)


@contextmanager
def _prepared(
    warehouse: Warehouse, subjects: Sequence[Subject]
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection with the periods of the subjects' ids, and with the ids that are theirs alone."""
    stamp = pa.timestamp("us", tz="UTC")
    held = [(h, s) for s in subjects for h in s.held]
    periods = pa.table(
        {
            "sent_id": pa.array([h.sent_id for h, _ in held], pa.string()),
            "starts_at": pa.array([h.start for h, _ in held], pa.int64()).cast(stamp),
            "ends_at": pa.array([h.until for h, _ in held], pa.int64()).cast(stamp),
            "pseudonym": pa.array([s.pseudonym for _, s in held], pa.string()),
            "keeps": pa.array([s.keeps for _, s in held], pa.bool_()),
        }
    )
    ids = pa.table({"id": pa.array(sorted({i for s in subjects for i in s.ids}), pa.string())})
    with warehouse.connection() as connection:
        connection.register("given_periods", periods)
        connection.register("given_ids", ids)
        connection.execute("CREATE TEMP TABLE held AS SELECT * FROM given_periods")
        connection.execute("CREATE TEMP TABLE ids AS SELECT * FROM given_ids")
        _their_texts(warehouse, connection)
        yield connection


def _their_texts(warehouse: Warehouse, connection: duckdb.DuckDBPyConnection) -> None:
    """The ids of the customers' texts: a reading says whose it is by its text alone."""
    texts = warehouse.tables[TEXTS.name]
    snapshot = texts.snapshot()
    connection.execute("CREATE TEMP TABLE their_texts (text_id VARCHAR)")
    if snapshot is None or not snapshot.files or warehouse.tables[READINGS.name].snapshot() is None:
        return
    theirs = f"SELECT text_id FROM ({_joined(texts, TEXTS.name, _NO_WORDS)}) WHERE mine"  # noqa: S608
    connection.execute(f"INSERT INTO their_texts {theirs}", {"files": snapshot.uris()})


def _found(
    warehouse: Warehouse,
    connection: duckdb.DuckDBPyConnection,
    name: str,
    words: Words,
    keep_from: datetime,
    skip: Collection[str] = (),
) -> list[_Found]:
    """By day, what there is of the customers in one table; days without are left out."""
    delta = warehouse.tables[name]
    snapshot = delta.snapshot()
    every = snapshot.uris() if snapshot else []
    uris = [uri for uri in every if uri.rpartition("://")[2] not in skip]
    if not uris:
        return []
    day = "day" if delta.table.partition else "NULL::DATE"
    query = f"""SELECT {day} AS day, count(*) FILTER (mine),
            count(*) FILTER (mine AND kept AND (keeps OR time >= $keep)),
            count(*) FILTER (mine AND kept AND NOT keeps AND time < $keep),
            count(*) FILTER (NOT mine AND named)
        FROM ({_joined(delta, name, words)}) WHERE mine OR named GROUP BY 1 ORDER BY 1"""  # noqa: S608
    values = {"files": uris, "keep": keep_from, **_given(query, words)}
    counted = connection.execute(query, values)
    return [_Found(*row) for row in counted.fetchall()]


def _joined(delta: Delta, name: str, words: Words) -> str:
    """SQL: the table's rows with whose they are, whether they are, and whether they name them."""
    if name == READINGS.name:
        return (
            "SELECT *, text_id IN (SELECT text_id FROM their_texts) AS mine, false AS kept, "  # noqa: S608
            f"{_named(delta, name, words)} AS named, NULL::VARCHAR AS pseudonym, false AS keeps "
            "FROM read_parquet($files, hive_partitioning = true)"
        )
    sender = _SENDER.get(name, "customer_id")
    dated = "time" in delta.table.names
    within = (
        "AND (h.starts_at IS NULL OR r.time >= h.starts_at) AND (h.ends_at IS NULL OR r.time < h.ends_at)"
        if dated
        else ""
    )
    private = _PRIVATE if name == TEXTS.name else "false"
    extra = "" if dated else ", NULL::TIMESTAMPTZ AS time"
    orders = f"(coalesce(keeps, false) OR name IN ('{PURCHASE}', '{REFUND}'))"
    kept = orders if name == EVENTS.name else "false"
    partitioned = "true" if delta.table.partition else "false"
    return (
        f"SELECT *, pseudonym IS NOT NULL OR {private} AS mine, {kept} AS kept, "  # noqa: S608
        f"{_named(delta, name, words)} AS named FROM (SELECT r.*{extra}, h.pseudonym, h.keeps "
        f"FROM read_parquet($files, hive_partitioning = {partitioned}) r "
        f"LEFT JOIN held h ON {sender} = h.sent_id {within})"
    )


def _named(delta: Delta, name: str, words: Words) -> str:
    """SQL: whether a row of anybody names one of the customers."""
    tests = ["false"]
    if name == EVENTS.name:
        tests += (
            f"coalesce({column} {_IS_THEIRS}, false)" for column in ("user_id", "anonymous_id")
        )
    tests += mentions(delta, words)
    if words.names:
        tests += (f"coalesce({test}, false)" for test in named_fields(delta))
    return "(" + " OR ".join(tests) + ")"


def know(connection: duckdb.DuckDBPyConnection, names: Iterable[str]) -> None:
    """Let this connection know what :func:`named_fields` looks for."""
    connection.execute("SET VARIABLE names = ?", [sorted(names)])
    connection.execute("SET VARIABLE fields = ?", [sorted(PERSONAL)])


def named_fields(delta: Delta) -> Iterator[str]:
    """SQL: whether a field that stands for a person holds one of the names, for each such column."""
    for column in delta.table:
        if column.type == "map":
            told = f"list_filter(map_entries({column.name}), lambda e: {_TELLS_NAME})"
            yield f"list_has_any(map_values({column.name}), {_NAMES}) AND len({told}) > 0"
        elif column.name in _WHOLE.get(delta.table.name, ()):
            yield _is_name(column.name, delta.table.name)


def _is_name(column: str, table: str) -> str:
    """SQL: whether such a column's whole value is a name; that of a trait if the trait is one."""
    a_field = f"list_contains({_FIELDS}, lower(name)) AND " if table == TRAITS.name else ""
    return f"coalesce({a_field}list_contains({_NAMES}, {column}), false)"


def mentions(delta: Delta, words: Words) -> Iterator[str]:
    """SQL: whether a row's text holds one of the words.

    A few are looked for column by column, which is faster than a pattern in all text as one; maps as the
    text of their keys and values. More of them as a pattern: each column would be read once for each.
    """
    texts = [f'"{c.name}"' for c in delta.table if c.type == "string"]
    for column in delta.table:
        if column.type == "map":
            parts = (f'array_to_string(map_{part}("{column.name}"), chr(31))' for part in _PARTS)
            texts.append(f"concat_ws(chr(31), {', '.join(parts)})")
    if len(words.inside) > _FEW:
        yield f"regexp_matches(concat_ws(chr(31), {', '.join(texts)}), $pattern)"
        return
    for word in words.inside:
        literal = word.replace("'", "''")
        yield from (f"coalesce(contains({text}, '{literal}'), false)" for text in texts)


def _rewrite(
    warehouse: Warehouse,
    connection: duckdb.DuckDBPyConnection,
    name: str,
    found: Sequence[_Found],
    words: Words,
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
        order = "day, time" if page else delta.table.key[0]
        query = f"SELECT {_columns(delta, name, words)} FROM ({_joined(delta, name, words)}) "  # noqa: S608
        query += f"WHERE NOT mine OR kept ORDER BY {order}"
        values = {"files": uris, **_given(query, words)}
        if name == EVENTS.name:
            values["keep"] = keep_from
        left = connection.sql(query, params=values)
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


def _columns(delta: Delta, name: str, words: Words) -> str:
    """SQL: each column as it is written: others' rows cleaned, kept rows of the customers emptied."""
    return ", ".join(f'{_column(c.name, c.type, name, words)} AS "{c.name}"' for c in delta.table)


def _column(column: str, kind: str, table: str, words: Words) -> str:
    cleaned = _cleaned(column, kind, table, words)
    if table != EVENTS.name:
        return cleaned if column in _TEXTS.get(table, ()) else f'"{column}"'
    if column in ("user_id", "anonymous_id", "event_id", "order_id", "session_id"):
        return _id(column, cleaned, words)
    if kind in ("timestamp", "date") or column == "name":
        return column
    if column in _COUNTED:
        return f"CASE WHEN NOT mine OR keeps THEN {cleaned} END"
    return cleaned if column in _KEPT else f"CASE WHEN NOT mine THEN {cleaned} END"


def _id(column: str, cleaned: str, words: Words) -> str:
    """SQL: a column of ids in events. What it stood for is still one order or visit, with no way back."""
    if column == "user_id":
        mine = "CASE WHEN keeps OR time >= $keep THEN pseudonym END"
        return f"CASE WHEN mine THEN {mine} WHEN NOT coalesce(user_id {_IS_THEIRS}, false) THEN user_id END"
    if column == "anonymous_id":
        return (
            f"CASE WHEN NOT mine AND NOT coalesce({column} {_IS_THEIRS}, false) THEN {column} END"
        )
    fresh = f"substr(sha256(getvariable('salt') || {column}), 1, 24)"
    if column == "session_id":
        return f"CASE WHEN NOT mine THEN {cleaned} WHEN keeps THEN {fresh} END"
    if not words.pattern:
        return column
    holds = f"named AND regexp_matches({column}, $pattern)"
    return f"CASE WHEN {holds} THEN 'erased-' || {fresh} ELSE {column} END"


def _cleaned(column: str, kind: str, table: str, words: Words) -> str:
    """SQL: a column of somebody else's row without what names the customers."""
    if kind == "string":
        told = f"regexp_replace({column}, $pattern, '{ERASED}', 'g')" if words.pattern else column
        if words.names and column in _WHOLE.get(table, ()):
            told = f"CASE WHEN {_is_name(column, table)} THEN '{ERASED}' ELSE {told} END"
        return column if told == column else f"CASE WHEN named THEN {told} ELSE {column} END"
    if kind != "map" or not (words.pattern or words.names):
        return column
    value, kept, tests = "e.value", f"map_entries({column})", []
    if words.pattern:
        value = f"regexp_replace(e.value, $pattern, '{ERASED}', 'g')"
        kept = f"list_filter({kept}, lambda e: NOT regexp_matches(e.key, $pattern))"
        tests.append(f"regexp_matches(CAST({column} AS VARCHAR), $pattern)")
    if words.names:
        value = f"CASE WHEN {_TELLS_NAME} THEN '{ERASED}' ELSE {value} END"
        tests.append(f"list_has_any(map_values({column}), {_NAMES})")
    entries = f"list_transform({kept}, lambda e: {{'key': e.key, 'value': {value}}})"
    return f"CASE WHEN named AND ({' OR '.join(tests)}) THEN map_from_entries({entries}) ELSE {column} END"


def _given(query: str, words: Words) -> dict[str, object]:
    """The parameters of a query for words: DuckDB refuses one that is given and not asked for."""
    return {"pattern": words.pattern} if "$pattern" in query else {}


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
            query = f"SELECT 1 FROM ({_joined(delta, name, _NO_WORDS)}) WHERE pseudonym IS NOT NULL LIMIT 1"  # noqa: S608
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
            query = f"SELECT {columns} FROM ({_joined(delta, name, _NO_WORDS)}) WHERE mine"  # noqa: S608
            rows = connection.sql(query, params={"files": snapshot.uris()}).to_arrow_table()
            found[name] = conform(rows, delta.table).to_pylist(maps_as_pydicts="strict")
    return found


def counted(warehouse: Warehouse, name: str, condition: str) -> int:
    """How many rows of a table are such."""
    delta = warehouse.tables[name]
    snapshot = delta.snapshot()
    if snapshot is None or not snapshot.files:
        return 0
    flag = "true" if delta.table.partition else "false"
    source = f"read_parquet($files, hive_partitioning = {flag})"
    query = f"SELECT count(*) FROM {source} WHERE {condition}"  # noqa: S608
    with warehouse.connection() as connection:
        row = connection.execute(query, {"files": snapshot.uris()}).fetchone()
        return int(row[0]) if row else 0


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


def without_text(warehouse: Warehouse) -> int:
    """Remove the readings of texts that are no longer there; how many."""
    texts, readings = (warehouse.tables[name].snapshot() for name in (TEXTS.name, READINGS.name))
    if readings is None or not readings.files:
        return 0
    kept = "SELECT NULL::VARCHAR AS text_id WHERE false"
    if texts is not None and texts.files:
        listed = ", ".join("'" + uri.replace("'", "''") + "'" for uri in texts.uris())
        kept = f"SELECT text_id FROM read_parquet([{listed}])"  # noqa: S608
    return rewritten(warehouse, READINGS.name, f"text_id NOT IN ({kept})", {})
