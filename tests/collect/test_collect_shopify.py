from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import narwhals as nw
import pytest

from shopkeeper.collect import operations as collect
from shopkeeper.collect.types import Receipt
from shopkeeper.core.errors import BadInput
from shopkeeper.shop import Shop

LINES = [
    {"id": 11, "product_id": 501, "variant_id": 9001, "sku": "TEA-1", "title": "Green tea", "vendor": "Hill",
     "variant_title": "100 g", "quantity": 2, "price": "30.00",
     "discount_allocations": [{"amount": "10.00"}], "tax_lines": [{"price": "5.00"}]},
    {"id": 12, "product_id": 502, "sku": "CUP", "title": "Cup", "quantity": 1, "price": "40.00"},
]  # fmt: skip
REFUND = {"id": 71, "created_at": "2026-01-09T10:00:00+08:00", "refund_line_items": [
    {"id": 1, "line_item_id": 11, "quantity": 1, "subtotal": "25.00", "total_tax": "2.50"}]}  # fmt: skip


def rest(number: int = 1, **more: Any) -> dict[str, Any]:
    return {"id": number, "name": f"#{number}", "created_at": "2026-01-05T23:30:00-05:00", "currency": "CNY",
            "total_price": "108.00", "total_tax": "5.00", "financial_status": "paid",
            "customer": {"id": 77, "email": "li@example.com"}, "line_items": LINES,
            "landing_site": "/?utm_source=wechat&utm_medium=social&utm_campaign=spring",
            "email": "li@example.com", "browser_ip": "1.2.3.4"} | more  # fmt: skip


def yuan(amount: str) -> dict[str, Any]:
    return {"shopMoney": {"amount": amount, "currencyCode": "CNY"}}


GRAPH = {
    "id": "gid://shopify/Order/1", "name": "#1", "createdAt": "2026-01-06T04:30:00Z", "currencyCode": "CNY",
    "displayFinancialStatus": "PAID", "totalTaxSet": yuan("5.0"), "totalPriceSet": yuan("108.0"),
    "customer": {"id": "gid://shopify/Customer/77"},
    "lineItems": {"pageInfo": {"hasNextPage": False}, "edges": [
        {"node": {"id": "gid://shopify/LineItem/11", "title": "Green tea", "quantity": 2, "vendor": "Hill",
                  "sku": "TEA-1", "product": {"id": "gid://shopify/Product/501"},
                  "originalUnitPriceSet": yuan("30.0"),
                  "discountAllocations": [{"allocatedAmountSet": yuan("10.0")}]}},
        {"node": {"id": "gid://shopify/LineItem/12", "title": "Cup", "quantity": 1, "sku": "CUP",
                  "product": {"id": "gid://shopify/Product/502"},
                  "originalUnitPriceSet": yuan("40.0")}}]},
    "refunds": [{"id": "gid://shopify/Refund/71", "createdAt": "2026-01-09T02:00:00Z", "refundLineItems": {
        "nodes": [{"lineItem": {"id": "gid://shopify/LineItem/11"}, "quantity": 1,
                   "subtotalSet": yuan("25.0")}]}}],
}  # fmt: skip


def bring(shop: Shop, folder: Path, content: Any, **how: Any) -> Receipt:
    path = folder / "shopify.json"
    text = content if isinstance(content, str) else json.dumps(content, indent=1)
    path.write_text(text, "utf-8")
    return collect.import_file(shop, str(path), importer="shopify", **how)


def events(shop: Shop) -> list[dict[str, Any]]:
    columns = (
        "event_id",
        "name",
        "customer_id",
        "item_id",
        "quantity",
        "price",
        "value",
        "day",
        "channel",
    )
    found: list[dict[str, Any]] = shop.query(
        lambda s: s.events().select(*columns).sort("event_id")
    ).to_pylist()
    return found


def test_an_order_and_its_refund_become_lines(shop: Shop, tmp_path: Path) -> None:
    receipt = bring(shop, tmp_path, {"orders": [rest(refunds=[REFUND])]})
    assert (receipt.rows_read, receipt.new, receipt.refused) == (2, 2, 0)
    found = events(shop)
    assert [(r["name"], r["item_id"], r["quantity"], r["price"], r["value"]) for r in found] == [
        ("purchase", "501", 2, 30, 50), ("purchase", "502", 1, 40, 40), ("refund", "501", 1, 30, 25),
    ]  # fmt: skip
    assert {r["customer_id"] for r in found} == {"77"}
    assert {r["channel"] for r in found} == {"social"}
    assert str(found[0]["day"]) == "2026-01-06"  # 23:30 in New York is the next day in Shanghai
    assert {i["item_id"]: i["title"] for i in shop.catalogue.items()} == {
        "501": "Green tea", "502": "Cup",
    }  # fmt: skip
    again = bring(shop, tmp_path, {"orders": [rest(refunds=[REFUND])]})
    assert (again.new, again.duplicate) == (0, 2)


def test_rest_and_graphql_spell_the_same_order(shop: Shop, tmp_path: Path) -> None:
    bring(shop, tmp_path, {"orders": [rest(refunds=[REFUND])]})
    body = {"data": {"orders": {"edges": [{"node": GRAPH}]}}}
    receipt = bring(shop, tmp_path, body)
    assert (receipt.new, receipt.duplicate) == (0, 2)  # so the ids are equal
    other = bring(shop, tmp_path, json.dumps(GRAPH | {"id": "gid://shopify/Order/2"}))
    assert other.new == 2
    rows = events(shop)
    mine = [
        (r["item_id"], r["quantity"], r["price"], r["value"])
        for r in rows
        if "/1" in r["event_id"][:16]
    ]
    theirs = [
        (r["item_id"], r["quantity"], r["price"], r["value"])
        for r in rows
        if "/2" in r["event_id"][:16]
    ]
    assert mine == theirs


def test_tax_that_is_in_the_price_is_no_revenue(shop: Shop, tmp_path: Path) -> None:
    bring(shop, tmp_path, {"orders": [rest(taxes_included=True, refunds=[REFUND])]})
    assert [r["value"] for r in events(shop)] == [45.0, 40.0, 22.5]


def test_a_guests_order_counts_for_no_customer(shop: Shop, tmp_path: Path) -> None:
    receipt = bring(shop, tmp_path, {"orders": [rest(customer=None)]})
    assert [r["customer_id"] for r in events(shop)] == [None, None]
    assert receipt.money[0].without_customer_value == 90


def test_an_order_cancelled_unpaid_is_no_revenue(shop: Shop, tmp_path: Path) -> None:
    order = rest(cancelled_at="2026-01-07T00:00:00Z", financial_status="voided", refunds=[REFUND])
    bring(shop, tmp_path, {"orders": [order]})
    assert {r["name"] for r in events(shop)} == {"cancel_order"}


def test_a_refund_of_money_alone_leaves_the_shipping_out(shop: Shop, tmp_path: Path) -> None:
    refund = {"id": 5, "created_at": "2026-01-09T10:00:00Z", "refund_line_items": [],
              "transactions": [{"kind": "refund", "status": "success", "amount": "18.00"},
                               {"kind": "refund", "status": "failure", "amount": "99.00"}],
              "order_adjustments": [{"kind": "shipping_refund", "amount": "-8.00"}]}  # fmt: skip
    shelf = {
        "id": 6,
        "created_at": "2026-01-09T10:00:00Z",
        "refund_line_items": [],
        "transactions": [],
    }
    receipt = bring(shop, tmp_path, {"orders": [rest(refunds=[refund, shelf])]})
    assert receipt.new == 2
    assert [r["value"] for r in events(shop) if r["name"] == "refund"] == [10.0]


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"test": True}, "test"),
    ({"currency": "USD"}, "currency"),
    ({"created_at": "soon"}, "timestamp"),
    ({"line_items": [{"product_id": 1, "quantity": 1, "price": "-3"}]}, "line_items[0].price"),
    ({"line_items": [{"product_id": 1, "quantity": "x", "price": "3"}]}, "line_items[0].quantity"),
    ({"line_items": "many"}, "line_items"),
    ({"refunds": [{"id": 1, "refund_line_items": []}]}, "refunds[0].created_at"),
    ({"refunds": [REFUND | {"refund_line_items": [{"quantity": 1}]}]},
     "refunds[0].refund_line_items.subtotal"),
    ({"lineItems": {"pageInfo": {"hasNextPage": True}, "nodes": []}, "line_items": None}, "line_items"),
    ({"id": None}, "id"),
]  # fmt: skip


def test_wrong_orders_are_refused_whole(shop: Shop, tmp_path: Path) -> None:
    wrong = [rest(n, refunds=[REFUND]) | more for n, (more, _) in enumerate(WRONG, 10)]
    receipt = bring(shop, tmp_path, {"orders": [rest(2), *wrong]})
    assert (receipt.new, receipt.refused) == (1, len(WRONG))
    found = [row.field for row in collect.refused(shop, receipt.import_id).rows]
    assert found == [field for _, field in WRONG]
    assert {r["event_id"].split("/")[2] for r in events(shop)} == {"2"}


def test_a_refused_order_is_imported_with_a_corrected_value(shop: Shop, tmp_path: Path) -> None:
    receipt = bring(shop, tmp_path, {"orders": [rest(currency="USD", refunds=[REFUND])]})
    (row,) = collect.refused(shop, receipt.import_id).rows
    assert collect.retry(shop, receipt.import_id, values={row.number: {"currency": "CNY"}}).new == 2
    assert not collect.refused(shop, receipt.import_id, waiting=True).rows


REST_PRODUCT = {
    "id": 501, "title": "Green tea", "body_html": "<p>Fresh <b>leaves</b></p><script>x()</script>",
    "vendor": "Hill", "product_type": "Tea", "status": "active", "handle": "green-tea", "tags": "new, tea",
    "published_at": "2026-01-01T00:00:00Z", "options": [{"name": "Size", "values": ["100 g", "200 g"]}],
    "variants": [
        {"id": 1, "sku": "T1", "price": "30.00", "inventory_quantity": 5, "compare_at_price": "35.00"},
        {"id": 2, "sku": "T2", "price": "55.00", "inventory_quantity": -2}],
    "image": {"src": "https://cdn.example/tea.jpg"},
}  # fmt: skip
GRAPH_PRODUCT = {
    "id": "gid://shopify/Product/501", "title": "Green tea", "descriptionHtml": "<p>Fresh <b>leaves</b></p>",
    "vendor": "Hill", "productType": "Tea", "status": "ACTIVE", "handle": "green-tea", "tags": ["new", "tea"],
    "publishedAt": "2026-01-01T00:00:00Z",
    "options": [{"name": "Size", "optionValues": [{"name": "100 g"}, {"name": "200 g"}]}],
    "variants": {"nodes": [
        {"id": "gid://shopify/ProductVariant/1", "sku": "T1", "price": "30.00", "inventoryQuantity": 5,
         "compareAtPrice": "35.00"},
        {"id": "gid://shopify/ProductVariant/2", "sku": "T2", "price": "55.00", "inventoryQuantity": -2}]},
    "featuredImage": {"url": "https://cdn.example/tea.jpg"},
}  # fmt: skip


@pytest.mark.parametrize("product", [REST_PRODUCT, GRAPH_PRODUCT], ids=["rest", "graphql"])
def test_a_product_becomes_an_item_of_all_its_variants(
    shop: Shop, tmp_path: Path, product: dict[str, Any]
) -> None:
    receipt = bring(shop, tmp_path, {"products": [product]})
    assert (receipt.rows_read, receipt.new, receipt.loaded) == (1, 1, {"items": 1})
    item = shop.catalogue.item("501")
    assert {k: item[k] for k in ("title", "body", "brand", "category", "price", "stock", "image_url")} == {
        "title": "Green tea", "body": "Fresh leaves", "brand": "Hill", "category": "Tea", "price": 30.0,
        "stock": 5.0, "image_url": "https://cdn.example/tea.jpg",
    }  # fmt: skip
    told = item["attributes"]
    assert (told["status"], told["tags"], told["sku"]) == ("active", "new, tea", "T1,T2")
    assert json.loads(told["options"]) == {"Size": ["100 g", "200 g"]}
    assert [v["id"] for v in json.loads(told["variants"])] == ["1", "2"]
    assert bring(shop, tmp_path, {"products": [product]}).duplicate == 1


def test_wrong_products_are_refused_one_by_one(shop: Shop, tmp_path: Path) -> None:
    products = [REST_PRODUCT, {"id": 2, "variants": [{"price": "x"}]}, {"variants": []}, rest(9), 7]
    receipt = bring(shop, tmp_path, {"products": products})
    assert (receipt.rows_read, receipt.new, receipt.refused) == (5, 1, 4)
    assert {r.field for r in collect.refused(shop, receipt.import_id).rows} == {
        "price",
        "id",
        "(row)",
    }


def test_customers_come_without_names_and_addresses(shop: Shop, tmp_path: Path) -> None:
    customer = {"id": 77, "first_name": "Li", "email": "li@example.com", "created_at": "2025-05-01T00:00:00Z",
                "default_address": {"country_code": "CN", "address1": "1 Road"}, "tags": "vip",
                "email_marketing_consent": {"state": "subscribed"}}  # fmt: skip
    receipt = bring(shop, tmp_path, {"customers": [customer]})
    assert receipt.new == 1
    found = shop.people.get("77")
    assert (found.country, str(found.first_seen)) == ("CN", "2025-05-01 00:00:00+00:00")
    assert found.traits == {
        "email": "li@example.com",
        "tags": "vip",
        "email_marketing": "subscribed",
    }


def test_orders_as_lines_with_a_broken_one(shop: Shop, tmp_path: Path) -> None:
    content = "\n".join([json.dumps(rest(1)), '{"id": 2, ', json.dumps({"order": rest(3)})])
    receipt = bring(shop, tmp_path, content)
    assert (receipt.rows_read, receipt.new, receipt.refused) == (3, 2, 1)


def test_a_formula_in_a_title_is_made_harmless(shop: Shop, tmp_path: Path) -> None:
    bring(shop, tmp_path, {"products": [REST_PRODUCT | {"title": '=HYPERLINK("http://x")'}]})
    assert shop.catalogue.item("501")["title"].startswith("'=")


def test_a_file_of_something_else_is_refused_whole(shop: Shop, tmp_path: Path) -> None:
    for content in ({"shops": [1, 2]}, "no json at all", "[]"):
        with pytest.raises(BadInput, match=r"no order, product or customer"):
            bring(shop, tmp_path, content)
    with pytest.raises(BadInput, match="no mapping"):
        bring(shop, tmp_path, {"orders": [rest()]}, mapping="sequences")


def test_a_dry_run_writes_nothing(shop: Shop, tmp_path: Path) -> None:
    dry = bring(shop, tmp_path, {"orders": [rest()]}, dry_run=True)
    assert (dry.new, shop.query(lambda s: s.events().select(n=nw.len()))["n"][0].as_py()) == (1, 0)
