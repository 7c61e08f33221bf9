"""The events of a world: repeatable, well-formed, true to the life-cycles, seasonal."""

from __future__ import annotations

import itertools
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from tests.simulate.conftest import events_of, planted

from shopkeeper.core.errors import BadInput
from shopkeeper.core.schema import EVENTS
from shopkeeper.simulate.rows import visitor_ids
from shopkeeper.simulate.scenario import Scenario, parse
from shopkeeper.simulate.world import World
from shopkeeper.warehouse.arrow import arrow_schema


def rows(sql: str, **tables: pa.Table) -> list[tuple[Any, ...]]:
    with duckdb.connect() as connection:
        for name, table in tables.items():
            connection.register(name, table)
        return connection.execute(sql).fetchall()


def number(sql: str, **tables: pa.Table) -> float:
    (value,) = rows(sql, **tables)[0]
    return float(value)


def test_the_same_seed_gives_the_same_bytes() -> None:
    one, two = (World(planted(events=5_000, days=60), 3) for _ in range(2))
    assert [b.serialize().to_pybytes() for b in one.events()] == [
        b.serialize().to_pybytes() for b in two.events()
    ]
    assert one.text_table().equals(two.text_table())
    assert one.truth() == two.truth()


def test_the_same_world_tells_the_same_story_twice(quiet: World, quiet_events: pa.Table) -> None:
    assert events_of(quiet).equals(quiet_events)


def test_another_seed_gives_another_world() -> None:
    one, two = (events_of(World(planted(events=5_000, days=60), seed)) for seed in (3, 4))
    assert not one.equals(two)
    assert not set(one["event_id"].to_pylist()) & set(two["event_id"].to_pylist())


EVERYTHING = """
[[happening]]
kind = "price_rise"
category = "tea"
size = 0.3
start = 2024-08-20
[[happening]]
kind = "campaign"
size = 1.0
start = 2024-08-20
[[happening]]
kind = "viral"
item = "home-10"
size = 20
start = 2024-08-20
[[happening]]
kind = "new_launch"
item = "tea-39"
start = 2024-08-20
[[happening]]
kind = "churn_wave"
size = 0.5
start = 2024-08-20
[[happening]]
kind = "bot_traffic"
size = 1
start = 2024-08-20
"""


def test_a_happening_leaves_what_was_before_it_alone() -> None:
    calm, wild = (World(planted(text, events=10_000, days=80), 5) for text in ("", EVERYTHING))
    cut = pc.less(pc.field("day"), pa.scalar(date(2024, 8, 20)))
    before, still = (events_of(world).filter(cut) for world in (calm, wild))
    assert before.num_rows > 3_000
    assert before.equals(still)
    assert calm.text_table().filter(cut).equals(wild.text_table().filter(cut))
    assert events_of(wild).num_rows > events_of(calm).num_rows


def test_events_have_the_schema_and_required_values(quiet: World, quiet_events: pa.Table) -> None:
    assert quiet_events.schema.equals(arrow_schema(EVENTS))
    for batch in quiet.events():
        batch.validate(full=True)
    for column in EVENTS:
        if column.required:
            assert quiet_events[column.name].null_count == 0, column.name


def test_chunks_follow_each_other_in_time_and_share_no_day(quiet: World) -> None:
    last_time, last_day, chunks = None, None, 0
    for batch in quiet.events():
        times = batch["time"].cast(pa.int64()).to_numpy()
        assert (np.diff(times) >= 0).all()
        first_day, end_day = batch["day"][0].as_py(), batch["day"][-1].as_py()
        assert last_time is None or times[0] >= last_time
        assert last_day is None or first_day > last_day
        last_time, last_day, chunks = times[-1], end_day, chunks + 1
    assert chunks > 1


def test_ids_are_unique(quiet_events: pa.Table) -> None:
    assert pc.count_distinct(quiet_events["event_id"]).as_py() == quiet_events.num_rows


def test_visitor_ids_never_collide() -> None:
    numbers = np.arange(200_000)
    assert len(np.unique(visitor_ids(1, numbers))) == len(numbers)


@pytest.mark.parametrize("zone", ["Asia/Shanghai", "America/New_York"])
def test_day_is_the_local_date_of_time(zone: str) -> None:
    scenario = Scenario(events=6_000, customers=200, days=250, time_zone=zone)
    for row in events_of(World(scenario, 2)).select(["time", "day"]).to_pylist():
        assert row["time"].astimezone(ZoneInfo(zone)).date() == row["day"]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_number_of_events_is_near_the_target(seed: int) -> None:
    made = events_of(World(planted(events=60_000, days=365), seed)).num_rows
    assert 0.9 < made / 60_000 < 1.1


def test_value_is_quantity_times_price_less_the_discount(quiet_events: pa.Table) -> None:
    wrong = number(
        """select count(*) from e where name in ('purchase', 'refund') and not
        abs(value - quantity * price * (1 - coalesce(cast(map_extract(properties, 'discount')[1]
        as double), 0))) <= 0.00501""",
        e=quiet_events,
    )
    assert wrong == 0
    given = (
        "select count(*) from e where name = 'purchase' and map_contains(properties, 'discount')"
    )
    assert number(given, e=quiet_events) > 0
    empty = """select count(*) from e where name in ('purchase', 'refund') and
        (value is null or value <= 0 or cost is null or currency is null or order_id is null
        or user_id is null or item_id is null)"""
    assert number(empty, e=quiet_events) == 0


def test_a_refund_follows_a_purchase_of_the_same_line_by_the_same_customer(
    quiet_events: pa.Table,
) -> None:
    lost = """select count(*) from (select * from e where name = 'refund') r left join
        (select * from e where name = 'purchase') p using (order_id, item_id)
        where p.user_id is distinct from r.user_id or p.time >= r.time or r.value > p.value
        or r.quantity > p.quantity"""
    refunds = "select count(*) from e where name = 'refund'"
    assert number(refunds, e=quiet_events) > 50
    assert number(lost, e=quiet_events) == 0


def test_nobody_buys_after_dropping_out(quiet: World, quiet_events: pa.Table) -> None:
    people = quiet.truth().customers
    late = """select count(*) from e join p on e.user_id = p.customer_id
        where e.name = 'purchase' and e.time > p.dropped_out_at"""
    assert number("select count(dropped_out_at) from p", p=people) > 100
    assert number(late, e=quiet_events, p=people) == 0


def test_the_funnel_narrows_and_its_steps_are_in_order(quiet_events: pa.Table) -> None:
    count: dict[str, int] = dict(
        rows("select name, count(distinct session_id) from e group by 1", e=quiet_events)
    )
    steps = [count[name] for name in ("view_item", "add_to_cart", "begin_checkout", "purchase")]
    assert all(a > b for a, b in itertools.pairwise(steps))
    early = """select count(*) from (select session_id,
        min(time) filter (name = 'view_item') v, min(time) filter (name = 'add_to_cart') c,
        min(time) filter (name = 'begin_checkout') b, min(time) filter (name = 'purchase') p
        from e where session_id is not null group by 1)
        where (c is not null and (v is null or v > c)) or (b is not null and (c is null or c > b))
        or (p is not null and (b is null or b > p))"""
    assert number(early, e=quiet_events) == 0


def test_visitors_become_customers_at_identify(quiet: World, quiet_events: pa.Table) -> None:
    links = pa.Table.from_pylist(
        [{"sent_id": i.sent_id, "customer_id": i.customer_id} for i in quiet.identities()]
    )
    assert pc.count_distinct(links["sent_id"]).as_py() == links.num_rows
    wrong = """select count(*) from e join l on e.anonymous_id = l.sent_id
        where e.user_id is not null and e.user_id <> l.customer_id"""
    assert number(wrong, e=quiet_events, l=links) == 0
    unlinked = """select count(*) from e where name = 'identify' and
        anonymous_id not in (select sent_id from l)"""
    assert number(unlinked, e=quiet_events, l=links) == 0
    before = """select count(*) from e join l on e.anonymous_id = l.sent_id where user_id is null"""
    assert number(before, e=quiet_events, l=links) > 500
    strangers = """select count(*) from e where user_id is null and
        anonymous_id not in (select sent_id from l)"""
    assert number(strangers, e=quiet_events, l=links) > 5_000


def test_customers_of_events_are_customers_of_the_shop(
    quiet: World, quiet_events: pa.Table
) -> None:
    known = {row["customer_id"] for row in quiet.customers()}
    assert set(quiet_events["user_id"].drop_null().to_pylist()) <= known
    assert 0.9 < len(known) / quiet.scenario.customers <= 1


def test_impressions_carry_position_and_a_propensity_that_fits(quiet_events: pa.Table) -> None:
    shown = quiet_events.filter(pc.field("name") == "view_item_list")
    assert shown["propensity"].null_count == 0
    found = rows(
        """select map_extract(properties, 'position')[1], count(*), avg(propensity)
        from e where name = 'view_item_list' group by 1 order by 1""",
        e=quiet_events,
    )
    assert [position for position, _, _ in found] == ["1", "2", "3", "4"]
    low, high = pc.min_max(shown["propensity"]).as_py().values()
    assert low > 0
    assert high <= 1


def test_propensities_are_the_frequencies_with_which_items_are_shown(
    quiet_events: pa.Table,
) -> None:
    # First slots of the shelf: what an item was given on average against how often it was there.
    sql = """with s as (select item_id, propensity, substr(item_id, 1, 3) c from e
        where name = 'view_item_list' and map_extract(properties, 'list')[1] = 'home_shelf'
        and map_extract(properties, 'position')[1] = '1')
        select item_id, avg(propensity), count(*), (select count(*) from s o where o.c = s.c)
        from s group by item_id, c having count(*) > 60"""
    for _, propensity, count, total in rows(sql, e=quiet_events):
        share = count / total
        slack = 4 * (share / total) ** 0.5
        assert abs(share - propensity) < slack


def test_searches_are_in_the_language_of_the_customer(quiet: World, quiet_events: pa.Table) -> None:
    people = pa.Table.from_pylist(
        [{"customer_id": c["customer_id"], "language": c["language"]} for c in quiet.customers()]
    )
    sql = """select language, avg(cast(regexp_matches(query, '[一-鿿]') as int)),
        count(distinct query) from e join p on user_id = customer_id
        where name = 'search' group by 1 order by 1"""
    (_, en, en_queries), (_, zh, zh_queries) = rows(sql, e=quiet_events, p=people)
    assert en < 0.01
    assert zh > 0.95
    assert min(en_queries, zh_queries) > 150


@pytest.mark.parametrize(("zh", "en"), [(0.7, 0.3), (0.2, 0.8)])
def test_the_mix_of_languages_is_the_scenario_s(zh: float, en: float) -> None:
    text = f"events = 20000\ncustomers = 4000\ndays = 60\nlanguages = {{zh = {zh}, en = {en}}}"
    customers = list(World(parse(text), 1).customers())
    share = sum(c["language"] == "zh" for c in customers) / len(customers)
    assert abs(share - zh) < 0.03


def test_tastes_show_in_what_is_viewed(quiet: World, quiet_events: pa.Table) -> None:
    people = quiet.truth().customers
    sql = """select corr(taste, share) from (select user_id,
        avg(cast(item_id like 'tea-%' as int)) share, any_value(category_tea) taste, count(*) n
        from e join p on user_id = customer_id where name = 'view_item' group by 1 having n >= 10)"""
    assert number(sql, e=quiet_events, p=people) > 0.8


def test_the_day_has_its_hours_and_the_year_its_festivals(quiet_events: pa.Table) -> None:
    hours: dict[int, int] = dict(
        rows(
            """select extract(hour from time + interval 8 hour), count(*) from e
            where name = 'view_item' group by 1""",
            e=quiet_events,
        )
    )
    assert hours[21] > 8 * hours[4]
    orders: dict[date, int] = dict(
        rows(
            "select day, count(distinct order_id) from e where name = 'purchase' group by 1",
            e=quiet_events,
        )
    )
    usual = float(np.median(list(orders.values())))
    assert orders[date(2024, 11, 11)] > 2 * usual
    spring = [int(str(orders.get(date(2025, 1, d), 0))) for d in (28, 29, 30, 31)]
    assert float(np.mean(spring)) < 0.85 * usual


def test_customers_differ_as_a_gamma_does(quiet_events: pa.Table) -> None:
    counts = [
        n
        for (n,) in rows(
            "select count(distinct order_id) from e where name = 'purchase' group by user_id",
            e=quiet_events,
        )
    ]
    top = sorted(counts, reverse=True)[: len(counts) // 10]
    assert sum(top) / sum(counts) > 0.25


def test_days_without_anybody_are_no_error() -> None:
    world = World(Scenario(events=1_000, customers=40, days=365), 1)
    assert 600 < events_of(world).num_rows < 1_500
    assert world.truth().daily.num_rows == 365


def test_too_many_events_for_so_few_customers_are_refused() -> None:
    with pytest.raises(BadInput, match="at most"):
        World(Scenario(events=1_000_000, customers=100, days=30), 1)
