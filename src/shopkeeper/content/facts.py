"""What is true of the items that words are about, as values that can be compared and as people write them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from shopkeeper.content.types import Altered, Fact
from shopkeeper.shop.shop import Shop

PRICE, STOCK = "price", "stock"
_COLUMNS: Final = ("title", "brand", "category")
_LONGEST: Final = 300
_PATH: Final = " > "
_SYMBOLS: Final = {
    "CNY": "¥", "JPY": "¥", "USD": "$", "GBP": "£", "EUR": "€", "HKD": "HK$", "TWD": "NT$", "KRW": "₩",
    "INR": "₹", "AUD": "A$", "CAD": "C$", "SGD": "S$",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Known:
    """One fact of one item: as it is compared, and as words say it in either language."""

    name: str
    value: str
    said: str
    fact_id: str = ""
    number: float | None = None
    unit: str = ""


Items = Mapping[str, Mapping[str, Known]]
"""By item id, by the fact's name."""


def known(shop: Shop, item_ids: Iterable[str]) -> dict[str, dict[str, Known]]:
    """What the catalogue says of these items; those that it does not know are left out."""
    ids = list(dict.fromkeys(item_ids))
    rows = shop.catalogue.some(ids)
    return {
        one: _of(rows[one], shop.catalogue.facts_of(one), shop.settings.currency)
        for one in ids
        if one in rows
    }


def _of(
    row: Mapping[str, Any], told: Sequence[Mapping[str, Any]], currency: str
) -> dict[str, Known]:
    found: dict[str, Known] = {}
    for name, value in dict(row.get("attributes") or {}).items():
        _put(found, str(name), str(value))
    for one in told:
        unit = str(one["unit"] or "")
        _put(found, str(one["name"]), str(one["value"]), str(one["fact_id"]), unit)
    for name in _COLUMNS:
        value = str(row.get(name) or "")
        _put(found, name, value.split(_PATH)[-1] if name == "category" else value)
    money = str(row.get("currency") or currency)
    if row.get(PRICE) is not None:
        price = float(row[PRICE])
        found[PRICE] = Known(PRICE, f"{price:.2f} {money}", said_price(price, money), "", price)
    if row.get(STOCK) is not None:
        stock = float(row[STOCK])
        found[STOCK] = Known(STOCK, f"{stock:g}", f"{stock:g}", "", stock)
    return found


def _put(found: dict[str, Known], name: str, value: str, fact_id: str = "", unit: str = "") -> None:
    value = value.strip()
    if not 0 < len(value) <= _LONGEST:
        return
    said = f"{value} {unit}" if unit and unit.isascii() and unit.isalpha() else f"{value}{unit}"
    try:
        number: float | None = float(value.replace(",", ""))
    except ValueError:
        number = None
    found[name] = Known(name, said, said, fact_id, number, unit)


def said_price(price: float, currency: str) -> str:
    """A price as people write it: ¥99, ¥99.90, 99 CHF."""
    amount = f"{price:,.0f}" if float(price).is_integer() else f"{price:,.2f}"
    symbol = _SYMBOLS.get(currency)
    return f"{symbol}{amount}" if symbol else f"{amount} {currency}"


def item_variables(items: Items, item_ids: Sequence[str]) -> dict[str, str]:
    """The values of ``item.…`` (the first), ``item2.…`` and so on."""
    values: dict[str, str] = {}
    for number, item_id in enumerate(item_ids, 1):
        prefix = "item" if number == 1 else f"item{number}"
        for name, fact in items.get(item_id, {}).items():
            values[f"{prefix}.{variable_name(name)}"] = fact.said
    return values


def variable_name(name: str) -> str:
    """A fact's name as a variable's: what is no letter, digit or underscore becomes one."""
    return "".join(c if c.isalnum() or c == "_" else "_" for c in name)


def meant(variable: str, items: Items, item_ids: Sequence[str]) -> Fact | None:
    """The fact that a variable such as ``item2.price`` stands for."""
    prefix, _, name = variable.partition(".")
    if not prefix.startswith("item"):
        return None
    number = int(prefix[4:]) if prefix[4:].isdecimal() else 1
    if not 1 <= number <= len(item_ids):
        return None
    item_id = item_ids[number - 1]
    for one in items.get(item_id, {}).values():
        if variable_name(one.name) == name:
            return fact_of(item_id, one)
    return None


def fact_of(item_id: str, one: Known) -> Fact:
    """The fact as a version keeps it."""
    return Fact(item_id=item_id, name=one.name, value=one.value, fact_id=one.fact_id)


def altered(items: Items, facts: Iterable[Fact]) -> Altered | None:
    """The first of these facts that is no longer so."""
    for fact in facts:
        now = items.get(fact.item_id, {}).get(fact.name)
        if now is None or now.value != fact.value:
            return Altered(
                item_id=fact.item_id,
                name=fact.name,
                value=fact.value,
                now=now.value if now else None,
            )
    return None


def unavailable(shop: Shop, item_ids: Sequence[str], at: datetime) -> str:
    """The first item that cannot be had now, and why; empty: all can."""
    rows = shop.catalogue.some(item_ids)
    for item_id in item_ids:
        row = rows.get(item_id)
        if row is None:
            return f"{item_id}: no longer in the catalogue"
        stock, ends, starts = row.get(STOCK), row.get("expires_at"), row.get("available_from")
        if stock is not None and stock <= 0:
            return f"{item_id}: stock {stock:g}"
        if (ends is not None and ends <= at) or (starts is not None and starts > at):
            return f"{item_id}: not offered at this time"
    return ""
