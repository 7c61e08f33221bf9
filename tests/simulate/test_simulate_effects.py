"""Planted happenings show in the data by about their size; nothing else moves.

Each world with happenings is compared with the same seed's world without any, inside the window of the
happening, and three seeds are pooled.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import duckdb
import pyarrow as pa
import pytest
from tests.simulate.conftest import events_of, planted

from shopkeeper.simulate.world import World

FIRST = date(2024, 7, 1)
LENGTH = 28
SEEDS = (1, 2, 3)


def window(number: int) -> tuple[date, date]:
    start = FIRST + timedelta(days=30 * number)
    return start, start + timedelta(days=LENGTH - 1)


HAPPENINGS = [
    (0, 'kind = "price_rise"\ncategory = "tea"\nsize = 0.3'),
    (0, 'kind = "price_cut"\ncategory = "skin"\nsize = 0.25'),
    (1, 'kind = "stock_out"\ncategory = "kitchen"\nsize = 0.9'),
    (2, 'kind = "quality_defect"\ncategory = "tech"\nsize = 0.3\naspect = "workmanship"'),
    (3, 'kind = "delivery_delay"\nsize = 6'),
    (4, 'kind = "campaign"\nname = "all"\nsize = 0.8'),
    (5, 'kind = "competitor"\ncategory = "home"\nsize = 0.4'),
    (6, 'kind = "tracking_outage"\ndevice = "mobile"\nsize = 0.8'),
    (7, 'kind = "bot_traffic"\nsize = 1.0'),
    (8, 'kind = "site_slowdown"\ndevice = "desktop"\nsize = 0.5'),
    (9, 'kind = "checkout_bug"\ndevice = "mobile"\nsize = 0.6'),
    (10, 'kind = "viral"\nitem = ["home-10", "tech-24", "tea-12"]\nsize = 10'),
    (10, 'kind = "new_launch"\nitem = "tech-39"\nsize = 1'),
    (11, 'kind = "churn_wave"\nsize = 0.4'),
]


@dataclass
class Pair:
    """All seeds' events without (`calm`) and with happenings (`wild`), and both truths' customers."""

    connection: duckdb.DuckDBPyConnection
    worlds: list[tuple[World, World]]

    def both(self, number: int | None, what: str, where: str = "true") -> tuple[float, float]:
        """One figure inside a window, without and with the happenings."""
        inside = ""
        if number is not None:
            start, end = window(number)
            inside = f"and day between '{start}' and '{end}'"
        found = []
        for table in ("calm", "wild"):
            sql = f"select {what} from {table} where {where} {inside}"
            (value,) = self.connection.execute(sql).fetchall()[0]
            found.append(float(value))
        return found[0], found[1]

    def ratio(self, number: int | None, what: str, where: str = "true") -> float:
        calm, wild = self.both(number, what, where)
        return wild / calm


@pytest.fixture(scope="module")
def pair() -> Pair:
    text = "".join(
        f"\n[[happening]]\n{what}\nstart = {window(n)[0]}\nend = {window(n)[1]}"
        for n, what in HAPPENINGS
    )
    worlds = [
        tuple(World(planted(t, events=100_000, days=365), seed) for t in ("", text))
        for seed in SEEDS
    ]
    connection = duckdb.connect()
    for place, name in enumerate(("calm", "wild")):
        every = pa.concat_tables(events_of(world[place]) for world in worlds)
        connection.register("every", every)
        connection.execute(f"create table {name} as select * from every")
    return Pair(connection, [(calm, wild) for calm, wild in worlds])


UNITS = "sum(quantity)"


def test_a_price_rise_raises_prices_and_lowers_units(pair: Pair) -> None:
    tea = "name = 'purchase' and item_id like 'tea-%'"
    assert pair.ratio(
        0, "avg(price)", "name = 'view_item' and item_id = 'tea-01'"
    ) == pytest.approx(1.3)
    assert 0.58 < pair.ratio(0, UNITS, tea) < 0.82
    assert 0.9 < pair.ratio(0, UNITS, "name = 'purchase' and item_id like 'home-%'") < 1.1


def test_a_price_cut_lowers_prices_and_raises_units(pair: Pair) -> None:
    skin = "name = 'purchase' and item_id like 'skin-%'"
    assert pair.ratio(
        0, "avg(price)", "name = 'view_item' and item_id = 'skin-01'"
    ) == pytest.approx(0.75, abs=0.001)
    assert 1.2 < pair.ratio(0, UNITS, skin) < 1.9


def test_a_stock_out_stops_sales_but_not_views(pair: Pair) -> None:
    assert 0.02 < pair.ratio(1, UNITS, "name = 'purchase' and item_id like 'kitchen-%'") < 0.2
    assert pair.ratio(1, "count(*)", "name = 'view_item' and item_id like 'kitchen-%'") > 0.85


def test_a_defect_sends_the_stated_share_back(pair: Pair) -> None:
    start, end = window(2)
    rates = []
    for table in ("calm", "wild"):
        sql = f"""select avg(cast(r.order_id is not null as int)) from
            (select * from {table} where name = 'purchase' and item_id like 'tech-%'
            and day between '{start}' and '{end}') p left join
            (select distinct order_id, item_id, user_id from {table} where name = 'refund') r
            using (order_id, item_id, user_id)"""
        rates.append(float(pair.connection.execute(sql).fetchall()[0][0]))
    assert 0.01 < rates[0] < 0.12
    assert rates[1] - rates[0] == pytest.approx(0.3, abs=0.06)


def test_a_delay_adds_its_days(pair: Pair) -> None:
    start, end = window(3)
    days = []
    for table in ("calm", "wild"):
        sql = f"""select avg(cast(map_extract(properties, 'delivery_days')[1] as int)) from {table}
            where name = 'order_delivered' and order_id in (select order_id from {table}
            where name = 'purchase' and day between '{start}' and '{end}')"""
        days.append(float(pair.connection.execute(sql).fetchall()[0][0]))
    assert days[1] - days[0] == pytest.approx(6, abs=0.5)


def test_a_campaign_brings_its_visits_and_marks_them(pair: Pair) -> None:
    visits = "count(distinct session_id)"
    assert pair.ratio(4, visits, "user_id is not null") == pytest.approx(1.8, abs=0.15)
    _, marked = pair.both(4, visits, "user_id is not null and campaign_id = 'all'")
    _, every = pair.both(4, visits, "user_id is not null")
    assert marked / every == pytest.approx(0.8 / 1.8, abs=0.04)
    assert pair.both(5, "count(*)", "campaign_id = 'all'") == (0, 0)


def test_a_competitor_takes_its_share(pair: Pair) -> None:
    assert pair.ratio(
        5, "count(*)", "name = 'view_item' and item_id like 'home-%'"
    ) == pytest.approx(0.6, abs=0.07)
    assert 0.9 < pair.ratio(5, "count(*)", "name = 'view_item' and item_id like 'tech-%'") < 1.1


def test_an_outage_loses_the_browser_s_events_and_no_purchase(pair: Pair) -> None:
    mobile = "map_extract(properties, 'device')[1] = 'mobile'"
    assert pair.ratio(6, "count(*)", f"name = 'view_item' and {mobile}") == pytest.approx(
        0.2, abs=0.04
    )
    calm, wild = pair.both(6, "sum(value)", "name = 'purchase'")
    assert wild / calm == pytest.approx(1, abs=0.12)
    for world, other in pair.worlds:
        assert other.truth().metrics["totals"]["lost_events"] > 100
        assert world.truth().metrics["totals"]["lost_events"] == 0


def test_bots_double_the_views_and_buy_nothing(pair: Pair) -> None:
    assert pair.ratio(7, "count(*)", "name = 'view_item'") == pytest.approx(2, abs=0.12)
    for _, world in pair.worlds:
        bots = set(world.truth().bots["anonymous_id"].to_pylist())
        rows = pair.connection.execute(
            "select distinct anonymous_id from wild where name in ('add_to_cart', 'purchase')"
        ).fetchall()
        assert bots
        assert not bots & {row[0] for row in rows}


def test_a_slow_site_turns_its_share_away(pair: Pair) -> None:
    desktop = "name = 'view_item' and map_extract(properties, 'device')[1] = "
    sessions = "count(distinct session_id)"
    assert pair.ratio(8, sessions, f"{desktop} 'desktop'") == pytest.approx(0.5, abs=0.08)
    assert pair.ratio(8, sessions, f"{desktop} 'mobile'") == pytest.approx(1, abs=0.1)


def test_a_checkout_bug_fails_its_share_on_its_device(pair: Pair) -> None:
    for device, left in (("mobile", 0.4), ("desktop", 1.0)):
        on = f"map_extract(properties, 'device')[1] = '{device}'"
        bought = pair.both(9, "count(distinct order_id)", f"name = 'purchase' and {on}")
        began = pair.both(9, "count(*)", f"name = 'begin_checkout' and {on}")
        assert (bought[1] / began[1]) / (bought[0] / began[0]) == pytest.approx(left, abs=0.1)


def test_a_viral_item_is_viewed_as_often_as_stated(pair: Pair) -> None:
    items = "name = 'view_item' and item_id in ('home-10', 'tech-24', 'tea-12')"
    assert 8 < pair.ratio(10, "count(*)", items) < 14.5
    assert 0.85 < pair.ratio(10, "count(*)", "name = 'view_item' and item_id like 'skin-%'") < 1.4


def test_a_launched_item_is_not_there_before_and_sells_after(pair: Pair) -> None:
    item = "item_id = 'tech-39'"
    assert pair.both(None, "count(*)", item)[0] == 0
    start, _ = window(10)
    assert pair.both(None, "count(*)", f"{item} and day < '{start}'") == (0, 0)
    assert pair.both(None, "count(*)", f"{item} and name = 'view_item'")[1] > 50
    assert pair.both(None, "count(*)", f"{item} and name = 'purchase'")[1] > 3


def test_a_churn_wave_drives_its_share_away(pair: Pair) -> None:
    left = []
    for place in (0, 1):
        active = [
            world[place].truth().daily["active_customers"].to_pylist() for world in pair.worlds
        ]
        day = (window(11)[1] - FIRST).days
        left.append(sum(one[day] for one in active) / sum(one[day - LENGTH] for one in active))
    assert left[1] / left[0] == pytest.approx(0.6, abs=0.03)
    start = window(11)[1] + timedelta(days=1)
    sessions = pair.ratio(None, "count(distinct user_id)", f"day >= '{start}'")
    assert sessions < 0.8
