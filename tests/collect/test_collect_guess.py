from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any

import openpyxl  # type: ignore[import-untyped]
import pytest

from shopkeeper.collect import operations as collect
from shopkeeper.core.errors import BadInput, NotAllowed
from shopkeeper.core.operation import Actor, Context
from shopkeeper.shop import Shop


def write(folder: Path, text: str, name: str = "file.csv") -> str:
    (folder / name).write_text(text, "utf-8")
    return str(folder / name)


def bring(shop: Shop, folder: Path, path: str) -> Any:
    text = collect.guess(shop, path).mapping
    return collect.import_file(shop, path, write(folder, text, "guessed.toml"))


def test_columns_are_shown_with_their_kinds_and_samples(shop: Shop, tmp_path: Path) -> None:
    path = write(tmp_path, "id,n,price,at,day,note,none\na,1,1.5,2026-01-05,05/01/2026,x,\n"
                           "b,2,2,2026-01-06 10:00:00,06/01/2026,,\n")  # fmt: skip
    seen = collect.inspect(shop, path)
    assert {c.name: c.kind for c in seen.columns} == {
        "id": "text", "n": "whole", "price": "number", "at": "time", "day": "unclear time",
        "note": "text", "none": "empty",
    }  # fmt: skip
    assert (seen.rows, seen.columns[0].samples, seen.columns[5].filled) == (2, ("a", "b"), 0.5)


ENGLISH = ("InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID\n"
           "A1,tea,Green tea,2,2026-01-05 10:00:00,9.5,u1\n"
           "A2,tea,Green tea,-1,2026-01-06 10:00:00,9.5,u1\n")  # fmt: skip
CHINESE = ("订单编号,商品编码,商品名称,购买数量,下单时间,单价,会员号\n"
           "A1,茶,绿茶,2,2026年1月5日 10:00:00,9.5,u1\n")  # fmt: skip


def test_english_names_are_mapped_and_negative_quantities_become_refunds(
    shop: Shop, tmp_path: Path
) -> None:
    path = write(tmp_path, ENGLISH)
    found = collect.guess(shop, path)
    assert {c.ours: c.theirs for c in found.columns} == {
        "user_id": "CustomerID", "time": "InvoiceDate", "item_id": "StockCode", "quantity": "Quantity",
        "price": "UnitPrice", "order_id": "InvoiceNo",
    }  # fmt: skip
    assert found.unused == ("Description",)
    assert found.confidence > 0.8
    receipt = bring(shop, tmp_path, path)
    assert shop.catalogue.item("tea")["title"] == "Green tea"
    assert {m.outcome: m.value for m in receipt.money} == {"purchase": 19, "refund": 9.5}


def test_chinese_names_are_mapped(shop: Shop, tmp_path: Path) -> None:
    path = write(tmp_path, CHINESE)
    assert {c.ours: c.theirs for c in collect.guess(shop, path).columns} == {
        "user_id": "会员号", "time": "下单时间", "item_id": "商品编码", "quantity": "购买数量",
        "price": "单价", "order_id": "订单编号",
    }  # fmt: skip
    assert bring(shop, tmp_path, path).new == 1


def test_values_speak_against_a_name(shop: Shop, tmp_path: Path) -> None:
    path = write(tmp_path, "user,date,price,time\nu1,soon,cheap,2026-01-05\n")
    found = collect.guess(shop, path)
    assert {c.ours: c.theirs for c in found.columns} == {"user_id": "user", "time": "time"}
    assert any("view_item" in note for note in found.notes)


@pytest.mark.parametrize(
    ("dates", "told"),
    [(("13/01/2026", "05/01/2026"), ["%d/%m/%Y"]), (("01/13/2026 10:00",), ["%m/%d/%Y %H:%M"]),
     (("05/01/2026",), None)],
)  # fmt: skip
def test_the_order_of_day_and_month_is_told_by_the_values_alone(
    shop: Shop, tmp_path: Path, dates: tuple[str, ...], told: list[str] | None
) -> None:
    path = write(tmp_path, "user,date\n" + "".join(f"u1,{date}\n" for date in dates))
    found = collect.guess(shop, path)
    assert tomllib.loads(found.mapping).get("file", {}).get("time_formats") == told
    assert any("which is the day" in note for note in found.notes) == (told is None)


def test_items_and_customers_are_told_from_events(shop: Shop, tmp_path: Path) -> None:
    items = write(tmp_path, "商品编号,名称,品牌,价格,库存\n1,茶,山,9.5,3\n")
    assert collect.guess(shop, items).target == "items"
    assert bring(shop, tmp_path, items).new == 1
    assert shop.catalogue.item("1")["stock"] == 3
    people = write(tmp_path, "客户编号,注册时间,国家\n1,2026-01-01,CN\n")
    assert collect.guess(shop, people).target == "customers"
    assert bring(shop, tmp_path, people).new == 1


def test_a_file_without_a_time_or_an_id_gives_no_mapping(shop: Shop, tmp_path: Path) -> None:
    found = collect.guess(shop, write(tmp_path, "a,b\n1,2\n"))
    assert (found.mapping, found.missing, found.confidence) == ("", ("time",), 0)


def test_hostile_column_names_stay_texts(shop: Shop, tmp_path: Path) -> None:
    head = '"user","time","x""] [event]","{user}","=cmd|\' /C\'!A0","naïve\\n"\n'
    path = write(tmp_path, head + "u1,2026-01-05,1,2,3,4\n")
    mapping = tomllib.loads(collect.guess(shop, path).mapping)
    assert set(mapping["extra"]) >= {"=cmd|' /C'!A0", "naïve\\n"}
    assert "{user}" not in mapping["extra"]
    assert bring(shop, tmp_path, path).new == 1


def test_a_workbook_is_inspected_and_guessed_too(shop: Shop, tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.append(("会员", "日期", "金额"))
    book.active.append(("u1", "2026-01-05", 12))
    book.save(tmp_path / "b.xlsx")
    assert collect.inspect(shop, str(tmp_path / "b.xlsx")).columns[2].kind == "whole"
    assert bring(shop, tmp_path, str(tmp_path / "b.xlsx")).new == 1


def test_a_key_sees_the_inbox_alone(shop: Shop, tmp_path: Path) -> None:
    key = Context(shop, Actor("key", "web", frozenset({"collect:*"})))
    for operation in (collect.inspect, collect.guess):
        with pytest.raises(NotAllowed):
            operation(key, "../shopkeeper.toml")


def test_reviews_become_texts(shop: Shop, tmp_path: Path) -> None:
    path = write(tmp_path, "review_id,user,asin,stars,reviewText,date,helpful\n"
                           "r1,u1,i1,5,很好吃，下次还来,2026-01-05,3\n"
                           "r2,u2,i1,1,arrived late and broken,2026-01-06,0\n")  # fmt: skip
    found = collect.guess(shop, path)
    assert found.target == "texts"
    assert {c.ours: c.theirs for c in found.columns} == {
        "text_id": "review_id", "customer_id": "user", "item_id": "asin", "time": "date",
        "body": "reviewText", "rating": "stars",
    }  # fmt: skip
    assert any("'helpful'" in note for note in found.notes)
    assert bring(shop, tmp_path, path).new == 2


def test_reviews_without_times_stand_on_the_files_own_day(shop: Shop, tmp_path: Path) -> None:
    path = write(tmp_path, "cat,label,review\n书,1,很好的一本书啊\n书,0,纸张太差了不喜欢\n")
    os.utime(path, (1_700_000_000, 1_700_000_000))
    found = collect.guess(shop, path)
    assert tomllib.loads(found.mapping)["constants"] == {"kind": "review", "time": "2023-11-15"}
    assert "rating" not in {c.ours for c in found.columns}  # 0 and 1 are no stars
    receipt = collect.import_file(shop, path, "guessed")
    assert (receipt.new, str(receipt.first_day)) == (2, "2023-11-15")
    assert any("guessed" in note for note in receipt.notes)
    assert collect.import_file(shop, path, "guessed").duplicate == 2


def test_a_file_without_a_header_is_told(shop: Shop, tmp_path: Path) -> None:
    rows = "".join(f"u{i},{i % 3},7,{('pv', 'buy')[i % 2]},{1_511_700_000 + i}\n" for i in range(9))
    found = collect.guess(shop, write(tmp_path, rows))
    mapping = tomllib.loads(found.mapping)
    assert mapping["file"]["header"] == [f"column {n}" for n in range(1, 6)]
    assert mapping["columns"] == {"time": "column 5", "name": "column 4", "user_id": "column 1",
                                  "item_id": "column 2"}  # fmt: skip
    assert any("by their place alone" in note for note in found.notes)
    assert collect.import_file(shop, write(tmp_path, rows), "guessed").new == 9
    names = shop.query(lambda source: source.events().select("name")).column("name").to_pylist()
    assert (names.count("view_item"), names.count("purchase")) == (5, 4)


def test_traditional_headers_and_other_systems_times(shop: Shop, tmp_path: Path) -> None:
    path = write(tmp_path, "會員編號,商品編號,訂單編號,單價,下單時間\nu1,i1,o1,¥9,2026-01-05\n")
    assert {c.ours for c in collect.guess(shop, path).columns} == {
        "user_id", "item_id", "order_id", "price", "time"}  # fmt: skip
    path = write(tmp_path, "event_time,event_type,product_id,price,visitorid,order_approved_at\n"
                           "2026-01-05 00:00:00 UTC,cart,1,9.5,u1,2026-01-09 00:00:00 UTC\n")  # fmt: skip
    assert {c.ours: c.theirs for c in collect.guess(shop, path).columns} == {
        "user_id": "visitorid", "item_id": "product_id", "price": "price", "time": "event_time",
        "name": "event_type",
    }  # fmt: skip
    assert collect.import_file(shop, path, "guessed").new == 1


@pytest.mark.parametrize(
    ("dates", "told"),
    [(("1/31/2026 3:45 PM",), ["%m/%d/%Y %I:%M %p"]), (("12/1/25 8:26", "13/1/25 9:00"),
     ["%d/%m/%y %H:%M"]), (("25/1/25", "26/1/26"), None)],
)  # fmt: skip
def test_short_years_and_half_days(
    shop: Shop, tmp_path: Path, dates: tuple[str, ...], told: list[str] | None
) -> None:
    path = write(tmp_path, "user,date\n" + "".join(f"u1,{date}\n" for date in dates))
    found = collect.guess(shop, path)
    assert tomllib.loads(found.mapping).get("file", {}).get("time_formats") == told
    if told:
        assert collect.import_file(shop, path, "guessed").new == len(dates)


def test_repeated_ids_are_no_catalogue(shop: Shop, tmp_path: Path) -> None:
    path = write(tmp_path, "order_id,product_id,reordered\n1,7,0\n1,8,1\n2,7,0\n")
    found = collect.guess(shop, path)
    assert (found.mapping, found.missing) == ("", ("time",))
    assert any("join the two" in note for note in found.notes)
    with pytest.raises(BadInput, match="no column suits time"):
        collect.import_file(shop, path, "guessed")


def test_an_events_own_id_is_taken(shop: Shop, tmp_path: Path) -> None:
    path = write(
        tmp_path, "event_id,user,event,time\ne1,u1,view,2026-01-05\ne1,u1,view,2026-01-06\n"
    )
    assert tomllib.loads(collect.guess(shop, path).mapping)["event"] == {"id": "{event_id}"}
    receipt = collect.import_file(shop, path, "guessed")
    assert (receipt.new, receipt.refused) == (1, 1)
