"""Amazon Personalize's data sets: interactions, items and users as CSV, with their schemas."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import narwhals as nw
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pcsv

from shopkeeper.collect.cells import FORMULA
from shopkeeper.collect.months import months
from shopkeeper.core import events
from shopkeeper.core.operation import Progress
from shopkeeper.core.period import Days

if TYPE_CHECKING:
    from shopkeeper.shop.shop import Shop

ABOUT = "interactions, items and users as CSV with Avro schemas, for Amazon Personalize"
_TYPES = {events.VIEW_ITEM: "View", events.PURCHASE: "Purchase", events.ADD_TO_CART: "AddToCart"}
_LEFT_OUT = (events.REFUND, events.STOCK_ADJUSTMENT)
_LEVELS = 3
_INTERACTIONS = pa.schema(
    {"USER_ID": pa.string(), "ITEM_ID": pa.string(), "TIMESTAMP": pa.int64(),
     "EVENT_TYPE": pa.string(), "EVENT_VALUE": pa.float64()}
)  # fmt: skip
_ITEMS = pa.schema(
    {"ITEM_ID": pa.string(), "PRICE": pa.float64(), "CATEGORY_L1": pa.string(),
     "CATEGORY_L2": pa.string(), "CATEGORY_L3": pa.string(), "PRODUCT_DESCRIPTION": pa.string(),
     "CREATION_TIMESTAMP": pa.int64(), "BRAND": pa.string()}
)  # fmt: skip
_USERS = pa.schema({"USER_ID": pa.string(), "COUNTRY": pa.string(), "LANGUAGE": pa.string()})
_SETS = {"Interactions": _INTERACTIONS, "Items": _ITEMS, "Users": _USERS}
_REQUIRED = frozenset({"USER_ID", "ITEM_ID", "TIMESTAMP", "EVENT_TYPE"})
_AVRO = {pa.string(): "string", pa.int64(): "long", pa.float64(): "float"}
_CATEGORICAL = frozenset(
    {"CATEGORY_L1", "CATEGORY_L2", "CATEGORY_L3", "BRAND", "COUNTRY", "LANGUAGE"}
)


def write(shop: Shop, folder: Path, progress: Progress) -> dict[str, int]:
    """Write the three data sets; the rows of each. Events without a customer or an item are left out."""
    rows = {"interactions.csv": _interactions(shop, folder / "interactions.csv", progress)}
    for name, table in (("items.csv", _items(shop)), ("users.csv", _users(shop))):
        progress(1, 2, f"writing {name}")
        pcsv.write_csv(safe(table), folder / name)
        rows[name] = table.num_rows
    for name, schema in _SETS.items():
        (folder / f"{name.lower()}.avsc").write_text(_avro(name, schema), "utf-8")
        rows[f"{name.lower()}.avsc"] = 0
    return rows


def safe(table: pa.Table) -> pa.Table:
    """The table with an apostrophe before each text that a spreadsheet would run."""
    columns = []
    for column in table.columns:
        if pa.types.is_string(column.type):
            runs = pc.match_substring_regex(column, FORMULA)
            column = pc.if_else(runs, pc.binary_join_element_wise("'", column, ""), column)
        columns.append(column)
    return pa.table(columns, schema=table.schema)


def _interactions(shop: Shop, path: Path, progress: Progress) -> int:
    written = 0
    periods = months(shop, "events")
    with pcsv.CSVWriter(path, _INTERACTIONS) as out:
        for done, days in enumerate(periods):
            progress(done, len(periods), f"writing interactions of {days}")
            found = _events(shop, days)
            names = {name: _TYPES.get(name, name) for name in found["name"].unique().to_pylist()}
            kinds = [names[name] for name in found["name"].to_pylist()]
            seconds = pc.floor(pc.divide(found["time_ms"].cast(pa.float64()), 1000.0)).cast(
                pa.int64()
            )
            table = pa.table(
                [found["customer_id"], found["item_id"], seconds, pa.array(kinds, pa.string()),
                 found["value"].cast(pa.float64())], schema=_INTERACTIONS
            )  # fmt: skip
            out.write_table(safe(table))
            written += table.num_rows
    return written


def _events(shop: Shop, days: Days) -> pa.Table:
    return shop.query(
        lambda s: (
            s.events(days)
            .filter(~nw.col("customer_id").is_null(), ~nw.col("item_id").is_null())
            .filter(~nw.col("name").is_in(_LEFT_OUT))
            .select("customer_id", "item_id", "time_ms", "name", "value")
            .sort("time_ms", "customer_id", "item_id")
        )
    )


def _items(shop: Shop) -> pa.Table:
    columns = ("item_id", "price", "category", "title", "description", "available_from", "brand")
    found = shop.query(lambda s: s.items().select(*columns).sort("item_id")).to_pylist()
    rows = []
    for item in found:
        path = (item["category"] or "").split(" > ", _LEVELS - 1)
        levels = {
            f"CATEGORY_L{n + 1}": path[n].strip() if n < len(path) else None for n in range(_LEVELS)
        }
        since = item["available_from"]
        words = " ".join((item["description"] or item["title"] or "").split())
        rows.append(
            {"ITEM_ID": item["item_id"], "PRICE": item["price"], "PRODUCT_DESCRIPTION": words or None,
             "CREATION_TIMESTAMP": int(since.timestamp()) if since else None, "BRAND": item["brand"],
             **{name: level or None for name, level in levels.items()}}
        )  # fmt: skip
    return pa.Table.from_pylist(rows, schema=_ITEMS)


def _users(shop: Shop) -> pa.Table:
    columns = ("customer_id", "country", "language")
    found = shop.query(lambda s: s.customers().select(*columns).sort("customer_id"))
    return found.rename_columns(_USERS.names).cast(_USERS)


def _avro(name: str, schema: pa.Schema) -> str:
    fields = []
    for column in schema:
        kind = _AVRO[column.type]
        one: dict[str, object] = {
            "name": column.name, "type": kind if column.name in _REQUIRED else ["null", kind],
        }  # fmt: skip
        if column.name in _CATEGORICAL:
            one["categorical"] = True
        if column.name == "PRODUCT_DESCRIPTION":
            one["textual"] = True
        fields.append(one)
    told = {
        "type": "record", "name": name, "namespace": "com.amazonaws.personalize.schema",
        "fields": fields, "version": "1.0",
    }  # fmt: skip
    return json.dumps(told, indent=2) + "\n"
