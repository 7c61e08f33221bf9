"""An order as calls: what was bought, and each refund."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

from shopkeeper.collect.fields import Fault, amount, identifier
from shopkeeper.collect.shopify.spelling import Object, first, inside, key, members, money, needed

_UNPAID = frozenset({"voided", "pending", "authorized", "expired", "unpaid"})
_LINES = ("line_items", "lineItems")
_UTM = {"utm_source": "source", "utm_medium": "medium", "utm_campaign": "name",
        "utm_content": "content", "utm_id": "id"}  # fmt: skip
_CENT = 0.005

Call = dict[str, Any]


def calls(order: object) -> list[Call]:
    """The order's purchase (or, cancelled before it was paid, its cancellation) and its refunds.

    Raises:
        Fault: a field that cannot be taken; a test order; an order without its lines.
    """
    if not isinstance(order, Mapping):
        raise Fault("(row)", "is not an object", "Export orders as JSON.")
    if "__parentId" in order:
        raise Fault(
            "__parentId", "is part of another line of a bulk operation",
            "Export orders with their lines inside: line_items, or lineItems { nodes { … } }.",
        )  # fmt: skip
    if order.get("test") is True:
        raise Fault("test", "is a test order, which nobody paid", "Leave it out.")
    if not any(name in order for name in _LINES):
        raise Fault("line_items", "is missing", "Export orders with their lines.")
    order_id = needed(order, "order")
    status = str(first(order, "financial_status", "displayFinancialStatus") or "").lower()
    cancelled = first(order, "cancelled_at", "cancelledAt")
    common = _common(order, order_id)
    if cancelled is not None and status in _UNPAID:
        return [_bought(order, order_id, common, "Order Cancelled", "/cancelled", cancelled)]
    at = first(order, "processed_at", "processedAt", "created_at", "createdAt")
    out = [_bought(order, order_id, common, "Order Completed", "", at)]
    for number, refund in enumerate(members(order, "refunds")):
        call = _refund(order, refund, order_id, common, f"refunds[{number}].")
        if call is not None:
            out.append(call)
    return out


def _common(order: Object, order_id: str) -> Call:
    call: Call = {"type": "track"}
    customer = key(inside(order, "customer"), field="customer.id")
    if customer is not None:
        call["userId"] = customer
    landing = first(order, "landing_site", "landingPageUrl")
    if isinstance(landing, str):
        told = _campaign(landing)
        if told:
            call["context"] = {"campaign": told}
    if "context" not in call:
        channel = first(order, "source_name", "sourceName")
        if channel is not None:
            call["properties"] = {"channel": identifier(channel, "source_name")}
    call["properties"] = {
        **call.get("properties", {}),
        "order_id": order_id,
        "currency": first(order, "currency", "currencyCode"),
    }
    if name := first(order, "name"):
        call["properties"]["order_name"] = name
    return call


def _campaign(address: str) -> dict[str, str]:
    try:
        told = parse_qs(urlsplit(address).query, max_num_fields=100)
    except ValueError:  # not an address: then it names no campaign
        return {}
    return {ours: told[theirs][0][:200] for theirs, ours in _UTM.items() if theirs in told}


def _bought(
    order: Object, order_id: str, common: Call, event: str, suffix: str, at: object
) -> Call:
    if at is None:
        raise Fault("created_at", "is missing", "Export orders with created_at.")
    included = first(order, "taxes_included", "taxesIncluded") is True
    products = [
        _line(line, included, f"line_items[{number}]")
        for number, line in enumerate(members(order, *_LINES))
    ]
    properties = {
        **common["properties"],
        "products": products,
        "tax": money(order, "total_tax", "totalTaxSet"),
        "shipping": money(order, "total_shipping_price_set", "totalShippingPriceSet"),
        "total": money(order, "total_price", "totalPriceSet"),
        "coupon": _coupons(order),
    }
    return {
        **common,
        "event": event,
        "messageId": f"shopify/order/{order_id}{suffix}",
        "timestamp": at,
        "properties": {k: v for k, v in properties.items() if v is not None},
    }


def _coupons(order: Object) -> str | None:
    codes = first(order, "discount_codes", "discountCodes")
    if not isinstance(codes, list):
        return None
    named = [code.get("code") if isinstance(code, Mapping) else code for code in codes]
    return ",".join(str(code) for code in named if code) or None


def _line(line: Object, tax_included: bool, field: str) -> Call:
    """One line as a product; ``revenue`` is what it brought after discounts and without tax."""
    try:
        price = money(line, "price", "originalUnitPriceSet", "originalUnitPrice")
        quantity = _units(line)
        revenue = None
        if price is not None:
            given = members(line, "discount_allocations", "discountAllocations")
            off = sum(money(one, "amount", "allocatedAmountSet") or 0.0 for one in given)
            if tax_included:
                taxes = members(line, "tax_lines", "taxLines")
                off += sum(money(one, "price", "priceSet") or 0.0 for one in taxes)
            revenue = _rest(price * quantity, off, "discount_allocations")
        return _product(line) | {"price": price, "quantity": quantity, "revenue": revenue}
    except Fault as fault:
        raise Fault(f"{field}.{fault.field}", fault.reason, fault.hint) from None


def _product(line: Object) -> Call:
    told = {
        "product_id": key(line, "product_id") or key(inside(line, "product")),
        "sku": first(line, "sku"),
        "name": first(line, "title", "name"),
        "brand": first(line, "vendor"),
        "variant": first(line, "variant_title", "variantTitle"),
        # variant_id of an event is the arm of an experiment: another thing.
        "product_variant_id": key(line, "variant_id") or key(inside(line, "variant")),
        "gift_card": line.get("gift_card") or line.get("isGiftCard") or None,
    }
    return {name: value for name, value in told.items() if value is not None}


def _units(line: Object) -> float:
    found = line.get("quantity")
    if isinstance(found, bool) or not isinstance(found, int | float) or found < 0:
        raise Fault("quantity", f"{str(found)[:40]!r} is not a number of units", "Write 2.")
    return float(found)


def _refund(order: Object, refund: Object, order_id: str, common: Call, field: str) -> Call | None:
    """The refund; None where nothing was given back, as when goods are only put on the shelf again."""
    try:
        refund_id = needed(refund, "refund")
        at = first(refund, "created_at", "createdAt", "processed_at")
        if at is None:
            raise Fault("created_at", "is missing", "Export refunds with created_at.")
        products = _refunded(order, refund)
        properties = {**common["properties"]}
        if products:
            properties["products"] = products
        else:
            value = _paid_back(refund)
            if value < _CENT:
                return None
            properties["value"] = value
    except Fault as fault:
        raise Fault(f"{field}{fault.field}", fault.reason, fault.hint) from None
    return {
        **common,
        "event": "Order Refunded",
        "messageId": f"shopify/order/{order_id}/refund/{refund_id}",
        "timestamp": at,
        "properties": properties,
    }


def _refunded(order: Object, refund: Object) -> list[Call]:
    included = first(order, "taxes_included", "taxesIncluded") is True
    sold = {key(line): line for line in members(order, *_LINES)}
    out = []
    for part in members(refund, "refund_line_items", "refundLineItems"):
        told = inside(part, "line_item", "lineItem")
        line_id = key(part, "line_item_id") or key(told)
        line = {**told, **sold.get(line_id, {})}
        value = money(part, "subtotal", "subtotalSet")
        if value is None:
            raise Fault("refund_line_items.subtotal", "is missing", "Export it too.")
        if included:
            tax = money(part, "total_tax", "totalTaxSet") or 0.0
            value = _rest(value, tax, "refund_line_items.total_tax")
        price = money(line, "price", "originalUnitPriceSet", "originalUnitPrice")
        out.append(_product(line) | {"price": price, "quantity": _units(part), "revenue": value})
    return out


def _paid_back(refund: Object) -> float:
    """The money of a refund that names no goods, without what was given back of the shipping."""
    total = money(refund, "totalRefundedSet", "totalRefunded")
    if total is None:
        total = sum(
            money(one, "amount", "amountSet") or 0.0
            for one in members(refund, "transactions")
            if str(one.get("kind", "")).lower() == "refund"
            and str(one.get("status", "")).lower() == "success"
        )
    shipping = 0.0
    for one in members(refund, "order_adjustments", "orderAdjustments"):
        if str(one.get("kind", "")).lower() == "shipping_refund":
            shipping += amount(str(one.get("amount") or 0).lstrip("-"), "order_adjustments") or 0.0
    return _rest(total, min(shipping, total), "order_adjustments")


def _rest(whole: float, off: float, field: str) -> float:
    rest = whole - off
    if rest < -_CENT:
        raise Fault(field, f"{off} is more than the {whole} that it is taken from")
    return max(0.0, round(rest, 6))
