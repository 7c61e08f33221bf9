"""A tea shop with one item, three customers, and people who write and approve."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from shopkeeper.content.operations import approve, draft, submit
from shopkeeper.content.types import Version
from shopkeeper.core.operation import Actor, Context
from shopkeeper.core.settings import Settings
from shopkeeper.shop import Shop

ALL = frozenset({"*:*"})
TEXT = (
    'Dear {{ customer.name | default: "customer" }}, {{ item.title }} costs {{ item.price }}. '
    "Unsubscribe: {{ unsubscribe_url }}"
)
PARTS: dict[str, dict[str, Any]] = {"en": {"subject": "{{ item.title }}", "text": TEXT}}


@pytest.fixture
def tea(shop: Shop) -> Shop:
    """A shop of its own, to change."""
    return _stocked(shop)


@pytest.fixture(scope="module")
def stall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """One for all tests of a file that only ask."""
    folder = tmp_path_factory.mktemp("stall") / "shop"
    settings = Settings(name="Test shop", time_zone="Asia/Shanghai", currency="CNY")
    with Shop.create(folder, settings) as opened:
        yield _stocked(opened)


def _stocked(shop: Shop) -> Shop:
    shop.catalogue.upsert_items(
        [
            {
                "item_id": "tea",
                "title": "Spring tea",
                "brand": "Leaf",
                "category": "Food > Tea",
                "price": 99.0,
                "stock": 12.0,
                "attributes": {"origin": "Hangzhou", "产地": "杭州", "material": "green leaves"},
                "available_from": shop.now(),
            }
        ]
    )
    shop.catalogue.upsert_facts(
        [
            {
                "fact_id": "f1",
                "item_id": "tea",
                "name": "weight",
                "value": "250",
                "unit": "g",
                "source": "label",
            }
        ]
    )
    shop.people.upsert(
        [
            {"customer_id": "C1", "language": "en", "traits": {"name": "Ann Lee", "city": "Bath"}},
            {"customer_id": "C2", "language": "zh-CN", "traits": {"name": "小明"}},
            {"customer_id": "C3", "traits": {}},
        ]
    )
    return shop


def person(shop: Shop, name: str, scopes: frozenset[str] = ALL, kind: str = "person") -> Context:
    return Context(shop, Actor(kind, name, scopes))


Approve = Callable[..., Version]


@pytest.fixture
def make(tea: Shop) -> Approve:
    """An approved version of these parts: written by ann, approved by bo."""

    def made(parts: dict[str, dict[str, Any]] = PARTS, **more: Any) -> Version:
        about = {"channel": "email", "item_ids": ("tea",)} | more
        shown = draft(person(tea, "ann"), "Spring", parts, **about)  # type: ignore[arg-type]
        submit(person(tea, "ann"), shown.template_id)
        bo = person(tea, "bo")
        plan = approve(bo, shown.template_id, 1).plan
        assert plan is not None
        version = approve(bo, shown.template_id, 1, confirm=plan.hash).version
        assert version is not None
        return version

    return made
