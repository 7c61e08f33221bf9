"""What the shop sells or shows, as it is now, and the facts that copy may claim about it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from sqlalchemy import Table, delete, select

from shopkeeper.core.errors import BadInput, NotFound, UnknownName
from shopkeeper.store import tables
from shopkeeper.store.batches import batches
from shopkeeper.store.database import Database
from shopkeeper.store.revisions import bump

_PAGE = 2_000
_NUMBERS = ("price", "cost", "stock")
_OFFER = ("item_id", "kind", "stock", "available_from", "expires_at")


class Catalogue:
    """Items and facts by id. A column that a row does not name keeps what it had."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def upsert_items(self, rows: Iterable[Mapping[str, Any]]) -> int:
        """Add or change items (columns of ``core.schema.ITEMS``, without validity); how many."""
        return self._upsert(tables.items, rows, {"kind": "product"})

    def upsert_facts(self, rows: Iterable[Mapping[str, Any]]) -> int:
        """Add or change facts (columns of ``core.schema.FACTS``, without validity); how many."""
        return self._upsert(tables.facts, rows, {})

    def set_stock(self, stock: Mapping[str, float]) -> int:
        """Set the units at hand by item id; items that do not exist are refused."""
        self._require(stock)
        return self.upsert_items({"item_id": k, "stock": v} for k, v in stock.items())

    def set_costs(self, costs: Mapping[str, float]) -> int:
        """Set what one unit costs the shop, by item id; unknown items are refused."""
        self._require(costs)
        return self.upsert_items({"item_id": k, "cost": v} for k, v in costs.items())

    def items(self) -> Iterator[dict[str, Any]]:
        """Every item in order of id, one page in memory at a time."""
        return self._all(tables.items, "item_id")

    def facts(self) -> Iterator[dict[str, Any]]:
        """Every fact in order of id, one page in memory at a time."""
        return self._all(tables.facts, "fact_id")

    def item(self, item_id: str) -> dict[str, Any]:
        """One item, or :class:`NotFound`."""
        query = select(tables.items).where(tables.items.c.item_id == item_id)
        with self._database.connect() as connection:
            row = connection.execute(query).mappings().first()
        if row is None:
            raise NotFound(f"No item {item_id!r}.", hint="Check the id.", field="item_id")
        return dict(row)

    def some(self, item_ids: Iterable[str]) -> dict[str, dict[str, Any]]:
        """Those of these items that exist, by id."""
        found: dict[str, dict[str, Any]] = {}
        with self._database.connect() as connection:
            for page in batches(sorted(set(item_ids)), 900):
                query = select(tables.items).where(tables.items.c.item_id.in_(page))
                rows = connection.execute(query).mappings()
                found |= {row["item_id"]: dict(row) for row in rows}
        return found

    def offers(self, item_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Those of these items (900 at most) that exist, by id: kind, stock, and when they are offered."""
        query = select(*(tables.items.c[name] for name in _OFFER))
        query = query.where(tables.items.c.item_id.in_(item_ids))
        with self._database.connect() as connection:
            return {
                row[0]: dict(zip(_OFFER, row, strict=True)) for row in connection.execute(query)
            }

    def facts_of(self, item_id: str) -> list[dict[str, Any]]:
        """What may be claimed about one item, in order of fact id."""
        f = tables.facts.c
        query = select(tables.facts).where(f.item_id == item_id).order_by(f.fact_id)
        with self._database.connect() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]

    def delete_item(self, item_id: str) -> None:
        """Remove an item with its facts."""
        with self._database.begin() as connection:
            for table in (tables.facts, tables.items):
                connection.execute(delete(table).where(table.c.item_id == item_id))
            bump(connection, "items", "facts")

    def delete_fact(self, fact_id: str) -> None:
        """Remove a fact: copy may no longer claim it."""
        with self._database.begin() as connection:
            connection.execute(delete(tables.facts).where(tables.facts.c.fact_id == fact_id))
            bump(connection, "facts")

    def _upsert(
        self, table: Table, rows: Iterable[Mapping[str, Any]], defaults: Mapping[str, Any]
    ) -> int:
        count = 0
        checked = (_checked(table, row, number) for number, row in enumerate(rows, 1))
        for batch in batches(checked, _PAGE):
            with self._database.begin() as connection:
                # One statement per run of rows with the same columns: the order of rows decides
                # which wins when an id comes twice.
                for columns, alike in groupby(batch, key=lambda row: tuple(sorted(row))):
                    key = table.primary_key.columns.keys()
                    changed = [column for column in columns if column not in key]
                    statement = tables.upsert(connection, table, key, changed)
                    connection.execute(statement, [{**defaults, **row} for row in alike])
                bump(connection, table.name)
            count += len(batch)
        return count

    def _require(self, ids: Iterable[str]) -> None:
        wanted = set(ids)
        with self._database.connect() as connection:
            for page in batches(sorted(wanted), 900):
                query = select(tables.items.c.item_id).where(tables.items.c.item_id.in_(page))
                wanted -= set(connection.scalars(query))
        if wanted:
            first = min(wanted)
            raise NotFound(
                f"No item {first!r} ({len(wanted)} unknown in all).",
                hint="Import the catalogue first.",
                field="item_id",
            )

    def _all(self, table: Table, key: str) -> Iterator[dict[str, Any]]:
        column = table.c[key]
        query = select(table).order_by(column).limit(_PAGE)
        last = ""
        while True:
            with self._database.connect() as connection:
                page = connection.execute(query.where(column > last)).mappings().all()
            yield from map(dict, page)
            if len(page) < _PAGE:
                return
            last = page[-1][key]


def _checked(table: Table, row: Mapping[str, Any], number: int) -> dict[str, Any]:
    for name in row:
        if name not in table.c:
            raise UnknownName(f"column of {table.name}", name, table.c.keys(), field=name)
    for name in table.primary_key.columns.keys():  # noqa: SIM118 - not a dict
        if not isinstance(row.get(name), str) or not row[name]:
            raise BadInput(f"Row {number} has no {name}.", hint="Give it an id.", field=name)
    for name in _NUMBERS:
        value = row.get(name)
        if value is None:
            continue
        if not isinstance(value, int | float) or not math.isfinite(value):
            raise BadInput(
                f"Row {number}: {name} is {value!r}, not a number.", hint="Write 19.9.", field=name
            )
        if value < 0 and name != "stock":
            raise BadInput(
                f"Row {number}: {name} is negative ({value}).", hint="Write 0 or more.", field=name
            )
    return dict(row)
