"""Any Spark Connect server: Apache Spark 4, or Sail, which needs no JVM (``docs/spark.md``).

The server reads the tables itself, so it must see them under the same path or URL. Where it knows
Delta it is given the version; otherwise that version's Parquet files.
"""

# ruff: noqa: E402
from __future__ import annotations

import re
import threading
import warnings
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from datetime import date
from typing import Any, Final

# Before the imports that warn: the client's own pandas parts, which Shopkeeper does not use.
warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas", FutureWarning)
warnings.filterwarnings("ignore", r"\[RETRIES_EXCEEDED\]", UserWarning)  # the error says it

import pyarrow as pa
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame
from pyspark.sql.connect import functions as sf
from pyspark.sql.connect.client.core import DefaultChannelBuilder
from pyspark.sql.connect.client.retries import DefaultPolicy
from pyspark.sql.connect.session import SparkSession

from shopkeeper.core.errors import BadInput, ShopkeeperError, Unavailable
from shopkeeper.core.period import Days
from shopkeeper.core.schema import Table
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

_SESSION: Final = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.ansi.enabled": "true",  # an overflow or a wrong cast is an error, not a silent null
}
_CHANNEL: Final = [
    # A new session must not wait as long as the lost one had learnt to wait between its tries.
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.max_reconnect_backoff_ms", 1_000),
]
_RETRIES: Final = 4  # about four seconds; the client's own default waits ten minutes
_TYPES: Final = {
    "string": "STRING",
    "int64": "BIGINT",
    "float64": "DOUBLE",
    "bool": "BOOLEAN",
    "timestamp": "TIMESTAMP",
    "date": "DATE",
    "map": "MAP<STRING, STRING>",
}
_NO_DELTA: Final = re.compile(r"DATA_SOURCE_NOT_FOUND|no data source found", re.IGNORECASE)
_PASSING: Final = re.compile(
    # A file that maintenance removed, a session that the server forgot, a server that restarted.
    r"not.?found|no such file|no commit files|not.?exist|invalid.?handle|session|unavailable|refused"
    r"|retries|reset",
    re.IGNORECASE,
)
_DETAILS: Final = re.compile(r'details = "(.*?)"\n', re.DOTALL)


def connect(means: Means) -> Spark:
    """The engine; it speaks to the server when there is first a query.

    Raises:
        BadInput: no address is given, or one that cannot be read.
    """
    hint = 'Set spark_url = "sc://127.0.0.1:50051" in shopkeeper.toml.'
    if not means.spark_url:
        raise BadInput("The engine is spark, but no server is named.", hint=hint, field="spark_url")
    try:
        _channel(means.spark_url)
    except (PySparkException, ValueError) as error:
        # The reason may repeat the address, and that may hold a token.
        raise BadInput("spark_url cannot be read.", hint=hint, field="spark_url") from error
    return Spark(means.spark_url)


class Spark:
    """One session on the server, made anew when it was lost; its queries may run at once."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._lock = threading.Lock()
        self._session: SparkSession | None = None
        self._delta: bool | None = None

    def run(self, build: Callable[[Scan[Any]], Frame], reopen: Callable[[], None]) -> pa.Table:
        """See :class:`~shopkeeper.warehouse.engines.base.Engine`."""
        try:
            return self._once(build)
        except PySparkException as error:
            if not _PASSING.search(str(error)):
                raise _translated(error) from error
        reopen()
        try:
            return self._once(build)
        except PySparkException as error:
            raise _translated(error) from error

    def close(self) -> None:
        """End the session."""
        with self._lock:
            session, self._session = self._session, None
        if session is not None:
            with suppress(PySparkException):  # the server is gone, and the session with it
                session.stop()

    def _once(self, build: Callable[[Scan[Any]], Frame]) -> pa.Table:
        session = self._open()
        try:
            rows: DataFrame = build(_Scan(session, self._knows_delta)).to_native()
            return rows.toArrow()
        except PySparkException as error:
            if _PASSING.search(str(error)):
                self._forget(session)
            raise

    def _open(self) -> SparkSession:
        with self._lock:
            if self._session is None:
                session = SparkSession.builder.channelBuilder(_channel(self._url)).create()
                session.client.set_retry_policies([DefaultPolicy(max_retries=_RETRIES)])
                for name, value in _SESSION.items():
                    session.conf.set(name, value)
                self._session = session
            return self._session

    def _forget(self, lost: SparkSession) -> None:
        """Let the next query open another session, unless another thread has done so already."""
        with self._lock:
            if self._session is lost:
                self._session = None

    def _knows_delta(self, rows: DataFrame) -> bool:
        """Whether the server reads Delta: asked once, of the first table."""
        if self._delta is None:
            try:
                self._delta = bool(rows.columns)
            except PySparkException as error:
                if not _NO_DELTA.search(str(error)):
                    raise
                self._delta = False
        return self._delta


def _channel(url: str) -> DefaultChannelBuilder:
    return DefaultChannelBuilder(url, _CHANNEL)


class _Scan:
    def __init__(self, session: SparkSession, knows_delta: Callable[[DataFrame], bool]) -> None:
        self._session = session
        self._knows_delta = knows_delta

    def stored(
        self, delta: Delta, snapshot: Snapshot | None, days: Collection[date] | None
    ) -> DataFrame:
        table = delta.table
        uris = snapshot.uris(days) if snapshot else []
        if snapshot is None or not uris:
            return self._session.createDataFrame([], _ddl(table))
        reader = self._session.read.format("delta").option("versionAsOf", str(snapshot.version))
        rows: DataFrame = reader.load(delta.uri)
        if self._knows_delta(rows):
            if days is not None:
                rows = rows.filter(_among(snapshot, frozenset(days)))
        else:
            parquet = self._session.read.schema(_ddl(table)).option("basePath", delta.uri)
            rows = parquet.parquet(*uris)
        return rows.select(*table.names)

    def given(self, table: pa.Table) -> DataFrame:
        return self._session.createDataFrame(table)

    def select(self, rows: DataFrame, columns: Sequence[str]) -> DataFrame:
        return rows.select(*columns)

    def between(self, rows: DataFrame, days: Days) -> DataFrame:
        return rows.filter(_within(days.start, days.end))

    def union(self, first: DataFrame, second: DataFrame) -> DataFrame:
        return first.union(second)

    def with_ms(self, rows: DataFrame) -> DataFrame:
        return rows.withColumn("time_ms", sf.expr("unix_micros(time) DIV 1000"))

    def rolled_up(self, events: DataFrame, keys: Sequence[str] = KEYS) -> DataFrame:
        return events.groupBy(*keys).agg(*(sf.expr(sql) for sql in AGGREGATES))

    def identified(
        self,
        rows: DataFrame,
        identities: DataFrame | None,
        handovers: DataFrame | None = None,
        moment: Moment = "time",
    ) -> DataFrame:
        if identities is None:
            return rows.withColumn("customer_id", sf.expr(SENT))
        known = identities.selectExpr(*renamed(KNOWN_COLUMNS))
        joined: Any = rows.join(known, sf.expr(KNOWN), "left")
        customer, helping = CUSTOMER, list(KNOWN_COLUMNS.values())
        if handovers is not None:
            shared = handovers.selectExpr(*renamed(SHARED_COLUMNS))
            joined = joined.join(shared, sf.expr(SHARED[moment]), "left")
            customer, helping = CUSTOMER_OF_SHARED, [*helping, *SHARED_COLUMNS.values()]
        told: DataFrame = joined.withColumn("customer_id", sf.expr(customer)).drop(*helping)
        return told


def _among(snapshot: Snapshot, wanted: frozenset[date]) -> str:
    """Those days as few ranges: every other day in a range has no rows at that version."""
    runs: list[tuple[date, date]] = []
    fresh = True
    for day in sorted({file.day for file in snapshot.files if file.day is not None}):
        if day not in wanted:
            fresh = True
        elif fresh:
            runs, fresh = [*runs, (day, day)], False
        else:
            runs[-1] = (runs[-1][0], day)
    return " OR ".join(_within(*run) for run in runs)


def _within(start: date, end: date) -> str:
    return f"(day BETWEEN DATE'{start}' AND DATE'{end}')"


def _ddl(table: Table) -> str:
    return ", ".join(f"`{column.name}` {_TYPES[column.type]}" for column in table)


def _translated(error: PySparkException) -> ShopkeeperError:
    found = _DETAILS.search(str(error))
    text = " ".join((found.group(1) if found else str(error)).split())[:500].rstrip(".")
    if _PASSING.search(str(error)):
        return Unavailable(
            f"The Spark server does not answer as it should: {text}.",
            hint="Check that it runs at spark_url and sees the shop's tables under the same path.",
        )
    return ShopkeeperError(
        f"The Spark server refused a query: {text}.",
        hint="It must be Apache Spark 4 or Sail 0.7, or later.",
    )
