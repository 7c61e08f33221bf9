"""What a commerce call says about goods and money: one row for each of its products."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from shopkeeper.collect.currencies import CODES
from shopkeeper.collect.fields import Fault, amount, flatten, identifier, text
from shopkeeper.core.events import PURCHASE, REFUND

_IDS = {
    "product_id": "item_id", "productId": "item_id", "item_id": "item_id", "itemId": "item_id",
    "order_id": "order_id", "orderId": "order_id",
    "transaction_id": "order_id", "transactionId": "order_id",
    "session_id": "session_id", "sessionId": "session_id", "ga_session_id": "session_id",
    "campaign_id": "campaign_id", "campaignId": "campaign_id",
    "content_id": "content_id", "contentId": "content_id",
    "experiment_id": "experiment_id", "experimentId": "experiment_id",
    "variant_id": "variant_id", "variantId": "variant_id",
    "variation_id": "variant_id", "variationId": "variant_id",
    "channel": "channel", "query": "query", "search_term": "query",
}  # fmt: skip
_AMOUNTS = frozenset(
    {"quantity", "price", "cost", "value", "revenue", "total", "subtotal", "tax", "shipping",
     "discount"}
)  # fmt: skip
_KEPT = frozenset({"tax", "shipping", "discount", "subtotal", "total", "revenue"})
_LINES = 500
_FIELDS = (
    _AMOUNTS | _IDS.keys() | {"currency", "propensity", "products", "items", "ecommerce", "sku"}
)

Row = dict[str, Any]


def lines(properties: Mapping[str, Any], name: str, currency: str) -> list[Row]:
    """The rows' own columns: a single one, or one a product.

    Money: a line's ``value`` is price × quantity less its share of the order's ``discount``; without
    products it is ``value``, ``revenue``, price × quantity, or ``total`` less tax and shipping.
    """
    if not properties:
        return [{}]
    if isinstance(nested := properties.get("ecommerce"), Mapping):
        properties = {**properties, **nested}
    row, amounts, extra = _split(properties, "properties")
    _currency(row, properties, currency, amounts)
    products = properties.get("products", properties.get("items"))
    if products is None or products == []:
        value = _value(amounts, order=name in (PURCHASE, REFUND))
        _put(row, amounts, value, extra)
        return [row]
    return list(_products(products, row, amounts, extra, name in (PURCHASE, REFUND)))


def _split(
    properties: Mapping[str, Any], field: str
) -> tuple[Row, dict[str, float], dict[str, Any]]:
    row: Row = {}
    amounts: dict[str, float] = {}
    extra: dict[str, Any] = {}
    for key, value in properties.items():
        if key not in _FIELDS:
            extra[key] = value
        elif key in _AMOUNTS:
            number = amount(value, f"{field}.{key}")
            if number is not None:
                amounts[key] = number
        elif key in _IDS:
            _identify(row, extra, key, value, field)
        elif key == "propensity":
            row[key] = _probability(value, f"{field}.{key}")
        elif key == "sku":
            extra[key] = value
    if "item_id" not in row and "sku" in extra:
        row["item_id"] = identifier(extra.pop("sku"), f"{field}.sku")
    return row, amounts, extra


def _identify(row: Row, extra: dict[str, Any], key: str, value: object, field: str) -> None:
    column = _IDS[key]
    if column == "query":
        if not isinstance(value, str):
            raise Fault(f"{field}.{key}", "is not a text", "Send what was searched for.")
        found: str | None = text(value)[:1000] or None
    else:
        found = identifier(value, f"{field}.{key}")
    if column in row:
        extra[key] = value
    elif found is not None:
        row[column] = found


def _currency(
    row: Row, properties: Mapping[str, Any], shop: str, amounts: dict[str, float]
) -> None:
    stated = properties.get("currency")
    if stated is None or stated == "":
        if amounts:
            row["currency"] = shop
        return
    code = stated.strip().upper() if isinstance(stated, str) else ""
    if code not in CODES:
        raise Fault("properties.currency", f"{str(stated)[:20]!r} is no currency code", "ISO 4217.")
    if code != shop:
        raise Fault(
            "properties.currency",
            f"{code} is not the shop's currency {shop}",
            f"Convert the amounts to {shop} before sending them.",
        )
    row["currency"] = code


def _value(amounts: dict[str, float], *, order: bool) -> float | None:
    if "value" in amounts:
        return amounts["value"]
    if "revenue" in amounts:
        return amounts["revenue"]
    if "price" in amounts:
        return amounts["price"] * amounts.get("quantity", 1.0)
    if order and "total" in amounts:
        rest = amounts["total"] - amounts.get("tax", 0.0) - amounts.get("shipping", 0.0)
        if rest < 0:
            raise Fault("properties.total", "is less than tax and shipping together")
        return rest
    return None


def _put(row: Row, amounts: dict[str, float], value: float | None, extra: dict[str, Any]) -> None:
    for key in ("quantity", "price", "cost"):
        if key in amounts:
            row[key] = amounts[key]
    if value is not None:
        row["value"] = value
    for key in _KEPT & amounts.keys():
        extra[key] = amounts[key]
    if extra:
        row["properties"] = flatten(extra, "properties")


def _products(
    products: object,
    order: Row,
    amounts: dict[str, float],
    extra: dict[str, Any],
    bought: bool,
) -> Iterator[Row]:
    if not isinstance(products, list):
        raise Fault("properties.products", "is not a list", "Send a list of objects.")
    if len(products) > _LINES:
        raise Fault("properties.products", f"holds {len(products)} lines; at most {_LINES}")
    parts = []
    for index, product in enumerate(products):
        field = f"properties.products[{index}]"
        if not isinstance(product, Mapping):
            raise Fault(field, "is not an object", "Send {product_id, price, quantity}.")
        parts.append(_split(product, field))
    values = _shares([money for _, money, _ in parts], amounts)
    # The order's own amounts stand on its first line alone, so that sums over lines stay right.
    whole = {f"order.{key}": amounts[key] for key in sorted(amounts)}
    for (row, money, own), value in zip(parts, values, strict=True):
        line = {**order, **row}
        if bought:
            money.setdefault("quantity", 1.0)
        _put(line, money, value, {**extra, **own, **whole})
        whole = {}
        yield line


def _shares(lines_of: list[dict[str, float]], order: dict[str, float]) -> list[float | None]:
    """Each line's value; together the order's revenue less its discount."""
    gross = [_gross(line) for line in lines_of]
    known = [value for value in gross if value is not None]
    if not known:  # no line says its price: the order's amount is spread by units
        total = _value({k: v for k, v in order.items() if k != "price"}, order=True)
        units = [line.get("quantity", 1.0) for line in lines_of]
        if total is None or not sum(units):
            return [None] * len(lines_of)
        return [total * unit / sum(units) for unit in units]
    discount, whole = order.get("discount", 0.0), sum(known)
    if discount > whole * (1 + 1e-9):
        raise Fault("properties.discount", f"{discount} is more than the products' {whole}")
    kept = 1.0 - discount / whole if whole else 1.0
    return [None if value is None else value * kept for value in gross]


def _gross(line: dict[str, float]) -> float | None:
    """A line's own revenue, which is after its own discounts; else price × quantity."""
    if "revenue" in line:
        return line["revenue"]
    return line["price"] * line.get("quantity", 1.0) if "price" in line else line.get("value")


def _probability(value: object, field: str) -> float | None:
    number = amount(value, field)
    if number is not None and not 0 < number <= 1:
        raise Fault(field, f"{number} is not above 0 and up to 1", "Send a probability.")
    return number
