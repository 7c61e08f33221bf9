from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from shopkeeper.collect import operations as collect
from shopkeeper.collect.types import Receipt
from shopkeeper.core.errors import BadInput
from shopkeeper.shop import Shop


def bring(shop: Shop, folder: Path, text: str, **how: Any) -> Receipt:
    (folder / "set.csv").write_text(text, "utf-8")
    return collect.import_file(shop, str(folder / "set.csv"), importer="personalize", **how)


def test_interactions_become_events(shop: Shop, tmp_path: Path) -> None:
    text = (
        "USER_ID,ITEM_ID,TIMESTAMP,EVENT_TYPE,EVENT_VALUE,DEVICE\n"
        "u1,tea,1767614400,View,,phone\nu1,tea,1767614500,Purchase,30,phone\n"
        "u1,tea,soon,View,,phone\nu2,tea,1767614400,,1,phone\n"
    )
    receipt = bring(shop, tmp_path, text)
    assert (receipt.rows_read, receipt.new, receipt.refused) == (4, 2, 2)
    assert {(r.row, r.field) for r in collect.refused(shop, receipt.import_id).rows} == {
        (4, "time"), (5, "name"),
    }  # fmt: skip
    rows = shop.query(lambda s: s.events().sort("time")).to_pylist(maps_as_pydicts="strict")
    assert [(r["name"], r["user_id"], r["item_id"], r["value"]) for r in rows] == [
        ("view_item", "u1", "tea", None), ("purchase", "u1", "tea", 30),
    ]  # fmt: skip
    assert rows[0]["time"].isoformat() == "2026-01-05T12:00:00+00:00"
    assert rows[0]["properties"] == {"DEVICE": "phone"}
    assert bring(shop, tmp_path, text).duplicate == 2
    waiting = collect.refused(shop, receipt.import_id).rows[0]
    fixed = {waiting.number: {"TIMESTAMP": "1767614600"}}
    assert collect.retry(shop, receipt.import_id, values=fixed).new == 1


def test_interactions_without_a_type_are_views_and_the_receipt_says_so(
    shop: Shop, tmp_path: Path
) -> None:
    receipt = bring(shop, tmp_path, "USER_ID,ITEM_ID,TIMESTAMP\nu1,tea,1767614400\n")
    assert any("EVENT_TYPE" in note for note in receipt.notes)


def test_items_and_users_fill_catalogue_and_customers(shop: Shop, tmp_path: Path) -> None:
    bring(shop, tmp_path, "ITEM_ID,PRICE,CATEGORY_L1,CATEGORY_L2,GENRE\ntea,30,Tea,Green,x\n")
    item = shop.catalogue.item("tea")
    assert (item["price"], item["category"]) == (30.0, "Tea")
    assert item["attributes"] == {"CATEGORY_L2": "Green", "GENRE": "x"}
    bring(shop, tmp_path, "USER_ID,COUNTRY,AGE\nu1,CN,30\n")
    found = shop.people.get("u1")
    assert (found.country, found.traits) == ("CN", {"AGE": "30"})


def test_another_header_is_refused(shop: Shop, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="none of Personalize"):
        bring(shop, tmp_path, "user,item\nu1,tea\n")
