"""Hands staged rows over: to the tables in one commit, to the catalogue, to the customers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING, Any

import narwhals as nw
import pyarrow as pa

from shopkeeper.collect.cells import literal
from shopkeeper.collect.stage import Stage
from shopkeeper.core.period import Days
from shopkeeper.core.schema import CUSTOMERS, ITEMS, TABLES

if TYPE_CHECKING:
    from shopkeeper.shop.shop import Shop


def load(shop: Shop, stage: Stage, source: str) -> tuple[int, int, dict[str, int]]:
    """Write the staged rows; how many were new and known, and the new rows of each table."""
    target = stage.mapping.target
    if target in ("events", "texts"):
        with shop.writer("import") as writer:
            rows = stage.rows(TABLES[target], _constants(shop, source))
            loaded = writer.load(target, rows)
        written: dict[str, int] = {target: loaded.new}
        if target == "events":
            written |= _catalogue(shop, stage)
        return loaded.new, loaded.duplicate, written
    changed, same = _compare(shop, stage)
    if target == "items":
        shop.catalogue.upsert_items(changed)
    else:
        shop.people.upsert(changed)
    return len(changed), same, {target: len(changed)}


def preview(shop: Shop, stage: Stage) -> tuple[int, int]:
    """How many of the staged rows are new and how many known, without writing any."""
    if stage.mapping.target in ("events", "texts"):
        total = stage.select("SELECT count(*) AS n FROM ordered").column("n")[0].as_py()
        first, last = stage.tally.first_day, stage.tally.last_day
        if first is None or last is None:
            return total, 0
        table = stage.mapping.target
        duplicate = stage.without(known(shop, table, Days(first, last)))
        return total - duplicate, duplicate
    changed, same = _compare(shop, stage)
    return len(changed), same


def known(shop: Shop, table: str, days: Days) -> pa.Table:
    """The ids (column ``key``) that the table has on these days."""
    key = TABLES[table].key[0]
    if table == "events":
        return shop.query(lambda s: s.events(days).select(nw.col(key).alias("key")), live=True)
    return shop.query(lambda s: s.texts(days).select(nw.col(key).alias("key")))


def span(stage: Stage) -> tuple[date | None, date | None]:
    """The first and the last local day of the staged rows."""
    if "day" not in stage.plan.columns:
        return None, None
    row = stage.select("SELECT min(day) AS a, max(day) AS b FROM ordered").to_pylist()[0]
    return row["a"], row["b"]


def _constants(shop: Shop, source: str) -> dict[str, str]:
    return {
        "received_at": f"TIMESTAMPTZ '{shop.now():%Y-%m-%d %H:%M:%S.%f}+00'",
        "source": literal(source),
    }


def _compare(shop: Shop, stage: Stage) -> tuple[list[dict[str, Any]], int]:
    """The staged items or customers that differ from what is stored, and how many do not."""
    target = stage.mapping.target
    table = ITEMS if target == "items" else CUSTOMERS
    key = table.key[0]
    rows = [row for batch in stage.rows(table, {}) for row in _plain(batch)]
    wanted = {row[key] for row in rows}
    stored = shop.catalogue.items() if target == "items" else shop.people.all()
    now = {row[key]: row for row in stored if row[key] in wanted}
    changed = [row for row in rows if not _same(row, now.get(row[key]))]
    return changed, len(rows) - len(changed)


def _plain(batch: pa.RecordBatch) -> Iterator[dict[str, Any]]:
    for row in batch.to_pylist(maps_as_pydicts="strict"):
        yield {name: value for name, value in row.items() if value is not None}


def _same(row: dict[str, Any], stored: dict[str, Any] | None) -> bool:
    if stored is None:
        return False
    for name, value in row.items():
        have = stored.get(name)
        if isinstance(value, dict):
            if any((have or {}).get(k) != v for k, v in value.items()):
                return False
        elif have != value:
            return False
    return True


def _catalogue(shop: Shop, stage: Stage) -> dict[str, int]:
    written: dict[str, int] = {}
    if "item_kind" in stage.plan.columns:
        written["items"] = shop.catalogue.upsert_items(unknown(shop, _items(shop, stage)))
    if "user_id" in stage.plan.columns and stage.mapping.customers is not None:
        found = stage.select(_customers(stage)).to_pylist(maps_as_pydicts="strict")
        written["customers"] = merge_customers(shop, found)
    return written


def merge_customers(shop: Shop, found: list[dict[str, Any]]) -> int:
    """Add these customers, or what is new of them; how many changed."""
    rows = [{k: v for k, v in row.items() if v is not None} for row in found]
    wanted = {row["customer_id"] for row in rows}
    stored = {row["customer_id"]: row for row in shop.people.all() if row["customer_id"] in wanted}
    changed = []
    for row in rows:
        have = stored.get(row["customer_id"])
        if have and have["first_seen"] and row.get("first_seen"):
            row["first_seen"] = min(row["first_seen"], have["first_seen"])
        if not _same(row, have):
            changed.append(row)
    return shop.people.upsert(changed)


def _items(shop: Shop, stage: Stage) -> list[dict[str, Any]]:
    """The items that the events name: each text the most frequent one, each number the median."""
    columns = [
        name for name in stage.plan.columns if name.startswith("item_") and name != "item_id"
    ]
    kinds = {column.name: column.type for column in ITEMS}
    numbers = [c for c in columns if kinds[c.removeprefix("item_")] == "float64"]
    sold = "coalesce(price, 0) > 0" if "price" in stage.plan.columns else "true"
    medians = "".join(
        f", median({c}) FILTER ({c} > 0) AS {c.removeprefix('item_')}" for c in numbers
    )
    rows = {
        row["item_id"]: row
        for row in stage.select(
            f"SELECT item_id{medians} FROM ordered WHERE item_id IS NOT NULL GROUP BY 1"  # noqa: S608
        ).to_pylist()
    }
    for column in columns:
        if column in numbers:
            continue
        # Titles of lines that were sold come before those of corrections ("damaged", "?").
        query = (
            f"SELECT item_id, max_by(v, row(sold, n, v)) AS v FROM (SELECT item_id, {column} AS v, "  # noqa: S608
            f"bool_or({sold}) AS sold, count(*) AS n FROM ordered "
            f"WHERE item_id IS NOT NULL AND {column} IS NOT NULL GROUP BY ALL) GROUP BY 1"
        )
        for row in stage.select(query).to_pylist():
            rows[row["item_id"]][column.removeprefix("item_")] = row["v"]
    for row in rows.values():
        if row.get("price") is not None:
            row["currency"] = shop.settings.currency
    return list(rows.values())


def unknown(shop: Shop, rows: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """What the catalogue lacks of these rows: events fill it, they never overwrite it."""
    wanted = {row["item_id"] for row in rows}
    stored = {row["item_id"]: row for row in shop.catalogue.items() if row["item_id"] in wanted}
    for row in rows:
        have = stored.get(row["item_id"], {})
        new = {k: v for k, v in row.items() if v is not None and have.get(k) is None}
        if new:
            yield {**new, "item_id": row["item_id"]}


def _customers(stage: Stage) -> str:
    columns = [name for name in stage.plan.columns if name.startswith("customer_")]
    latest = "".join(
        f", max_by({c}, row(time, place)) FILTER ({c} IS NOT NULL) AS {c.removeprefix('customer_')}"
        for c in columns
    )
    return (
        f"SELECT user_id AS customer_id, timezone('UTC', min(time)) AS first_seen{latest} "  # noqa: S608
        "FROM ordered WHERE user_id IS NOT NULL GROUP BY 1 ORDER BY 1"
    )
