from __future__ import annotations

import math
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from shopkeeper.core.errors import NotFound
from shopkeeper.store.database import Database
from shopkeeper.store.imports import Imports, Receipt, Refusal

RAW: list[Any] = [
    {"InvoiceNo": "536365", "UnitPrice": "-11.2", "Description": "红 🧧"},
    {"formula": "=HYPERLINK(1)", "nul": "\x00", "surrogate": "\udcff", "quote": "'; DROP TABLE"},
    "a,b,\x00,\udce9",
    ["x", None, 1.5, True],
    {"big": "x" * 1_000_000},
    None,
]


def _receipt(noon: datetime, import_id: str = "i1") -> Receipt:
    return Receipt(import_id, "csv", "orders.csv", noon)


def test_a_receipt_comes_back_and_is_replaced_under_its_id(
    database: Database, noon: datetime
) -> None:
    imports = Imports(database)
    imports.save(_receipt(noon))
    assert imports.get("i1") == _receipt(noon)
    done = replace(
        _receipt(noon),
        status="done",
        new=90,
        duplicate=5,
        repaired={"time without zone": 3},
        details={"mapping": "online_retail"},
        finished_at=noon + timedelta(seconds=2),
    )
    imports.save(done)
    imports.save(_receipt(noon, "i2"))
    assert imports.get("i1") == done
    assert [one.import_id for one in imports.list()] == ["i2", "i1"]
    assert [one.import_id for one in imports.list(limit=1, offset=1)] == ["i1"]
    with pytest.raises(NotFound, match="No import 'i3'"):
        imports.get("i3")


def test_refused_rows_are_kept_whole(database: Database, noon: datetime) -> None:
    imports = Imports(database)
    imports.save(_receipt(noon))
    refusals = [
        Refusal(number, "UnitPrice", "negative price", "Write 0 or more.", raw)
        for number, raw in enumerate(RAW, 2)
    ]
    assert imports.refuse("i1", refusals) == len(RAW)
    kept = imports.refused("i1")
    assert [row.raw for row in kept] == RAW
    assert [Refusal(*(getattr(row, n) for n in Refusal._fields)) for row in kept] == refusals
    assert imports.get("i1").refused == len(RAW)
    imports.save(_receipt(noon))  # saving the receipt again does not forget them
    assert imports.get("i1").refused == len(RAW)


def test_numbers_that_json_has_no_word_for_are_kept(database: Database, noon: datetime) -> None:
    imports = Imports(database)
    imports.save(_receipt(noon))
    imports.refuse("i1", [(2, None, "not a number", "", {"a": math.nan, "b": -math.inf})])
    raw = imports.refused("i1")[0].raw
    assert math.isnan(raw["a"])
    assert raw["b"] == -math.inf


def test_refused_rows_are_paged_and_marked_when_retried(database: Database, noon: datetime) -> None:
    imports = Imports(database)
    imports.save(_receipt(noon))
    imports.save(_receipt(noon, "i2"))
    imports.refuse("i1", ((n, "f", "why", "do", {"n": n}) for n in range(1, 1_301)))
    imports.refuse("i2", [(1, "f", "why", "do", "other")])
    rows: list[Any] = []
    while page := imports.refused("i1", limit=500, after=rows[-1].number if rows else 0):
        rows += page
    assert [row.row_number for row in rows] == list(range(1, 1_301))
    assert imports.mark_retried([row.number for row in rows[:1_000]], "i2") == 1_000
    assert imports.mark_retried([row.number for row in rows[:1_001]], "i2") == 1
    waiting = imports.refused("i1", limit=1_000, waiting_only=True)
    assert [row.row_number for row in waiting] == list(range(1_002, 1_301))
    first = imports.refused("i1", limit=1)[0]
    assert first.retried_by == "i2"
    assert first.retried_at is not None
    assert len(imports.refused("i2", waiting_only=True)) == 1


def test_rows_of_an_unknown_import_are_not_lost_silently(database: Database) -> None:
    imports = Imports(database)
    with pytest.raises(NotFound):
        imports.refuse("none", [(1, "f", "why", "do", {})])
    with pytest.raises(NotFound):
        imports.refused("none")
