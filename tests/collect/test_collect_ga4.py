from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from shopkeeper.collect import operations as collect
from shopkeeper.collect.types import Receipt
from shopkeeper.core.errors import BadInput
from shopkeeper.shop import Shop

MICROS = 1_767_614_400_123_456  # 2026-01-05 12:00:00.123456 UTC


def param(key: str, **value: Any) -> dict[str, Any]:
    return {"key": key, "value": value}


def event(name: str = "purchase", **more: Any) -> dict[str, Any]:
    return {
        "event_date": "20260105", "event_timestamp": str(MICROS), "event_name": name,
        "event_params": [
            param("ga_session_id", int_value="1767614000"), param("currency", string_value="CNY"),
            param("page_location", string_value="https://u:p@shop.example/tea?email=li@example.com#x"),
            param("campaign", string_value="(not set)"), param("scroll", double_value=0.9),
        ],
        "user_pseudo_id": "123.456", "user_id": "u1", "platform": "WEB",
        "device": {"category": "mobile", "operating_system": "Android", "language": "zh-cn"},
        "geo": {"country": "China", "city": "(not set)"},
        "collected_traffic_source": {"manual_campaign_name": "spring", "manual_medium": "email",
                                     "manual_source": "news"},
        "traffic_source": {"name": "first visit", "medium": "organic"},
        "ecommerce": {"transaction_id": "T1", "purchase_revenue": 95.0, "tax_value": 5.0,
                      "shipping_value": 8.0},
        "items": [
            {"item_id": "tea", "item_name": "Green tea", "item_brand": "Hill", "item_category": "Tea",
             "item_category2": "Green", "price": 30.0, "quantity": "2", "coupon": "(not set)"},
            {"item_id": "(not set)", "item_name": "Cup", "price": 35.0, "quantity": "1",
             "item_params": [param("colour", string_value="red")]},
        ],
    } | more  # fmt: skip


def bring(shop: Shop, folder: Path, *rows: Any, name: str = "ga4.jsonl", **how: Any) -> Receipt:
    text = "\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows).encode()
    path = folder / name
    path.write_bytes(gzip.compress(text) if name.endswith(".gz") else text)
    return collect.import_file(shop, str(path), importer="ga4", **how)


def events(shop: Shop) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = shop.query(lambda s: s.events().sort("event_id")).to_pylist(
        maps_as_pydicts="strict"
    )
    return found


def test_a_purchase_becomes_one_row_an_item(shop: Shop, tmp_path: Path) -> None:
    receipt = bring(shop, tmp_path, event(), name="ga4.json.gz")
    assert (receipt.rows_read, receipt.new, receipt.loaded["events"]) == (1, 1, 2)
    tea, cup = events(shop)
    assert [(r["item_id"], r["quantity"], r["price"], r["value"]) for r in (tea, cup)] == [
        ("tea", 2, 30, 60), ("Cup", 1, 35, 35),
    ]  # fmt: skip
    assert (tea["user_id"], tea["anonymous_id"], tea["order_id"]) == ("u1", "123.456", "T1")
    assert tea["time"].isoformat() == "2026-01-05T12:00:00.123456+00:00"
    assert str(tea["day"]) == "2026-01-05"
    assert tea["session_id"] == "123.456.1767614000"
    assert (tea["campaign_id"], tea["channel"]) == ("spring", "email")
    told = tea["properties"]
    assert told["page_location"] == "https://shop.example/tea"
    assert (told["device"], told["country"], told["order.tax"]) == ("mobile", "China", "5.0")
    assert "city" not in told
    assert "campaign" not in told
    assert "order.tax" not in cup["properties"]
    assert cup["properties"]["param_colour"] == "red"
    assert shop.catalogue.item("tea")["category"] == "Tea > Green"


def test_the_same_export_twice_is_all_duplicates(shop: Shop, tmp_path: Path) -> None:
    rows = [event(), event("view_item"), event("view_item")]  # word for word: two views
    assert bring(shop, tmp_path, *rows).new == 3
    assert bring(shop, tmp_path, *rows).duplicate == 3
    assert len(events(shop)) == 6


def test_the_places_in_a_batch_tell_events_apart(shop: Shop, tmp_path: Path) -> None:
    place = {"batch_page_id": 1, "batch_ordering_id": 1}
    first, second = (event("scroll", **place, batch_event_index=i) for i in (1, 2))
    late = first | {"geo": {"country": "Japan"}}  # GA4 changes rows for some days
    receipt = bring(shop, tmp_path, first, second, late)
    assert (receipt.new, receipt.duplicate) == (2, 1)


def test_a_refund_and_a_purchase_without_items_use_the_event_s_money(
    shop: Shop, tmp_path: Path
) -> None:
    refund = event("refund", items=[], ecommerce={"transaction_id": "T1", "refund_value": 40})
    bare = event("purchase", items=[], ecommerce={"transaction_id": "T2", "purchase_revenue": "95"})
    receipt = bring(shop, tmp_path, refund, bare)
    assert {m.outcome: m.value for m in receipt.money} == {"purchase": 95, "refund": 40}


def test_items_without_prices_share_the_revenue(shop: Shop, tmp_path: Path) -> None:
    items = [{"item_id": "a", "quantity": 1}, {"item_id": "b", "quantity": 4}]
    bring(shop, tmp_path, event(items=items))
    assert [row["value"] for row in events(shop)] == [19.0, 76.0]


def test_a_visitor_who_refused_cookies_is_nobody(shop: Shop, tmp_path: Path) -> None:
    receipt = bring(shop, tmp_path, event(user_pseudo_id=None, user_id=None))
    assert receipt.new == 1
    assert {row["customer_id"] for row in events(shop)} == {None}


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"event_timestamp": "2026-01-05"}, "event_timestamp"),
    ({"event_timestamp": 1_767_614_400_123}, "event_timestamp"),
    ({"event_timestamp": 9_767_614_400_123_456}, "timestamp"),
    ({"event_name": None}, "event_name"),
    ({"event_params": {"a": 1}}, "event_params"),
    ({"event_params": [{"value": 1}]}, "event_params[0]"),
    ({"event_params": [param("currency", string_value="USD"), param("value", int_value=1)]},
     "event_params.currency"),
    ({"items": {"item_id": "a"}}, "items"),
    ({"items": [{"price": 2}]}, "items[0].item_id"),
    ({"items": [{"item_id": "a", "price": -2}]}, "items[0].price"),
    ({"ecommerce": {"tax_value": "x"}}, "ecommerce.tax_value"),
    ({"user_pseudo_id": "x" * 300}, "user_pseudo_id"),
    ({"device": "phone"}, "device"),
]  # fmt: skip


def test_wrong_events_are_refused_by_ga4_s_name(shop: Shop, tmp_path: Path) -> None:
    wrong = [event() | more for more, _ in WRONG]
    receipt = bring(shop, tmp_path, event("view_item"), *wrong, "{broken", "[1]")
    assert (receipt.new, receipt.refused) == (1, len(WRONG) + 2)
    found = [row.field for row in collect.refused(shop, receipt.import_id).rows]
    assert found == [*(field for _, field in WRONG), "(row)", "(row)"]


def test_a_refused_event_is_imported_with_a_corrected_value(shop: Shop, tmp_path: Path) -> None:
    receipt = bring(shop, tmp_path, event(event_timestamp="soon"))
    (row,) = collect.refused(shop, receipt.import_id).rows
    values = {row.number: {"event_timestamp": str(MICROS)}}
    assert collect.retry(shop, receipt.import_id, values=values).new == 1
    assert len(events(shop)) == 2


def test_formulas_in_parameters_are_made_harmless(shop: Shop, tmp_path: Path) -> None:
    told = [param("search_term", string_value="=cmd|' /C calc'!A0")]
    bring(shop, tmp_path, event("search", event_params=told, items=[]))
    assert events(shop)[0]["query"].startswith("'=")


def test_a_mapping_is_refused(shop: Shop, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no mapping"):
        bring(shop, tmp_path, event(), mapping="sequences")
