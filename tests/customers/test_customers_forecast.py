"""The size of a segment from a sample: its error is what it says, and it is drawn once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from tests.conftest import SHANGHAI

from shopkeeper.core.schema import EVENTS
from shopkeeper.core.types import Estimate
from shopkeeper.customers import operations as customers
from shopkeeper.customers.segmenting import forecasting
from shopkeeper.shop import Shop
from shopkeeper.warehouse.arrow import arrow_schema

START = datetime(2024, 3, 1, 4, tzinfo=UTC)
PEOPLE = 1_200


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    """A shop that counts as large: every third customer bought twice, every tenth looked once more."""
    monkeypatch.setattr(forecasting, "_WHOLE", 100)
    monkeypatch.setattr(forecasting, "_SAMPLE", 400)
    Shop.create(tmp_path / "shop", SHANGHAI).close()
    rows = []
    for n in range(PEOPLE):
        names = [
            "view_item",
            *(["purchase"] * 2 if n % 3 == 0 else []),
            *(["search"] * (n % 10 == 0)),
        ]
        for place, name in enumerate(names):
            moment = START + timedelta(days=place, minutes=n)
            row: dict[str, object] = dict.fromkeys(EVENTS.names)
            rows.append(
                row
                | {
                    "event_id": f"e{n}-{place}", "user_id": f"c{n:04}", "name": name, "time": moment,
                    "received_at": moment, "day": moment.date(), "properties": {}, "source": "test",
                    "value": 10.0 if name == "purchase" else None, "order_id": f"o{n}-{place}",
                    "item_id": "tea", "quantity": 1.0, "price": 10.0,
                }
            )  # fmt: skip
    with Shop.open(tmp_path / "shop", now=lambda: START + timedelta(days=10)) as opened:
        with opened.writer("test") as writer:
            writer.load("events", pa.Table.from_pylist(rows, schema=arrow_schema(EVENTS)))
            writer.snapshot()
        yield opened


@pytest.mark.parametrize(
    ("definition", "true"),
    [
        ("orders >= 2", 400),
        ("did search at least 1 times within 30 days", 120),
        ("did view_item then purchase within 3 days during 30 days", 400),
        ("orders >= 2 and not did search at least 1 times", 360),
        ("revenue >= 20 or rfm_segment is known", 400),
    ],
)
def test_the_interval_holds_the_size(shop: Shop, definition: str, true: int) -> None:
    found = customers.forecast_segment(shop, definition=definition)
    assert (found.exact, found.looked_at, found.population) == (False, 400, PEOPLE)
    assert isinstance(found.size, Estimate)
    assert found.size.low <= true <= found.size.high
    assert found.size.high - found.size.low < 0.15 * PEOPLE
    exact = customers.forecast_segment(shop, definition=definition, exact=True)
    assert isinstance(exact.size, Estimate)
    assert (exact.exact, exact.size.value) == (True, true)


def test_the_sample_is_read_once_and_anew_when_somebody_is_taken_out(shop: Shop) -> None:
    first = customers.forecast_segment(shop, definition="orders >= 2")
    drawn = forecasting._sampled(shop)
    assert customers.forecast_segment(shop, definition="orders >= 2") == first
    assert forecasting._sampled(shop) is drawn
    shop.restrictions.add(["c0003"], "test")
    again = customers.forecast_segment(shop, definition="orders >= 2")
    assert again.population == PEOPLE - 1
    assert forecasting._sampled(shop) is not drawn
