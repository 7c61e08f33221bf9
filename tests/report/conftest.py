"""A small shop with everything that a report shows, and hostile names in it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.stall import Row, event, stock

from shopkeeper.core.settings import Settings
from shopkeeper.shop import Shop

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)> \"'&amp; </style> javascript:"


def _rows() -> list[Row]:
    rows: list[Row] = []

    def add(day: float, name: str, user: str | None, item: str | None, **more: object) -> None:
        rows.append(event(len(rows), day, name, user, item, **more))

    for day in range(150):
        for k in range(1 + day // 40):
            user = f"u{(day * 7 + k * 11) % 37}"
            item = f"i{(day + k * 3) % 8}"
            add(day, "view_item", user, item, channel="mail" if k % 2 else "ads")
            if (day + k) % 2:
                continue
            add(day + 0.01, "add_to_cart", user, item)
            add(day + 0.02, "begin_checkout", user, item)
            line = {"value": 30.0 + k, "price": 30.0 + k, "quantity": 1.0, "cost": 20.0}
            add(day + 0.03, "purchase", user, item, order_id=f"o{day}-{k}", **line)
            if day % 13 == 0:
                add(
                    day + 0.04,
                    "refund",
                    user,
                    item,
                    order_id=f"o{day}-{k}",
                    value=30.0,
                    quantity=1.0,
                )
    add(149.5, "purchase", None, "i1", order_id="guest", value=99.0, quantity=1.0, cost=50.0)
    add(149.5, "purchase", HOSTILE, "i0", order_id=HOSTILE, value=1e6, quantity=1.0, cost=50.0)
    return rows


def _items() -> list[Row]:
    titles = [
        HOSTILE,
        "Green tea " + "very " * 60 + "long",
        "红茶",
        "Cup",
        "Pot",
        "Tin",
        "Box",
        "Tray",
    ]
    return [
        {
            "item_id": f"i{n}",
            "title": title,
            "category": f"{HOSTILE if n == 0 else ['Tea', 'Ware'][n % 2]} > sub",
            "price": 30.0,
            "stock": 0.0 if n == 3 else 5.0,
        }
        for n, title in enumerate(titles)
    ]


@pytest.fixture(scope="module")
def full_shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    folder: Path = tmp_path_factory.mktemp("full") / "shop"
    settings = Settings(
        name="Lee & Söhne <b>茶行</b>",
        time_zone="Asia/Shanghai",
        currency="CNY",
        languages=("zh", "en"),
    )
    with Shop.create(folder, settings) as shop:
        shop.people.upsert(
            [{"customer_id": f"u{n}", "country": ["CN", "DE"][n % 2]} for n in range(37)]
        )
        yield stock(shop, _rows(), _items())
