"""The authored catalogue: 240 products in six categories, in Chinese and English, with facts."""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

_FOLDER = Path(__file__).parent / "catalogue"
SHARED_ASPECTS: Final = ("price", "delivery", "packaging", "service")
STYLES: Final = ("classic", "modern", "natural", "playful", "premium", "practical")
_SOURCES: Final = {
    "label": "Printed label of {id}, batch of 2024",
    "sheet": "Data sheet of {brand} for {id}, 2024 edition",
    "report": "Test report {number} on {id}, 2024",
    "warranty": "Warranty card of {brand}",
    "supplier": "Supplier statement of {brand}, January 2024",
}


@dataclass(frozen=True)
class Fact:
    """One authored fact: its name, value in both languages, unit and source."""

    name: str
    zh: str
    en: str
    unit: str
    source: str

    def value(self, language: str) -> str:
        return self.zh if language == "zh" else self.en


@dataclass(frozen=True)
class Product:
    """One authored product; price and cost in yuan."""

    item_id: str
    category: str
    sub: str
    brand_names: tuple[str, str]
    price: float
    cost: float
    stock: int
    style: str
    titles: dict[str, str]
    descriptions: dict[str, str]
    attributes: dict[str, tuple[str, str]]
    facts: tuple[Fact, ...]
    upcoming: bool

    @property
    def brand(self) -> str:
        return " ".join(self.brand_names)


class Catalogue:
    """All products in order, with what the simulation needs to look up."""

    def __init__(self, products: list[Product], about: Mapping[str, Any]) -> None:
        self.products = products
        self.ids = [product.item_id for product in products]
        self.index = {item_id: number for number, item_id in enumerate(self.ids)}
        self.about = {key: value for key, value in about.items() if key != "aspects"}
        self.categories = list(self.about)
        self.aspect_names: dict[str, tuple[str, str]] = {
            key: (zh, en) for key, (zh, en) in about["aspects"].items()
        }
        self.aspects = list(self.aspect_names)
        self.aspect_index = {key: number for number, key in enumerate(self.aspects)}

    def own_aspects(self, item: int) -> list[int]:
        """The aspects that only some kinds of product have, for one item."""
        product = self.products[item]
        about = self.about[product.category]
        fitting = [
            a for a in about["aspects"] if product.sub in about["only"].get(a, (product.sub,))
        ]
        return [self.aspect_index[a] for a in fitting]

    def category_names(self) -> dict[str, str]:
        """Every name by which a category may be called, to its key."""
        return {
            name: key
            for key, about in self.about.items()
            for name in (key, about["zh"], about["en"])
        }

    def brand_names(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(n for p in self.products for n in (*p.brand_names, p.brand)))

    def path(self, product: Product, language: str) -> str:
        """The category path, widest first."""
        about = self.about[product.category]
        sub = about["subs"][product.sub][0 if language == "zh" else 1]
        return f"{about[language]} > {sub if language == 'zh' else sub[0].upper() + sub[1:]}"

    def noun(self, item: int, language: str) -> str:
        """What a customer calls such a product: its sub-category."""
        product = self.products[item]
        zh, en = self.about[product.category]["subs"][product.sub]
        return str(zh if language == "zh" else en)


@cache
def catalogue() -> Catalogue:
    """The shipped catalogue, read once."""
    about = tomllib.loads((_FOLDER / "categories.toml").read_text("utf-8"))
    names = fact_names()
    products = [
        product
        for category in about
        if category != "aspects"
        for product in _read(category, about[category], names)
    ]
    return Catalogue(products, about)


@cache
def fact_names() -> dict[str, tuple[str, str, str, str]]:
    """Per fact name: Chinese label, English label, unit, kind of source."""
    raw = tomllib.loads((_FOLDER / "facts.toml").read_text("utf-8"))
    return {name: (zh, en, unit, source) for name, (zh, en, unit, source) in raw.items()}


def _read(
    category: str, about: Mapping[str, Any], names: Mapping[str, tuple[str, str, str, str]]
) -> list[Product]:
    with (_FOLDER / f"{category}.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="|", quoting=csv.QUOTE_NONE))
    return [_product(category, about, row, names) for row in rows]


def _product(
    category: str,
    about: Mapping[str, Any],
    row: Mapping[str, str],
    names: Mapping[str, tuple[str, str, str, str]],
) -> Product:
    brand = _both(row["brand"])
    pairs = [part.split("=", 1) for part in row["facts"].split(";")]
    attributes = dict(part.split("=", 1) for part in row["attributes"].split(";") if part)
    return Product(
        item_id=row["id"],
        category=category,
        sub=row["sub"],
        brand_names=brand,
        price=float(row["price"]),
        cost=float(row["cost"]),
        stock=int(row["stock"]),
        style=row["style"],
        titles={"zh": row["title_zh"], "en": row["title_en"]},
        descriptions={"zh": row["description_zh"], "en": row["description_en"]},
        attributes={key: _both(value) for key, value in attributes.items()},
        facts=tuple(
            _fact(name, value, f"{row['id']}|{brand[1]}|{place}", names[name])
            for place, (name, value) in enumerate(pairs, 1)
        ),
        upcoming=row["id"] in about["upcoming"],
    )


def _fact(name: str, value: str, whose: str, about: tuple[str, str, str, str]) -> Fact:
    zh, en = _both(value)
    item_id, brand, place = whose.split("|")
    number = f"TR-{item_id.upper()}-{place}"
    source = _SOURCES[about[3]].format(id=item_id, brand=brand, number=number)
    return Fact(name, zh, en, about[2], source)


def _both(text: str) -> tuple[str, str]:
    zh, _, en = text.partition("/")
    return zh, en or zh
