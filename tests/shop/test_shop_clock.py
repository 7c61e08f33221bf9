"""A clock that jumps, forth and back: rows keep their order, none is lost or counted twice."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from shopkeeper.collect.accept import accept
from shopkeeper.core.errors import Conflict, LeaseHeld
from shopkeeper.core.operation import OWNER
from shopkeeper.shop import Shop
from shopkeeper.store.database import Database
from shopkeeper.store.lease import LASTS, Leases

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def jumping(tmp_path: Path, clock: Clock) -> Iterator[Shop]:
    Shop.create(tmp_path / "shop").close()
    with Shop.open(tmp_path / "shop", now=clock) as shop:
        yield shop


def _send(shop: Shop, number: int, clock: Clock, days: float = 0) -> None:
    clock.now = NOON + timedelta(days=days)
    call: dict[str, Any] = {"type": "track", "event": "Product Viewed", "userId": "ann"}
    call |= {"messageId": f"m{number}", "timestamp": clock.now.isoformat()}
    done = accept(shop, call, actor=OWNER, received_at=clock.now)
    assert done.accepted == 1, done.refused


def _ids(shop: Shop, live: bool = False) -> list[str]:
    return sorted(shop.query(lambda s: s.events(), live=live)["event_id"].to_pylist())


def test_events_are_moved_once_whatever_the_clock_said_when_they_came(
    jumping: Shop, clock: Clock
) -> None:
    days = (0, 40, -40, 0.5, -1, 3)
    with jumping.writer("test") as writer:
        for number, day in enumerate(days):
            _send(jumping, number, clock, day)
            if number % 2:
                writer.drain()
                writer.maintain()
        assert _ids(jumping, live=True) == [f"m{n}" for n in range(len(days))]
        writer.drain()
        writer.maintain()
        assert _ids(jumping) == [f"m{n}" for n in range(len(days))]
        counted = jumping.query(lambda s: s.daily())["events"].to_pylist()
        assert sum(counted) == len(days)
        times = jumping.query(lambda s: s.events().sort("time"))["event_id"].to_pylist()
        assert times == ["m2", "m4", "m0", "m3", "m5", "m1"]


def test_a_leap_forward_lets_nothing_go_that_is_not_in_the_tables(
    jumping: Shop, clock: Clock
) -> None:
    with jumping.writer("test") as writer:
        _send(jumping, 1, clock)
        writer.drain()
        _send(jumping, 2, clock)
        clock.now = NOON + timedelta(days=400)
        writer.maintain(vacuum=True)
        clock.now = NOON
        assert _ids(jumping, live=True) == ["m1", "m2"]
        writer.drain()
        assert _ids(jumping) == ["m1", "m2"]


def test_a_change_of_the_store_before_a_leap_back_is_still_the_newest(
    jumping: Shop, clock: Clock
) -> None:
    with jumping.writer("test") as writer:
        for days, price in ((0, 1.0), (-100, 2.0), (1, 3.0)):
            clock.now = NOON + timedelta(days=days)
            jumping.catalogue.upsert_items([{"item_id": "tea", "title": "Tea", "price": price}])
            writer.snapshot()
            rows = jumping.query(lambda s: s.items())
            assert rows["price"].to_pylist() == [price]


@pytest.fixture
def leases(tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Leases]:
    database = Database(tmp_path / "state.sqlite")
    database.migrate()
    monkeypatch.setattr(database, "now", lambda _connection: clock.now)
    yield Leases(database)
    database.close()


def test_a_leap_forward_ends_a_lease_and_its_holder_is_told(leases: Leases, clock: Clock) -> None:
    first = leases.acquire("tables", "the first")
    clock.now += timedelta(hours=1)
    second = leases.acquire("tables", "the second")
    assert second.fence > first.fence
    with pytest.raises(Conflict, match="lost"):
        first.renew()
    second.renew()


def test_a_leap_back_neither_frees_a_lease_nor_makes_it_last(leases: Leases, clock: Clock) -> None:
    lease = leases.acquire("tables", "the only one")
    clock.now -= timedelta(hours=1)
    with pytest.raises(LeaseHeld):
        leases.acquire("tables", "another")
    lease.renew()  # it ends by the clock as it is now
    held = leases.held("tables")
    assert held is not None
    assert held.expires_at == clock.now + LASTS
    lease.release()
    leases.acquire("tables", "another").release()
