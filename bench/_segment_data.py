"""A million simulated customers and fifty million events, written as Parquet by DuckDB in a minute or two.

Not the simulator's people: how often they come is drawn from a gamma, what they want from a few
categories each, and every table has the shape of a real one. It is for speed and memory alone.
"""

from __future__ import annotations

import shutil
import sys
from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa

from shopkeeper.core.schema import EVENTS
from shopkeeper.core.settings import Settings
from shopkeeper.shop import Shop
from shopkeeper.warehouse.arrow import conform
from shopkeeper.warehouse.delta import FileWriter

FIRST = date(2025, 11, 1)
DAYS = 365
ITEMS = 5_000
_MORE = """
WITH base AS (
    SELECT i, hash(i, $seed, {day}) AS h, hash(i, $seed + 1, {day}) AS g
    FROM range($rows) t(i)
), who AS (
    SELECT i, h, g,
        -- a square root of a uniform number: some come often, most seldom
        CAST($customers * pow((h % 1000000007) / 1000000007.0, 1.6) AS BIGINT) AS c,
        g % 1000 AS kind, (h // 7) % 86400 AS second
    FROM base
), told AS (
    SELECT *, CASE WHEN kind < 400 THEN 'view_item' WHEN kind < 700 THEN 'view_item_list'
        WHEN kind < 800 THEN 'search' WHEN kind < 880 THEN 'add_to_cart' WHEN kind < 920 THEN 'begin_checkout'
        WHEN kind < 960 THEN 'purchase' WHEN kind < 962 THEN 'refund' ELSE 'order_delivered' END AS name,
        'i' || CAST((c * 31 + (g // 1000) % 40) % {items} AS VARCHAR) AS item,
        20 + (c * 31 + (g // 1000) % 40) % 300 AS cost_of
    FROM who
)
SELECT '{day}-' || i AS event_id, 'c' || lpad(CAST(c AS VARCHAR), 7, '0') AS user_id,
    NULL::VARCHAR AS anonymous_id, name,
    CAST('{date}' AS TIMESTAMP) + to_seconds(second) AS time,
    CAST('{date}' AS TIMESTAMP) + to_seconds(second + 2) AS received_at, DATE '{date}' AS day,
    CASE WHEN name NOT IN ('search', 'view_item_list') THEN item END AS item_id,
    CASE WHEN name IN ('purchase', 'refund') THEN 1.0 END AS quantity,
    CASE WHEN name IN ('purchase', 'refund') THEN CAST(cost_of AS DOUBLE) END AS price,
    CASE WHEN name IN ('purchase', 'refund') THEN cost_of * (1 - (g % 5) * 0.05) END AS value,
    CASE WHEN name IN ('purchase', 'refund') THEN 'o{day}-' || (i // 2) END AS order_id,
    's{day}-' || c AS session_id,
    ['direct', 'email', 'social', 'organic_search', 'paid_search'][1 + c % 5] AS channel,
    'bench' AS source
FROM told
"""


def build(folder: Path, customers: int, events: int, seed: int, days: int = DAYS) -> None:
    """A shop in ``folder`` whose events go on for ``days`` days."""
    settings = Settings(name="Bench", time_zone="UTC", currency="CNY", memory_mb=4000)
    with Shop.create(folder, settings) as shop:
        shop.catalogue.upsert_items(_items())
        with shop.writer("bench") as writer:
            writer.snapshot()
        files = FileWriter(shop.warehouse.tables["events"])
        per_day = events // days
        with shop.warehouse.connection() as connection:
            for number in range(days):
                day = FIRST + timedelta(days=number)
                query = _MORE.format(day=number, date=day, items=ITEMS)
                given = {"rows": per_day, "seed": seed, "customers": customers}
                rows = connection.sql(query, params=given).to_arrow_table()
                files.add(conform(_utc(rows), EVENTS))
        shop.warehouse.tables["events"].commit(files.finish())


def _utc(rows: pa.Table) -> pa.Table:
    for name in ("time", "received_at"):
        told = rows.column(name).cast(pa.timestamp("us")).cast(pa.timestamp("us", tz="UTC"))
        rows = rows.set_column(rows.schema.get_field_index(name), name, told)
    return rows


def _items() -> list[dict[str, object]]:
    return [
        {
            "item_id": f"i{n}",
            "kind": "product",
            "title": f"Item {n}",
            "brand": f"Brand {n % 60}",
            "category": f"Goods {n % 8} > Kind {n % 40}",
            "price": float(20 + n % 300),
        }
        for n in range(ITEMS)
    ]


if __name__ == "__main__":
    where = Path(sys.argv[1])
    shutil.rmtree(where, ignore_errors=True)
    build(where, int(sys.argv[2]), int(sys.argv[3]), seed=1)
