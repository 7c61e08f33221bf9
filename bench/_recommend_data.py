"""Public data sets as histories: who chose what in which order, and what is known of the items."""

from __future__ import annotations

import csv
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from bench.harness import DATA
from shopkeeper.recommend.cases import only
from shopkeeper.recommend.heads.base import Goods
from shopkeeper.recommend.history import DAY_MS, History, encode

_LAST_DAY = 20_000  # the files have no times: one choice a day, everybody's last on the same one


@dataclass(frozen=True)
class Choices:
    """A data set with its own name in the result ids."""

    name: str
    history: History
    goods: Goods


def first_customers(choices: Choices, most: int) -> Choices:
    """The rows of the first customers alone; items stay, also those that nobody of them chose."""
    history = choices.history
    few = replace(only(history, history.customer < most), customer_ids=history.customer_ids[:most])
    return replace(choices, history=few)


def amazon(name: str) -> Choices:
    """Amazon reviews, 5-core (S3-Rec's file): each line a customer, then items in order of time."""
    folder = DATA / f"amazon-{name}"
    lines = (folder / "sequences.txt").read_text("utf-8").splitlines()
    rows = [np.array(line.split()[1:], dtype=np.int64) - 1 for line in lines]
    size = int(max(row.max() for row in rows)) + 1
    lengths = np.array([len(row) for row in rows])
    customer = np.repeat(np.arange(len(rows), dtype=np.int64), lengths)
    age = np.concatenate([np.arange(length)[::-1] for length in lengths])
    history = History(
        customer,
        np.concatenate(rows),
        (_LAST_DAY - age).astype(np.int64) * DAY_MS,
        np.ones(len(customer)),
        pa.array([str(n) for n in range(len(rows))]),
        pa.array([str(n + 1) for n in range(size)]),
    )
    with (folder / "items.csv").open(encoding="utf-8", newline="") as file:
        known = {int(row["item_id"]) - 1: row for row in csv.DictReader(file)}
    return Choices(name, history, _goods([known.get(n, {}) for n in range(size)]))


def _goods(rows: list[dict[str, str]]) -> Goods:
    """Title, path and attributes; the file of Sports has no titles, and its path is in the attributes.

    Its column of keywords is left alone: nobody says what it was made from.
    """
    attributes = [(row.get("attributes") or "").split("; ") for row in rows]
    paths = [
        row.get("categories") or " > ".join(own[1:])
        for row, own in zip(rows, attributes, strict=True)
    ]
    words = [
        " ".join([row.get("title") or "", path.replace(" > ", " "), *own])
        for row, path, own in zip(rows, paths, attributes, strict=True)
    ]
    return Goods(tuple(words), tuple(own[0] for own in attributes), tuple(paths))


def online_retail() -> Choices:
    """A year of a British wholesaler: purchases of known customers, goods only, nothing sent back."""
    table = pq.read_table(DATA / "online-retail" / "online_retail.parquet")
    goods = pc.match_substring_regex(table["StockCode"], "^[0-9]{5}")
    table = table.filter(
        pc.and_(goods, pc.and_(pc.is_valid(table["CustomerID"]), pc.greater(table["Quantity"], 0)))
    )
    lines = pa.table(
        {
            "who": table["CustomerID"].cast(pa.string()),
            "item_id": table["StockCode"].cast(pa.string()),
            "day": table["InvoiceDate"].cast(pa.date32(), safe=False),
            "time_ms": table["InvoiceDate"].cast(pa.timestamp("ms")).cast(pa.int64()),
        }
    )
    rows = lines.group_by(["who", "item_id", "day"]).aggregate([("time_ms", "max")])
    rows = rows.rename_columns({"time_ms_max": "time_ms"})
    rows = rows.append_column("strength", pa.array(np.ones(len(rows))))
    history = encode(rows)
    named = dict(zip(table["StockCode"].to_pylist(), table["Description"].to_pylist(), strict=True))
    words = tuple(named[item] or "" for item in history.item_ids.to_pylist())
    blank = ("",) * len(words)
    return Choices("online_retail", history, Goods(words, blank, blank))
