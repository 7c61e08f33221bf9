from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from shopkeeper.collect.accept import accept
from shopkeeper.core.operation import OWNER
from shopkeeper.core.settings import Settings
from shopkeeper.shop import Shop
from shopkeeper.store.imports import Receipt, Refusal

ANN, PHONE, MAIL, MOBILE = (
    "customer-ann-4711",
    "device-ann-77aa88",
    "ann.li@example.cn",
    "+86 138 0013 8000",
)
BOB, TABLET = "customer-bob-0815", "tablet-shared-55cc"
NAMES = (ANN, PHONE, MAIL, MOBILE)
NOW = datetime.now(UTC).replace(microsecond=0)


@dataclass
class World:
    """A shop in which Ann and Bob left traces everywhere; the tablet was Ann's, then Bob's."""

    shop: Shop
    sent: int = 0

    def send(self, days_ago: float, kind: str = "track", **call: Any) -> None:
        self.sent += 1
        moment = NOW - timedelta(days=days_ago)
        body = {"type": kind, "messageId": f"m{self.sent}", "timestamp": moment.isoformat(), **call}
        done = accept(self.shop, body, actor=OWNER, received_at=NOW)
        assert done.accepted == 1, done.refused

    def order(self, days_ago: float, user: str, order: str, price: float) -> None:
        product = {"product_id": "tea", "price": price, "quantity": 1}
        self.send(
            days_ago, userId=user, event="Order Completed",
            properties={"order_id": order, "products": [product], "note": f"for {user}"},
        )  # fmt: skip

    def move(self) -> None:
        with self.shop.writer("test") as writer:
            writer.drain()
            writer.snapshot()
            writer.maintain()

    def events(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self.shop.query(lambda s: s.events()).to_pylist()
        return rows

    def revenue(self) -> float:
        rows = self.shop.query(lambda s: s.daily().select("revenue"))
        return float(sum(rows["revenue"].to_pylist()))


def furnish(shop: Shop) -> World:
    world = World(shop)
    world.send(9, anonymousId=PHONE, event="Product Viewed", properties={"product_id": "tea"})
    world.move()
    world.send(
        8, "identify", userId=ANN, anonymousId=PHONE,
        traits={"email": MAIL, "phone": MOBILE, "city": "上海"},
    )  # fmt: skip
    world.send(8, "identify", userId=BOB, traits={"email": "bob@example.cn", "city": "上海"})
    for number in range(9):  # so many small files that a day is compacted
        world.send(8, userId=ANN, event="Product Viewed", properties={"product_id": f"p{number}"})
        with shop.writer("test") as writer:
            writer.drain()
    world.move()
    world.order(7, ANN, "A-1", 30.0)
    world.order(1500, ANN, "A-0", 20.0)
    world.order(7, BOB, "B-1", 50.0)
    world.send(6, "identify", userId=ANN, anonymousId=TABLET)
    world.send(6, anonymousId=TABLET, event="Product Viewed", properties={"product_id": "anns"})
    world.send(5, "identify", userId=BOB, anonymousId=TABLET)
    world.send(4, anonymousId=TABLET, event="Product Viewed", properties={"product_id": "bobs"})
    world.send(
        4, userId=BOB, anonymousId=PHONE, event="Product Viewed", properties={"product_id": "x"}
    )
    world.send(3, userId=BOB, event="Products Searched", properties={"query": f"gift for {MAIL}"})
    world.send(
        3, userId=ANN, event="Product Reviewed",
        properties={"product_id": "tea", "review_body": "Lovely tea, writes Ann", "rating": 5},
    )  # fmt: skip
    world.move()
    world.send(1, userId=ANN, event="Product Viewed", properties={"product_id": "waits in the log"})
    _store(world)
    _files(world)
    return world


def _store(world: World) -> None:
    shop = world.shop
    shop.consent.record(ANN, "marketing", "email", "GRANT", NOW, {"form": "checkout"})
    shop.consent.record(BOB, "marketing", "email", "GRANT", NOW, {"form": "checkout"})
    shop.imports.save(Receipt("imp-1", "table", f"{ANN}.csv", NOW))
    shop.imports.refuse(
        "imp-1",
        [
            Refusal(1, "price", f"'{MOBILE}' is not a price", "fix", {"id": ANN, "price": MOBILE}),
            Refusal(2, "price", "no price", "fix", {"id": BOB, "price": ""}),
        ],
    )
    job = shop.jobs.create("recommend.items", {"customer_id": ANN}, "owner", OWNER.scopes)
    shop.jobs.start(job.job_id)
    shop.jobs.finish(job.job_id, result={"customer_id": ANN, "items": ["tea"]})
    shop.audit.append(OWNER, "collect.retry", {"customer_id": ANN})


def _files(world: World) -> None:
    folder = world.shop.folder
    for name in ("reports", "inbox", "truth", "exports"):
        (folder / name).mkdir()
    (folder / "reports" / "with.html").write_text(f"<td>{ANN}</td>")
    (folder / "reports" / "without.html").write_text(f"<td>{BOB}</td>")
    with (folder / "inbox" / "orders.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["id", "note"], [ANN, "two\nlines"], [BOB, "x"]])
    lines = [json.dumps({"user": ANN}), json.dumps({"user": BOB})]
    (folder / "inbox" / "calls.jsonl").write_text("\n".join(lines) + "\n")
    table = pa.table({"customer_id": [ANN, BOB] * 3000, "taste": [0.5, 0.25] * 3000})
    pq.write_table(table, folder / "truth" / "people.parquet", compression="zstd")


@pytest.fixture(scope="session")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int]:
    """The folder of a furnished shop, to be copied, and how many calls it was sent."""
    folder = tmp_path_factory.mktemp("furnished") / "shop"
    made = Settings(name="Test shop", time_zone="Asia/Shanghai", currency="CNY")
    with Shop.create(folder, made) as shop:
        return folder, furnish(shop).sent


@pytest.fixture
def world(furnished: tuple[Path, int], tmp_path: Path) -> Iterator[World]:
    folder, sent = furnished
    shutil.copytree(folder, tmp_path / "shop")
    with Shop.open(tmp_path / "shop") as shop:
        yield World(shop, sent)
