"""One way to read what REST writes as ``line_items`` and GraphQL as ``lineItems { edges { node } }``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from shopkeeper.collect.fields import Fault, amount, identifier

_GLOBAL_ID = re.compile(r"^gid://shopify/\w+/([^?/]+)")
_LISTS = ("orders", "products", "customers")
_SINGLE = ("order", "product", "customer")
_TELLING = {
    "orders": ("line_items", "lineItems", "financial_status", "displayFinancialStatus"),
    "products": ("variants", "body_html", "descriptionHtml", "product_type", "productType"),
    "customers": ("orders_count", "numberOfOrders", "first_name", "firstName", "default_address",
                  "defaultAddress", "verified_email", "verifiedEmail"),
}  # fmt: skip

Object = Mapping[str, Any]


def objects(body: object) -> Iterator[object]:
    """The orders, products or customers in a line, a response or a whole document."""
    if isinstance(body, list):
        yield from body
        return
    if isinstance(body, Mapping):
        inner = body.get("data")
        if isinstance(inner, Mapping):
            yield from objects(inner)
            return
        for name in _LISTS:
            listed = _unfolded(body.get(name))
            if isinstance(listed, list) and kind(body) is None:
                yield from listed
                return
        for name in _SINGLE:
            if isinstance(body.get(name), Mapping) and kind(body) is None:
                yield body[name]
                return
    yield body


def kind(body: object) -> str | None:
    """``orders``, ``products`` or ``customers``; None where it is none of them."""
    if not isinstance(body, Mapping):
        return None
    told = str(body.get("id") or body.get("admin_graphql_api_id") or "")
    for name in _LISTS:
        if told.startswith(f"gid://shopify/{name[:-1].title()}/"):
            return name
    return next((k for k, keys in _TELLING.items() if any(key in body for key in keys)), None)


def first(body: Object, *names: str) -> Any:
    """The value under the first of these names that has one."""
    return next((body[name] for name in names if body.get(name) not in (None, "")), None)


def inside(body: Object, *names: str) -> Object:
    """The object under the first of these names; an empty one where there is none."""
    found = first(body, *names)
    if found is None:
        return {}
    if not isinstance(found, Mapping):
        raise Fault(names[0], "is not an object", "Export it again.")
    return found


def members(body: Object, *names: str) -> list[Object]:
    """A list: REST's own, or GraphQL's ``edges`` or ``nodes``.

    Raises:
        Fault: it is none; or there is more of it than the response holds.
    """
    found = first(body, *names)
    if found is None:
        return []
    if isinstance(found, Mapping):
        page = found.get("pageInfo")
        if isinstance(page, Mapping) and page.get("hasNextPage"):
            raise Fault(names[0], "goes on in another page", "Ask for more of it at once.")
    found = _unfolded(found)
    if not isinstance(found, list) or not all(isinstance(one, Mapping) for one in found):
        raise Fault(names[0], "is not a list of objects", "Export it again.")
    return found


def _unfolded(found: object) -> object:
    if not isinstance(found, Mapping):
        return found
    if isinstance(edges := found.get("edges"), list):
        return [edge.get("node") if isinstance(edge, Mapping) else edge for edge in edges]
    return found.get("nodes")


def key(body: Object, name: str = "id", field: str = "") -> str | None:
    """An id as REST writes it: ``gid://shopify/Order/7`` is ``7``."""
    found = identifier(body.get(name), field or name)
    match = _GLOBAL_ID.match(found) if found else None
    return match[1] if match else found


def needed(body: Object, what: str) -> str:
    """The object's id, or a :class:`Fault`."""
    found = key(body)
    if found is None:
        raise Fault("id", f"is missing: which {what} is it", "Export it again, with its id.")
    return found


def money(body: Object, *names: str) -> float | None:
    """An amount in the shop's own currency: a text, or ``{shopMoney {amount}}``."""
    found = first(body, *names)
    for step in ("shopMoney", "shop_money"):
        if isinstance(found, Mapping) and step in found:
            found = found[step]
    if isinstance(found, Mapping):
        found = found.get("amount")
    return amount(found, names[0])
