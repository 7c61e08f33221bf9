"""The shop's tables as Parquet files, with the columns of ``core/schema.py``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from shopkeeper.collect.months import months
from shopkeeper.core.operation import Progress
from shopkeeper.core.period import Days
from shopkeeper.core.schema import TABLES
from shopkeeper.warehouse.arrow import arrow_schema, conform

if TYPE_CHECKING:
    from shopkeeper.shop.shop import Shop

ABOUT = "events, texts, traits, items, facts and customers as Parquet, one file a table"
_NAMES = ("events", "texts", "traits", "items", "facts", "customers")
_BY_DAY = frozenset({"events", "texts"})


def write(shop: Shop, folder: Path, progress: Progress) -> dict[str, int]:
    """Write one file a table; the rows of each. Events go a month at a time: memory stays bounded."""
    rows: dict[str, int] = {}
    for done, name in enumerate(_NAMES):
        progress(done, len(_NAMES), f"writing {name}")
        file = f"{name}.parquet"
        rows[file] = 0
        with pq.ParquetWriter(folder / file, arrow_schema(TABLES[name]), compression="zstd") as out:
            for days in months(shop, name) if name in _BY_DAY else (None,):
                found = conform(_rows(shop, name, days), TABLES[name])
                out.write_table(found)
                rows[file] += found.num_rows
    return rows


def _rows(shop: Shop, name: str, days: Days | None) -> pa.Table:
    columns = TABLES[name].names
    if name == "events":
        return shop.query(lambda s: s.events(days).select(*columns))
    if name == "texts":
        return shop.query(lambda s: s.texts(days).select(*columns))
    return shop.query(lambda s: getattr(s, name)().select(*columns))
