"""Small worlds that several tests look at, made once."""

from __future__ import annotations

import pyarrow as pa
import pytest

from shopkeeper.simulate.scenario import Scenario, parse
from shopkeeper.simulate.world import World


def events_of(world: World) -> pa.Table:
    return pa.Table.from_batches(list(world.events()))


def planted(text: str = "", *, events: int = 60_000, days: int = 180) -> Scenario:
    """A scenario of this size with the happenings of ``text``."""
    head = f"events = {events}\ncustomers = {events // 40}\ndays = {days}\nfirst_day = 2024-07-01\n"
    return parse(head + text)


@pytest.fixture(scope="session")
def quiet() -> World:
    world = World(planted(events=80_000, days=365), 7)
    for _ in world.events():
        pass
    return world


@pytest.fixture(scope="session")
def quiet_events(quiet: World) -> pa.Table:
    return events_of(quiet)


@pytest.fixture(scope="session")
def quiet_texts(quiet: World) -> pa.Table:
    return quiet.text_table()
