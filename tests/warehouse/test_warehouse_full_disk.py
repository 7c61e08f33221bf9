"""A disk that is full while the tables are written: told, nothing torn, and done on the next try."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.stall import event

from shopkeeper.core.errors import ShopkeeperError, Unavailable
from shopkeeper.core.schema import EVENTS
from shopkeeper.shop import Shop
from shopkeeper.warehouse.arrow import from_rows
from shopkeeper.warehouse.delta import FileWriter
from shopkeeper.warehouse.writer import Loaded


@contextmanager
def _room(size: int) -> Iterator[None]:
    """Files of this process grow no further than that: what a full disk looks like from inside."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("room", [0, 100, 2000, 6000])
def test_a_load_that_finds_no_room_changes_nothing_and_can_be_repeated(
    shop: Shop, room: int
) -> None:
    rows = [event(n, n % 5, "view_item", f"u{n}", f"item-{n * 7919 % 1000}") for n in range(600)]
    table = from_rows(rows, EVENTS)
    with shop.writer("test") as writer:
        writer.load("events", table.slice(0, 100))
        with pytest.raises(ShopkeeperError) as refused, _room(room):
            writer.load("events", table)
        assert refused.value.retryable
        assert refused.value.hint
        assert shop.query(lambda source: source.events()).num_rows == 100
        assert writer.load("events", table) == Loaded(500, 100)
        writer.maintain(vacuum=True)
    assert shop.query(lambda source: source.events()).num_rows == 600
    assert Path(shop.folder / "tables" / "events" / "_delta_log").exists()


def test_a_commit_that_finds_no_room_changes_nothing(shop: Shop) -> None:
    rows = [event(n, n % 5, "view_item", f"u{n}", "i") for n in range(100)]
    delta = shop.warehouse.tables["events"]
    with shop.writer("test") as writer:
        writer.load("events", from_rows(rows[:50], EVENTS))
        files = FileWriter(delta)
        files.add(from_rows(rows[50:], EVENTS))
        written = files.finish()
        with pytest.raises(Unavailable, match="cannot be written"), _room(100):
            delta.commit(written)
        assert shop.query(lambda source: source.events()).num_rows == 50
        delta.commit(written)
        assert shop.query(lambda source: source.events()).num_rows == 100
