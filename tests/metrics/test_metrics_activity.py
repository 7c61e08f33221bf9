"""Who was active: by what they did, not by what happened to them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from shopkeeper.core.events import EXPERIMENT_VIEWED, ORDER_DELIVERED
from shopkeeper.core.period import Period
from shopkeeper.customers.operations import profile
from shopkeeper.metrics import operations
from shopkeeper.warehouse.rollup import mark


@pytest.fixture(scope="module")
def mailed(make_shop: Any, make_event: Callable[..., dict[str, Any]]) -> Any:
    """a looks on the 1st; on the 9th a and b are written to, and a parcel of b arrives; a buys then."""
    rows = [
        make_event(1, datetime(2024, 3, 1, 12), "view_item", user_id="a", item_id="tea"),
        make_event(2, datetime(2024, 3, 9, 3), "email_sent", user_id="a"),
        make_event(3, datetime(2024, 3, 9, 3), "email_sent", user_id="b"),
        make_event(4, datetime(2024, 3, 9, 3), EXPERIMENT_VIEWED, user_id="b"),
        make_event(5, datetime(2024, 3, 9, 4), ORDER_DELIVERED, user_id="b"),
        make_event(6, datetime(2024, 3, 9, 15), "purchase", user_id="a", order_id="1",
                   item_id="tea", quantity=1.0, value=9.0),
        make_event(7, datetime(2024, 3, 10, 3), "email_opened", user_id="a"),
    ]  # fmt: skip
    return make_shop(rows, items=[{"item_id": "tea", "kind": "product", "title": "Tea"}])


def test_a_message_makes_nobody_active(mailed: Any) -> None:
    reply = operations.overview(mailed, Period("2024-03-04..2024-03-10"))
    found = {one.metric: getattr(one.value, "value", one.value) for one in reply.figures}
    assert found["active_customers"] == found["weekly_active_customers"] == 1
    assert found["daily_active_customers"] == pytest.approx(1 / 7)
    assert found["new_customers"] == 0


def test_the_customer_was_last_seen_when_they_came(mailed: Any) -> None:
    traits = {one.name: one.value for one in profile(mailed, "a").traits}
    assert traits["last_seen"] == "2024-03-09"
    assert traits["events"] == 2
    assert traits["active_hours"] in ("12-15", "15-18")


def test_a_rollup_of_an_older_definition_is_stale(mailed: Any) -> None:
    rolled = mailed.warehouse.tables["daily"].snapshot().marks()
    events = mailed.warehouse.tables["events"].snapshot().stamps()
    assert rolled == {day: mark(stamp) for day, stamp in events.items()}
    assert not set(rolled.values()) & set(events.values())
