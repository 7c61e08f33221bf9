"""Shopify's orders (with refunds), products (with variants and stock) and customers, as JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import MappingProxyType
from typing import TypeVar

from shopkeeper.collect import calls, documents, objects
from shopkeeper.collect.calls import Reading, Unit
from shopkeeper.collect.fields import Fault
from shopkeeper.collect.mapping import Mapping
from shopkeeper.collect.objects import Flat
from shopkeeper.collect.request import Request, Result
from shopkeeper.collect.shopify import customers, orders, products
from shopkeeper.collect.shopify.spelling import kind
from shopkeeper.collect.shopify.spelling import objects as unpack
from shopkeeper.collect.source import File
from shopkeeper.core.errors import BadInput

ABOUT = "Shopify's orders, products or customers as JSON, of its REST or GraphQL interface"
NEEDS_MAPPING = False
Made = TypeVar("Made")
_FLAT: MappingProxyType[str, tuple[Mapping, Flat]] = MappingProxyType(
    {
        "products": (products.MAPPING, products.flat),
        "customers": (customers.MAPPING, customers.flat),
    }
)
_NAMES = (("properties.products", "line_items"), ("properties.", ""), ("userId", "customer.id"))


def bring(request: Request) -> Result:
    """Read, check and load one kind of object; the file's first one says which.

    Raises:
        BadInput: a mapping was given, or the file holds none of the three.
    """
    if request.file is None:
        return _again(request)
    if request.mapping is not None:
        raise BadInput("Shopify's files need no mapping.", hint="Leave it out.", field="mapping")
    file = request.file
    what = _kind(file)
    if what in _FLAT:
        mapping, flat = _FLAT[what]
        return objects.bring(request, mapping, _only(what, flat), lambda: _units(file))
    return calls.bring(request, _reading(request), _units(file))


def _again(request: Request) -> Result:
    for mapping, flat in _FLAT.values():
        if request.mapping is not None and request.mapping.name == mapping.name:
            return objects.bring(request, mapping, flat, tuple)
    if request.mapping is not None:
        raise BadInput("Shopify's files need no mapping.", hint="Leave it out.", field="mapping")
    return calls.bring(request, _reading(request), calls.again(request))


def _reading(request: Request) -> Reading:
    return Reading(request.source(), _only("orders", orders.calls), nobody=True, names=_NAMES)


def _only(what: str, make: Callable[[object], Made]) -> Callable[[object], Made]:
    """``make``, for objects of this kind alone."""

    def chosen(body: object) -> Made:
        found = kind(body)
        if found not in (what, None):
            raise Fault("(row)", f"is one of {found}, in a file of {what}", "One kind in a file.")
        return make(body)

    return chosen


def _units(file: File) -> Iterator[Unit]:
    return documents.units(file, unpack)


def _kind(file: File) -> str:
    for number, unit in enumerate(_units(file)):
        found = kind(unit.body)
        if found is not None:
            return found
        if number > 1_000:
            break
    raise BadInput(
        f"{file.path.name!r} holds no order, product or customer of Shopify.",
        hint='Export JSON such as {"orders": […]}, or one object a line.',
        field="path",
    )
