"""A product as one item: its variants' prices, stock and codes together."""

from __future__ import annotations

from collections.abc import Mapping as Named
from typing import Any

import orjson

from shopkeeper.collect.fields import Fault
from shopkeeper.collect.mapping import Mapping
from shopkeeper.collect.objects import plain, short
from shopkeeper.collect.shopify.spelling import Object, first, inside, key, members, money, needed

_ATTRIBUTES = (
    "handle",
    "status",
    "tags",
    "options",
    "variants",
    "sku",
    "barcode",
    "compare_at_price",
)
MAPPING = Mapping(
    name="shopify-products",
    target="items",
    columns={name: name for name in
             ("item_id", "title", "body", "brand", "category", "price", "cost", "stock", "image_url",
              "available_from")},
    constants={"kind": "product"},
    extra=_ATTRIBUTES,
)  # fmt: skip


def flat(product: object) -> dict[str, str | None]:
    """The product's columns as text. The price is the lowest of its variants', the stock their sum.

    Raises:
        Fault: a field that cannot be taken.
    """
    if not isinstance(product, Named):
        raise Fault("(row)", "is not an object", "Export products as JSON.")
    if "__parentId" in product:
        raise Fault(
            "__parentId", "is part of another line", "Export variants inside their product."
        )
    variants = members(product, "variants")
    prices = [money(one, "price") for one in variants]
    known = [price for price in prices if price is not None]
    costs = {money(_stocked(one), "unitCost", "cost") for one in variants} - {None}
    skus = [sku for one in variants if isinstance(sku := one.get("sku"), str) and sku]
    codes = [code for one in variants if isinstance(code := one.get("barcode"), str) and code]
    before = [m for one in variants if (m := money(one, "compare_at_price", "compareAtPrice"))]
    return {
        "item_id": needed(product, "product"),
        "title": _text(product, "title"),
        "body": plain(first(product, "body_html", "descriptionHtml", "description")),
        "brand": _text(product, "vendor"),
        "category": _category(product),
        "price": _number(min(known, default=None)),
        "cost": _number(costs.pop() if len(costs) == 1 else None),
        "stock": _number(_stock(product, variants)),
        "image_url": _image(product),
        "available_from": _text(product, "published_at", "publishedAt"),
        "handle": _text(product, "handle"),
        "status": (_text(product, "status") or "").lower() or None,
        "tags": _tags(product),
        "options": short(_json(_options(product))),
        "variants": short(_json([_variant(one) for one in variants[:100]])),
        "sku": short(",".join(dict.fromkeys(skus)) or None),
        "barcode": short(",".join(dict.fromkeys(codes)) or None),
        "compare_at_price": _number(min(before, default=None)),
    }


def _stocked(variant: Object) -> Object:
    return inside(variant, "inventoryItem", "inventory_item")


def _stock(product: Object, variants: list[Object]) -> float | None:
    """Units at hand; a variant sold beyond its stock has none."""
    found = [first(one, "inventory_quantity", "inventoryQuantity") for one in variants]
    if not any(isinstance(units, int | float) for units in found):
        found = [first(product, "totalInventory", "total_inventory")]
    units = [float(u) for u in found if isinstance(u, int | float) and not isinstance(u, bool)]
    return sum(max(0.0, one) for one in units) if units else None


def _category(product: Object) -> str | None:
    taxonomy = inside(product, "category") if isinstance(product.get("category"), Named) else {}
    path = taxonomy.get("fullName") or taxonomy.get("full_name")
    return str(path) if path else _text(product, "product_type", "productType")


def _image(product: Object) -> str | None:
    for one in (first(product, "image", "featuredImage"), *members(product, "images")):
        if isinstance(one, Named) and isinstance(found := one.get("src") or one.get("url"), str):
            return found
    return None


def _tags(product: Object) -> str | None:
    told = first(product, "tags")
    return short(", ".join(map(str, told)) if isinstance(told, list) else _text(product, "tags"))


def _options(product: Object) -> dict[str, Any]:
    found = {}
    for option in members(product, "options"):
        values = option.get("values")
        if values is None:
            listed = option.get("optionValues")
            values = [v.get("name") for v in listed if isinstance(v, Named)] if isinstance(
                listed, list) else []  # fmt: skip
        found[str(option.get("name"))] = values
    return found


def _variant(variant: Object) -> dict[str, Any]:
    told = {
        "id": key(variant),
        "title": first(variant, "title"),
        "sku": first(variant, "sku"),
        "price": money(variant, "price"),
        "stock": first(variant, "inventory_quantity", "inventoryQuantity"),
    }
    return {name: value for name, value in told.items() if value is not None}


def _text(body: Object, *names: str) -> str | None:
    found = first(body, *names)
    if found is None or isinstance(found, str):
        return found
    if isinstance(found, int | float):
        return str(found)
    raise Fault(names[0], "is not a text", "Export it again.")


def _number(value: float | None) -> str | None:
    return None if value is None else f"{value:.6f}".rstrip("0").rstrip(".")


def _json(value: Any) -> str | None:
    return orjson.dumps(value).decode() if value else None
