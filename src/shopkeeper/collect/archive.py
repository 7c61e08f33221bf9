"""Segment calls of a file on their way in: staged, compared with the tables, then loaded."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import pyarrow as pa

from shopkeeper.collect import landing
from shopkeeper.collect.engine import clear, connect, spill
from shopkeeper.collect.segment import Accepted
from shopkeeper.collect.tally import KINDS, Refusal, Tally
from shopkeeper.collect.types import Money
from shopkeeper.core.period import Days
from shopkeeper.core.schema import EVENTS, TABLES
from shopkeeper.warehouse.arrow import arrow_schema, from_rows

if TYPE_CHECKING:
    from shopkeeper.shop.shop import Shop

_TABLES = ("texts", "traits", "events")
_ROWS = 20_000
_OUT = 65_536
_TRAIT = "customer_id || chr(31) || name || chr(31) || epoch_us(time)"


class Archive:
    """The rows of one file of calls."""

    def __init__(self, shop: Shop, import_id: str) -> None:
        self._shop = shop
        self._spill = spill(shop, import_id)
        self.now = shop.now()
        self.tally = Tally()
        self.refused: list[Refusal] = []
        self.customers: list[dict[str, Any]] = []
        self.links: list[tuple[str, str, str, int]] = []
        self._rows: dict[str, list[dict[str, Any]]] = {name: [] for name in _TABLES}
        self._calls: list[tuple[str, str]] = []
        self._linked = 0
        self._connection = connect(self._spill)
        for name in _TABLES:
            empty = arrow_schema(TABLES[name]).empty_table()
            self._connection.register("empty", empty)
            self._connection.execute(f"CREATE TABLE {name} AS SELECT * FROM empty")  # noqa: S608
        self._connection.execute("CREATE TABLE calls (name VARCHAR, key VARCHAR)")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._connection.close()
        clear(self._spill)

    def add(self, call: Accepted) -> None:
        """Stage the rows of a good call."""
        for table, _, row in call.rows:
            self._rows[table].append(row)
        if call.link is not None:
            self.links.append((*call.link, call.time))
        if call.customer is not None:
            self.customers.append(call.customer)
        self._calls.append(self._key(call))
        if len(self._calls) >= _ROWS:
            self._flush()

    def settle(self) -> None:
        """End the staging: spans and money."""
        self._flush()
        span = self._select("SELECT min(day) AS a, max(day) AS b FROM events").to_pylist()[0]
        self.tally.first_day, self.tally.last_day = span["a"], span["b"]
        self._money()

    def calls(self) -> tuple[int, int]:
        """How many good calls are new, and how many known: earlier in the file or in the tables."""
        first, last = self.tally.first_day, self.tally.last_day
        known = self._traits()
        if first is not None and last is not None:
            known = pa.concat_tables(
                [known, landing.known(self._shop, "events", Days(first, last))]
            )
        self._connection.register("known", known)
        query = (
            "SELECT count(*) AS n FROM (SELECT key, row_number() OVER (PARTITION BY name, key) AS o "
            "FROM calls) WHERE o > 1 OR key IN (SELECT key FROM known)"
        )
        duplicate = int(self._select(query).column("n")[0].as_py()) + self._linked
        total = int(self._select("SELECT count(*) AS n FROM calls").column("n")[0].as_py())
        return total + self._linked - duplicate, duplicate

    def load(self) -> dict[str, int]:
        """Write the staged rows, each table in one commit, events last; new rows by table."""
        loaded: dict[str, int] = {}
        with self._shop.writer("import of calls") as writer:
            for name in _TABLES:
                if not self._count(name):
                    continue
                order = "day, time" if TABLES[name].partition else "time"
                rows = self._connection.sql(f"SELECT * FROM {name} ORDER BY {order}")  # noqa: S608
                loaded[name] = writer.load(name, rows.to_arrow_reader(_OUT)).new
        items = landing.unknown(self._shop, self._items())
        loaded["items"] = self._shop.catalogue.upsert_items(items)
        people = self._select(
            "SELECT user_id AS customer_id, min(time) AS first_seen FROM events "
            "WHERE user_id IS NOT NULL GROUP BY 1 ORDER BY 1"
        )
        loaded["customers"] = landing.merge_customers(self._shop, people.to_pylist())
        return {name: rows for name, rows in loaded.items() if rows}

    def _key(self, call: Accepted) -> tuple[str, str]:
        for table, key, row in call.rows:
            if table == EVENTS.name:
                return "event", key
            if table == "traits":
                return "trait", f"{row['customer_id']}\x1f{row['name']}\x1f{row['time']}"
        sent = "\x1f".join(call.link) if call.link else str(call.user_id)
        if call.link and self._shop.people.customer_of(call.link[0]) == call.link[1]:
            return "known link", sent
        return "link", sent

    def _flush(self) -> None:
        for name, rows in self._rows.items():
            if rows:
                self._connection.register("incoming", from_rows(rows, TABLES[name]))
                self._connection.execute(f"INSERT INTO {name} SELECT * FROM incoming")  # noqa: S608
                rows.clear()
        good = [(name, key) for name, key in self._calls if name != "known link"]
        self._linked += len(self._calls) - len(good)
        if good:
            names, keys = zip(*good, strict=True)
            self._connection.register(
                "incoming", pa.table({"name": list(names), "key": list(keys)})
            )
            self._connection.execute("INSERT INTO calls SELECT * FROM incoming")
        self._calls.clear()

    def _traits(self) -> pa.Table:
        empty = pa.table({"key": pa.array([], pa.string())})
        if not self._count("traits"):
            return empty
        stored = self._shop.query(lambda s: s.traits().select("customer_id", "name", "time"))
        self._connection.register("stored", stored)
        return self._select(f"SELECT {_TRAIT} AS key FROM stored")  # noqa: S608

    def _items(self) -> list[dict[str, Any]]:
        """What the calls' products say about items; the latest word counts."""
        told = {"title": "name", "brand": "brand", "category": "category", "image_url": "image_url"}
        columns = ", ".join(
            f"max_by(properties['{theirs}'], time) FILTER (properties['{theirs}'] IS NOT NULL) AS {ours}"
            for ours, theirs in told.items()
        )
        query = (
            f"SELECT item_id, 'product' AS kind, {columns}, median(price) FILTER (price > 0) AS price, "  # noqa: S608
            "any_value(currency) AS currency FROM events WHERE item_id IS NOT NULL GROUP BY 1"
        )
        rows: list[dict[str, Any]] = self._select(query).to_pylist()
        return rows

    def _money(self) -> None:
        kinds = ", ".join(f"'{kind}'" for kind in KINDS)
        query = (
            f"SELECT name AS outcome, count(*) AS rows, coalesce(sum(value), 0) AS value, "  # noqa: S608
            "coalesce(sum(value), 0) * (CASE name WHEN 'refund' THEN -1 ELSE 1 END) AS file_value, "
            "count(*) - count(value) AS unpriced, count(*) FILTER (user_id IS NULL) AS without_customer, "
            "coalesce(sum(value) FILTER (user_id IS NULL), 0) AS without_customer_value "
            f"FROM events WHERE name IN ({kinds}) GROUP BY name ORDER BY 1"
        )
        for line in self._select(query).to_pylist():
            self.tally.earn(Money(**line))

    def _count(self, table: str) -> int:
        return int(self._select(f"SELECT count(*) AS n FROM {table}").column("n")[0].as_py())  # noqa: S608

    def _select(self, query: str) -> pa.Table:
        return self._connection.sql(query).to_arrow_table()
