"""A shop in which an experiment ran for four weeks: who saw what when, and what they bought is known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from tests.conftest import SHANGHAI

from shopkeeper.core.schema import EVENTS
from shopkeeper.experiments.operations import create, start
from shopkeeper.experiments.types import Design, Experiment
from shopkeeper.shop import Shop
from shopkeeper.warehouse.arrow import from_rows

FIRST = date(2025, 3, 1)
NOW = datetime(2025, 5, 1, 4, tzinfo=UTC)
STARTED = datetime(2025, 2, 28, 17, tzinfo=UTC)  # the first instant of 1 March in Shanghai

Event = dict[str, Any]


def event(number: int, customer: str, name: str, at: datetime, **more: Any) -> Event:
    """One row of the events table."""
    return {
        "event_id": f"e{number}", "user_id": customer, "name": name, "time": at, "received_at": at,
        "day": (at + timedelta(hours=8)).date(), "source": "test", **more,
    }  # fmt: skip


def load(shop: Shop, events: Sequence[Event]) -> None:
    """Put events into the tables."""
    rows: pa.Table = from_rows(events, EVENTS)
    with shop.writer("test") as writer:
        writer.load("events", rows.to_batches())


@pytest.fixture
def spring(tmp_path: Path) -> Any:
    """An empty shop whose clock stands at 1 May 2025."""
    Shop.create(tmp_path / "spring", SHANGHAI).close()
    with Shop.open(tmp_path / "spring", now=lambda: NOW) as opened:
        yield opened


Ran = Callable[..., Experiment]


@pytest.fixture
def ran(spring: Shop, monkeypatch: pytest.MonkeyPatch) -> Ran:
    """Create and start an experiment as if that had been on the first of March."""

    def made(experiment_id: str = "checkout", **design: Any) -> Experiment:
        given = {"name": "A checkout", "units": 2000, "days": 7, **design}
        monkeypatch.setattr(spring.database, "now", lambda _connection: STARTED)
        create(spring, experiment_id, Design.model_validate(given))
        return start(spring, experiment_id)

    return made


def history(
    customers: int, lift: float, *, seed: int = 1, days: int = 28, share: float = 0.5
) -> list[Event]:
    """Customers come over the days, see a variant and buy; the treated buy ``1 + lift`` times as often."""
    random = np.random.default_rng(seed)
    events: list[Event] = []
    for number in range(customers):
        customer = f"c{number}"
        taste = float(random.gamma(2.0, 0.5))
        entered = STARTED + timedelta(seconds=float(random.uniform(0, days * 86_400)))
        treated = random.random() < share
        variant = "treatment" if treated else "control"
        rate = 0.3 * taste * (1 + lift * treated)
        for _ in range(int(random.poisson(0.3 * taste * 4))):
            at = entered - timedelta(seconds=float(random.uniform(1, 28 * 86_400)))
            events.append(_bought(len(events), customer, at, random))
        events.append(
            event(
                len(events), customer, "experiment_viewed", entered, experiment_id="checkout",
                variant_id=variant, propensity=share if treated else 1 - share,
            )
        )  # fmt: skip
        for _ in range(int(random.poisson(rate))):
            at = entered + timedelta(seconds=float(random.uniform(1, 7 * 86_400 - 1)))
            events.append(_bought(len(events), customer, at, random))
    return events


def _bought(number: int, customer: str, at: datetime, random: np.random.Generator) -> Event:
    value = round(float(random.lognormal(3, 0.5)), 2)
    return event(number, customer, "purchase", at, value=value, quantity=1.0, order_id=f"o{number}")
