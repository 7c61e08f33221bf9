"""Whose the rows of the tables are: each id counts as a customer's for the time that it was theirs."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager

import duckdb
import pyarrow as pa

from shopkeeper.core.events import PURCHASE, REFUND
from shopkeeper.core.schema import EVENTS, READINGS, TEXTS
from shopkeeper.core.subject import Needles, Subject
from shopkeeper.warehouse.arrow import conform
from shopkeeper.warehouse.delta import Delta
from shopkeeper.warehouse.mentions import NO_WORDS, Words, holding, mentions, named_fields
from shopkeeper.warehouse.warehouse import Warehouse

_PRIVATE = (
    "(kind IN ('chat', 'ticket') AND thread_id IN (SELECT t.thread_id "
    "FROM read_parquet($files, hive_partitioning = true) t JOIN held ON t.customer_id = held.sent_id "
    "WHERE t.thread_id IS NOT NULL))"
)
"""A conversation between the customer and the shop: the shop's part of it goes as well."""
IS_THEIRS = "IN (SELECT id FROM ids)"
_SENDER = {"events": "coalesce(user_id, anonymous_id)"}

# Readings before texts: once a text is gone nothing says any more whose its readings were.
ALL = (
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
def prepared(
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
    theirs = f"SELECT text_id FROM ({joined(texts, NO_WORDS)}) WHERE mine"  # noqa: S608
    connection.execute(f"INSERT INTO their_texts {theirs}", {"files": snapshot.uris()})


def joined(delta: Delta, words: Words, given: str = "") -> str:
    """SQL: the table's rows with whose they are, whether they are, and whether they name them.

    The rows are those of ``$files``, or of the relation ``given``.
    """
    name = delta.table.name
    partitioned = "true" if delta.table.partition else "false"
    rows = given or f"read_parquet($files, hive_partitioning = {partitioned})"
    if name == READINGS.name:
        return (
            "SELECT *, text_id IN (SELECT text_id FROM their_texts) AS mine, false AS kept, "  # noqa: S608
            f"{_named(delta, words)} AS named, NULL::VARCHAR AS pseudonym, false AS keeps "
            f"FROM {rows}"
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
    return (
        f"SELECT *, pseudonym IS NOT NULL OR {private} AS mine, {kept} AS kept, "  # noqa: S608
        f"{_named(delta, words)} AS named FROM (SELECT r.*{extra}, h.pseudonym, h.keeps "
        f"FROM {rows} r "
        f"LEFT JOIN held h ON {sender} = h.sent_id {within})"
    )


def _named(delta: Delta, words: Words) -> str:
    """SQL: whether a row of anybody names one of the customers."""
    tests = ["false"]
    if delta.table is EVENTS:
        tests += (
            f"coalesce({column} {IS_THEIRS}, false)" for column in ("user_id", "anonymous_id")
        )
    tests += mentions(delta, words)
    if words.names:
        tests += (f"coalesce({test}, false)" for test in named_fields(delta))
    return "(" + " OR ".join(tests) + ")"


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


def first_row(warehouse: Warehouse, subject: Subject) -> bool:
    """Whether any row of any table is this customer's."""
    with prepared(warehouse, [subject]) as connection:
        for delta, uris in _filled(warehouse):
            query = f"SELECT 1 FROM ({joined(delta, NO_WORDS)}) WHERE pseudonym IS NOT NULL LIMIT 1"  # noqa: S608
            if connection.execute(query, {"files": uris}).fetchone():
                return True
    return False


def of(warehouse: Warehouse, subject: Subject) -> dict[str, list[dict[str, object]]]:
    """Every row of the customer, and of conversations with them, by table."""
    found: dict[str, list[dict[str, object]]] = {}
    with prepared(warehouse, [subject]) as connection:
        for delta, uris in _filled(warehouse):
            columns = ", ".join(f'"{column}"' for column in delta.table.names)
            query = f"SELECT {columns} FROM ({joined(delta, NO_WORDS)}) WHERE mine"  # noqa: S608
            rows = connection.sql(query, params={"files": uris}).to_arrow_table()
            found[delta.table.name] = conform(rows, delta.table).to_pylist(maps_as_pydicts="strict")
    return found


def _filled(warehouse: Warehouse) -> Iterator[tuple[Delta, list[str]]]:
    """The tables that hold people's rows and have any, with the addresses of their files."""
    for name in ALL:
        delta = warehouse.tables[name]
        snapshot = delta.snapshot()
        if snapshot is not None and snapshot.files:
            yield delta, snapshot.uris()


def senders_holding(warehouse: Warehouse, texts: Sequence[str], ids: Collection[str]) -> set[str]:
    """Ids that sent events, other than ``ids``, in which one of the texts stands."""
    snapshot = warehouse.tables[EVENTS.name].snapshot()
    if snapshot is None or not snapshot.files or not texts:
        return set()
    words = Words.of(Needles(frozenset(texts), tuple(texts)))
    found: set[str] = set()
    with warehouse.connection() as connection:
        for column in ("user_id", "anonymous_id"):
            test = " OR ".join(f"({one})" for one in holding({column: column}, words))
            query = f"SELECT DISTINCT {column} FROM read_parquet($files) WHERE {test}"  # noqa: S608
            values: dict[str, object] = {"files": snapshot.uris()}
            if "$pattern" in query:
                values["pattern"] = words.pattern
            found.update(one for (one,) in connection.execute(query, values).fetchall())
    return found - set(ids)
