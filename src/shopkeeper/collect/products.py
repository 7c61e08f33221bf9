"""A ``Product`` of schema.org as an item."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping as Named
from typing import Any
from urllib.parse import urlsplit

import orjson

from shopkeeper.collect.fields import Fault, amount
from shopkeeper.collect.mapping import Mapping
from shopkeeper.collect.objects import plain, short

_TYPES = frozenset(
    {"Product", "ProductGroup", "IndividualProduct", "ProductModel", "Vehicle", "Book"}
)
_LISTS = ("@graph", "itemListElement", "item", "mainEntity", "hasVariant")
_CODES = ("gtin", "gtin13", "gtin12", "gtin8", "gtin14", "mpn")
_PLAIN = ("color", "material", "size", "pattern", "url")
MAPPING = Mapping(
    name="jsonld-products",
    target="items",
    columns={name: name for name in
             ("item_id", "title", "description", "brand", "category", "price", "image_url")},
    constants={"kind": "product"},
    extra=("sku", "gtin", "mpn", *_PLAIN, "availability", "condition", "rating", "reviews", "more"),
)  # fmt: skip


def products(body: object, depth: int = 0) -> Iterator[object]:
    """The products in a document, a list, an ``@graph`` or an ``ItemList``, at any depth up to 8."""
    if isinstance(body, list):
        for one in body:
            yield from products(one, depth + 1) if depth < 8 else ()
        return
    if not isinstance(body, Named):
        return
    variants = body.get("hasVariant")
    if _types(body) & _TYPES and not variants:
        yield body
    elif depth < 8:
        for name in _LISTS:
            if name in body:
                yield from products(body[name], depth + 1)


def flat(product: object, currency: str) -> dict[str, str | None]:
    """The product's columns as text. The price is the lowest one offered.

    Raises:
        Fault: a field that cannot be taken; no id of any kind; a price in another currency.
    """
    if not isinstance(product, Named):
        raise Fault("(row)", "is not an object", "Write schema.org Product.")
    sku, page = _one(product, "sku"), _one(product, "url") or _one(product, "@id")
    code = next((c for name in _CODES if (c := _one(product, name))), None)
    item = _one(product, "productID") or sku or code or page
    if item is None:
        raise Fault("sku", "is missing, and so are productID, gtin, mpn and url", "Give it a sku.")
    offer = _offer(product)
    stated = offer.get("priceCurrency")
    if _price(offer) is not None and stated not in (None, "", currency):
        raise Fault(
            "offers.priceCurrency", f"{str(stated)[:20]!r} is not the shop's currency {currency}",
            f"State the price in {currency}.",
        )  # fmt: skip
    rating = _inside(product, "aggregateRating")
    told = {
        "item_id": item, "title": _one(product, "name"),
        "description": short(plain(_one(product, "description"))),
        "brand": _one(product, "brand"), "category": _category(product), "sku": sku, "gtin": code,
        "mpn": _one(product, "mpn"), "image_url": _image(product),
        "availability": _last(offer.get("availability")), "condition": _last(offer.get("itemCondition")),
        "price": _price(offer),
        "rating": _one(rating, "ratingValue"), "more": short(_more(product)),
        "reviews": _one(rating, "reviewCount") or _one(rating, "ratingCount"),
    }  # fmt: skip
    told |= {name: _one(product, name) for name in _PLAIN}
    return {name: _text(value, name) for name, value in told.items()}


def _types(body: Named[str, Any]) -> set[str]:
    told = body.get("@type")
    listed = told if isinstance(told, list) else [told]
    return {str(_last(one)) for one in listed if isinstance(one, str)}


def _last(value: object) -> str | None:
    """``InStock`` of ``https://schema.org/InStock`` and of ``schema:InStock``."""
    if not isinstance(value, str):
        return None
    return urlsplit(value).path.rpartition("/")[2].rpartition(":")[2] or None


def _one(body: Named[str, Any], name: str) -> str | None:
    """The value as text: of a list the first, of an object its name or value."""
    found = body.get(name)
    while isinstance(found, list | Named):
        if isinstance(found, list):
            found = found[0] if found else None
        else:
            found = next((found[k] for k in ("name", "@value", "value", "@id") if k in found), None)
    return _text(found, name)


def _text(value: object, name: str) -> str | None:
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise Fault(name, "is not a text", "Write a text.")
    return str(value)


def _inside(body: Named[str, Any], name: str) -> Named[str, Any]:
    found = body.get(name)
    if isinstance(found, list):
        found = found[0] if found else None
    return found if isinstance(found, Named) else {}


def _category(product: Named[str, Any]) -> str | None:
    told = product.get("category")
    if isinstance(told, list):
        return " > ".join(str(one) for one in told if isinstance(one, str)) or _one(
            product, "category"
        )
    return _one(product, "category")


def _image(product: Named[str, Any]) -> str | None:
    told = _inside(product, "image")
    return (
        _text(told.get("url") or told.get("contentUrl"), "image")
        if told
        else _one(product, "image")
    )


def _offer(product: Named[str, Any]) -> Named[str, Any]:
    """The offer with the lowest price; an ``AggregateOffer`` says it as ``lowPrice``."""
    told = product.get("offers")
    offers = [one for one in (told if isinstance(told, list) else [told]) if isinstance(one, Named)]
    for one in tuple(offers):
        if isinstance(one.get("offers"), list) and "lowPrice" not in one:
            offers += [inner for inner in one["offers"] if isinstance(inner, Named)]
    priced = [(float(price), place) for place, one in enumerate(offers) if (price := _price(one))]
    if priced:
        return offers[min(priced)[1]]
    return offers[0] if offers else {}


def _price(offer: Named[str, Any]) -> str | None:
    told: Any = offer.get("price", offer.get("lowPrice"))
    if told is None:
        specified = _inside(offer, "priceSpecification")
        told = specified.get("price")
    number = amount(told, "offers.price")
    return None if number is None else repr(number)


def _more(product: Named[str, Any]) -> str | None:
    """``additionalProperty`` as JSON: name to value, with its unit."""
    listed = product.get("additionalProperty")
    found = {}
    for one in listed if isinstance(listed, list) else [listed]:
        if isinstance(one, Named) and isinstance(one.get("name"), str):
            unit = one.get("unitText") or one.get("unitCode")
            value = str(one.get("value", ""))
            found[one["name"]] = f"{value} {unit}" if unit else value
    return orjson.dumps(found).decode() if found else None
