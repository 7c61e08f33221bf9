"""A world in a real shop: tables, state and truth; refusals."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import narwhals as nw
import pyarrow.parquet as pq
import pytest

from shopkeeper.core.errors import Cancelled, Conflict, NotAllowed, UnknownName
from shopkeeper.core.operation import Actor, Context
from shopkeeper.core.settings import Settings
from shopkeeper.shop import Shop
from shopkeeper.simulate.operations import build, scenarios
from shopkeeper.store.customers import Identity

SMALL = """
events = 5000
customers = 200
days = 60
first_day = 2024-07-01
[[happening]]
kind = "price_rise"
category = "tea"
size = 0.2
start = 2024-08-01
"""


@pytest.fixture
def mine(tmp_path: Path) -> str:
    path = tmp_path / "mine.toml"
    path.write_text(SMALL, "utf-8")
    return str(path)


def test_a_shop_is_filled_and_its_truth_lies_beside_it(shop: Shop, mine: str) -> None:
    built = build(shop, scenario=mine, seed=3)
    counts = shop.query(
        lambda s: s.events().group_by("name").agg(nw.len().alias("n"), nw.col("value").sum())
    ).to_pylist()
    assert sum(row["n"] for row in counts) == built.events
    revenue = next(row["value"] for row in counts if row["name"] == "purchase")
    assert revenue == pytest.approx(built.revenue)
    assert shop.query(lambda s: s.texts()).num_rows == built.texts > 0
    assert shop.query(lambda s: s.items()).num_rows == built.items == 240
    assert shop.query(lambda s: s.facts()).num_rows == built.facts > 720
    assert shop.query(lambda s: s.customers()).num_rows == built.customers
    assert shop.query(lambda s: s.identities()).num_rows == built.identities
    truth = Path(built.truth)
    assert truth == Path(shop.folder) / "truth"
    assert (truth / "scenario.toml").read_text("utf-8").startswith("# seed = 3")
    assert json.loads((truth / "scenario.json").read_text("utf-8"))["seed"] == 3
    planted = json.loads((truth / "happenings.json").read_text("utf-8"))
    assert [(h["kind"], h["size"], h["end"]) for h in planted] == [
        ("price_rise", 0.2, "2024-08-29")
    ]
    for name in ("customers", "items", "texts", "daily", "bots"):
        assert pq.read_metadata(truth / f"{name}.parquet").num_columns > 0
    assert built.happenings == ("price_rise-2024-08-01",)


def test_anonymous_visits_count_for_the_customer_who_signed_up(shop: Shop, mine: str) -> None:
    build(shop, scenario=mine, seed=3)
    row = shop.query(
        lambda s: (
            s.events()
            .filter(nw.col("user_id").is_null() & ~nw.col("customer_id").is_null())
            .select(nw.len().alias("n"))
        )
    ).to_pylist()[0]
    assert row["n"] > 50


def test_a_shop_with_events_is_left_alone(shop: Shop, mine: str) -> None:
    build(shop, scenario=mine, seed=3)
    with pytest.raises(Conflict, match="has events already"):
        build(shop, scenario=mine, seed=4)


def test_a_scenario_in_another_time_zone_or_currency_is_refused(shop: Shop, tmp_path: Path) -> None:
    for line in ('time_zone = "Europe/London"', 'currency = "USD"'):
        path = tmp_path / "other.toml"
        path.write_text(f"{line}\n{SMALL}", "utf-8")
        with pytest.raises(Conflict, match=line.split(" ")[0]):
            build(shop, scenario=str(path))
    assert shop.span() is None


def test_a_currency_without_prices_is_refused(tmp_path: Path, mine: str) -> None:
    with (
        Shop.create(tmp_path / "shop", Settings(currency="JPY")) as opened,
        pytest.raises(Conflict, match="no prices in JPY"),
    ):
        build(opened, scenario=mine)


def test_only_who_is_at_the_machine_may_name_any_file(shop: Shop, mine: str) -> None:
    key = Actor("key", "server", frozenset({"*:*"}))
    with pytest.raises(NotAllowed, match="outside"):
        build(Context(shop, key), scenario=mine)
    with pytest.raises(NotAllowed, match="outside"):
        build(Context(shop, key), scenario="../../mine.toml")
    folder = Path(shop.folder) / "scenarios"
    folder.mkdir()
    (folder / "mine.toml").write_text(SMALL, "utf-8")
    assert build(Context(shop, key), scenario="mine.toml").events > 1_000


def test_an_unknown_scenario_leaves_the_shop_empty(shop: Shop) -> None:
    with pytest.raises(UnknownName, match="quiet"):
        build(shop, scenario="quite")
    assert shop.span() is None


def test_a_cancelled_build_leaves_no_event(shop: Shop, mine: str) -> None:
    def stop(done: float, total: float | None, message: str) -> None:
        if message == "simulating":
            raise Cancelled("Somebody stopped it.")

    with pytest.raises(Cancelled):
        build(Context(shop, progress=stop), scenario=mine)
    assert shop.span() is None
    assert not (Path(shop.folder) / "truth").exists()


def test_progress_is_told(shop: Shop, mine: str) -> None:
    told: list[tuple[float, Any, str]] = []
    build(Context(shop, progress=lambda d, t, m: told.append((d, t, m))), scenario=mine)
    assert {"simulating", "writing texts"} <= {message for _, _, message in told}
    assert any(total == 60 and done == 60 for done, total, _ in told)


def test_the_shipped_scenarios_are_listed(shop: Shop) -> None:
    assert set(scenarios(shop).scenarios) == {"quiet", "default", "eventful"}


def test_many_links_at_once_are_as_good_as_one_after_the_other(shop: Shop) -> None:
    since = shop.now()
    links = [
        Identity("a1", "c1", "identify", since),
        Identity("a2", "c2", "identify", since),
        Identity("a1", "c1", "identify", since),
        Identity("a2", "c3", "alias", since),
    ]
    assert shop.people.link(links) == 3
    assert shop.people.link(links[:1]) == 0
    assert shop.people.customer_of("a1") == "c1"
    assert shop.people.customer_of("a2") == "c3"
    assert len(shop.people.history("a2")) == 2
