from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import narwhals as nw
import pytest
from tests.collect.conftest import SALES

from shopkeeper.collect import operations as collect
from shopkeeper.core.errors import Conflict, NotFound
from shopkeeper.core.period import Period
from shopkeeper.metrics import operations as metrics
from shopkeeper.shop import Shop

HEAD = "user,at,item,n,price\n"


def bring(shop: Shop, folder: Path, *rows: str, mapping: str = SALES, **how: Any) -> Any:
    (folder / "s.csv").write_text(HEAD + "".join(f"{row}\n" for row in rows), "utf-8")
    (folder / "m.toml").write_text(mapping, "utf-8")
    return collect.import_file(shop, str(folder / "s.csv"), str(folder / "m.toml"), **how)


def days(shop: Shop) -> dict[str, int]:
    rows = shop.query(lambda s: s.events().select("day")).to_pylist()
    found: dict[str, int] = {}
    for row in rows:
        found[str(row["day"])] = found.get(str(row["day"]), 0) + 1
    return found


def revenue(shop: Shop) -> float:
    rolled = shop.query(lambda s: s.daily().select(nw.col("revenue").sum()))
    return float(rolled["revenue"][0].as_py() or 0)


A = ("u1,2026-01-05 10:00:00,tea,2,9.5", "u1,2026-01-06 10:00:00,tea,1,9.5")
B = ("u2,2026-01-06 11:00:00,cup,1,4", "u2,2026-01-07 11:00:00,cup,1,4")


def test_an_undo_removes_the_rows_of_that_import_alone(shop: Shop, tmp_path: Path) -> None:
    first, second = bring(shop, tmp_path, *A), bring(shop, tmp_path, *B)
    assert revenue(shop) == 36.5
    done = collect.undo(shop, first.import_id)
    assert (done.removed, done.stays) == ({"events": 2}, ())
    assert days(shop) == {"2026-01-06": 1, "2026-01-07": 1}
    assert revenue(shop) == 8.0
    receipt = collect.receipt(shop, first.import_id)
    assert (receipt.status, receipt.new) == ("undone", 2)
    assert "2 rows removed" in receipt.notes[-1]
    assert collect.receipt(shop, second.import_id).status == "done"
    assert collect.receipts(shop).receipts[1].status == "undone"


def test_an_import_cannot_be_undone_twice(shop: Shop, tmp_path: Path) -> None:
    first = bring(shop, tmp_path, *A)
    collect.undo(shop, first.import_id)
    assert bring(shop, tmp_path, *A).new == 2  # and the file can be imported again
    with pytest.raises(Conflict, match="undone already: nothing was changed"):
        collect.undo(shop, first.import_id)
    assert sum(days(shop).values()) == 2


def test_rows_counted_as_duplicates_are_not_the_later_import_s(shop: Shop, tmp_path: Path) -> None:
    bring(shop, tmp_path, *A)
    second = bring(shop, tmp_path, *A, *B)
    assert collect.undo(shop, second.import_id).removed == {"events": 2}
    assert sum(days(shop).values()) == 2


def test_calls_with_texts_and_traits_are_undone(shop: Shop, tmp_path: Path) -> None:
    calls = [
        {"type": "identify", "userId": "u1", "messageId": "i", "traits": {"plan": "gold"},
         "timestamp": "2026-01-01T00:00:00Z"},
        {"type": "track", "event": "Product Reviewed", "userId": "u1", "messageId": "r",
         "timestamp": "2026-01-02T00:00:00Z", "properties": {"product_id": "tea", "review_body": "good"}},
    ]  # fmt: skip
    path = tmp_path / "calls.jsonl"
    path.write_text("\n".join(map(json.dumps, calls)), "utf-8")
    bring(shop, tmp_path, *A)
    receipt = collect.import_file(shop, str(path), importer="segment")
    done = collect.undo(shop, receipt.import_id)
    assert done.removed == {"texts": 1, "traits": 1, "events": 1}
    assert done.stays == (
        "items that it added or filled in", "customers that it added or changed",
        "links between ids that its calls made",
    )  # fmt: skip
    assert not len(shop.query(lambda s: s.texts().select("text_id")))
    assert not len(shop.query(lambda s: s.traits().select("name")))
    assert sum(days(shop).values()) == 2


def test_what_cannot_be_undone_says_why(shop: Shop, tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        collect.undo(shop, "none")
    items = 'target = "items"\n[columns]\nitem_id = "item"\nprice = "price"\n'
    receipt = bring(shop, tmp_path, A[0], mapping=items)
    with pytest.raises(Conflict, match="items and customers stay"):
        collect.undo(shop, receipt.import_id)
    empty = bring(shop, tmp_path, *A)
    again = bring(shop, tmp_path, *A)
    with pytest.raises(Conflict, match="brought no events"):
        collect.undo(shop, again.import_id)
    assert collect.undo(shop, empty.import_id).removed == {"events": 2}


def test_the_import_s_id_does_not_split_a_breakdown_by_source(shop: Shop, tmp_path: Path) -> None:
    bring(shop, tmp_path, *A)
    bring(shop, tmp_path, *B)
    sources = shop.query(lambda s: s.events().select("source"))["source"].unique()
    assert len(sources) == 2
    groups = metrics.breakdown(shop, "revenue", "source", Period("all")).groups
    assert [group.group for group in groups] == ["table:m"]
