from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from shopkeeper.collect import operations as collect
from shopkeeper.collect.types import Receipt
from shopkeeper.core.errors import BadInput
from shopkeeper.shop import Shop

TEA = {
    "@context": "https://schema.org/", "@type": "Product", "sku": "tea", "name": "绿茶 Green tea",
    "description": "<p>Fresh &amp; light</p>", "brand": {"@type": "Brand", "name": "Hill"},
    "category": ["Food", "Tea"], "image": ["https://cdn.example/1.jpg", "https://cdn.example/2.jpg"],
    "color": "green", "gtin13": "4006381333931",
    "offers": [
        {"@type": "Offer", "price": "35.00", "priceCurrency": "CNY"},
        {"@type": "Offer", "price": 30, "priceCurrency": "CNY", "availability": "https://schema.org/InStock"},
    ],
    "additionalProperty": [{"@type": "PropertyValue", "name": "weight", "value": 100, "unitText": "g"}],
    "aggregateRating": {"ratingValue": "4.5", "reviewCount": 12},
}  # fmt: skip


def bring(shop: Shop, folder: Path, content: Any, name: str = "p.jsonld") -> Receipt:
    text = content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)
    (folder / name).write_text(text, "utf-8")
    return collect.import_file(shop, str(folder / name), importer="jsonld")


def test_a_product_becomes_an_item(shop: Shop, tmp_path: Path) -> None:
    receipt = bring(shop, tmp_path, TEA)
    assert (receipt.rows_read, receipt.new) == (1, 1)
    item = shop.catalogue.item("tea")
    assert {k: item[k] for k in ("title", "description", "brand", "category", "price")} == {
        "title": "绿茶 Green tea", "description": "Fresh & light", "brand": "Hill", "category": "Food > Tea",
        "price": 30.0,
    }  # fmt: skip
    assert item["image_url"] == "https://cdn.example/1.jpg"
    told = item["attributes"]
    assert (told["availability"], told["gtin"], told["color"], told["rating"]) == (
        "InStock", "4006381333931", "green", "4.5",
    )  # fmt: skip
    assert json.loads(told["more"]) == {"weight": "100 g"}
    assert bring(shop, tmp_path, TEA).duplicate == 1


def test_graphs_lists_groups_and_pages_are_searched(shop: Shop, tmp_path: Path) -> None:
    def named(sku: str) -> dict[str, Any]:
        return {"@type": ["Product"], "sku": sku, "name": sku}

    graph = {"@graph": [{"@type": "Organization", "name": "x"}, named("a")]}
    listed = {"@type": "ItemList", "itemListElement": [{"@type": "ListItem", "item": named("b")}]}
    group = {"@type": "ProductGroup", "name": "g", "hasVariant": [named("c"), named("d")]}
    assert bring(shop, tmp_path, [graph, listed, group]).new == 4
    page = (
        "<html><script>var x = '@type';</script><script type='application/ld+json'>"
        + json.dumps(named("e")) + "</script><SCRIPT TYPE=\"application/ld+json\">{broken</SCRIPT>"
    )  # fmt: skip
    receipt = bring(shop, tmp_path, page, "page.html")
    assert (receipt.new, receipt.refused) == (1, 1)
    assert [item["item_id"] for item in shop.catalogue.items()] == ["a", "b", "c", "d", "e"]


def test_the_lowest_price_of_an_aggregate_counts(shop: Shop, tmp_path: Path) -> None:
    offers = {"@type": "AggregateOffer", "lowPrice": 12, "highPrice": 40, "priceCurrency": "CNY"}
    bring(shop, tmp_path, TEA | {"offers": offers})
    assert shop.catalogue.item("tea")["price"] == 12


def test_wrong_products_are_refused_one_by_one(shop: Shop, tmp_path: Path) -> None:
    nameless = {"@type": "Product", "name": "no id"}
    abroad = TEA | {"sku": "b", "offers": {"price": 3, "priceCurrency": "USD"}}
    negative = TEA | {"sku": "c", "offers": {"price": -3}}
    words = TEA | {"sku": "d", "offers": {"price": "from 3"}}
    receipt = bring(shop, tmp_path, [TEA, nameless, abroad, negative, words])
    assert (receipt.new, receipt.refused) == (1, 4)
    assert [r.field for r in collect.refused(shop, receipt.import_id).rows] == [
        "sku", "offers.priceCurrency", "offers.price", "offers.price",
    ]  # fmt: skip


def test_deep_nesting_and_files_without_products_are_refused(shop: Shop, tmp_path: Path) -> None:
    for content in (
        "[" * 100_000,
        '{"@graph": ' * 50 + "{}" + "}" * 50,
        {"@type": "Person"},
        "text",
    ):
        with pytest.raises(BadInput, match="no Product"):
            bring(shop, tmp_path, content)


def test_scripts_and_formulas_do_not_survive(shop: Shop, tmp_path: Path) -> None:
    bad = TEA | {"name": "=1+cmd|'x'!A0", "description": "a<script>alert(1)</script>b"}
    bring(shop, tmp_path, bad)
    item = shop.catalogue.item("tea")
    assert item["title"].startswith("'=")
    assert item["description"] == "a b"
