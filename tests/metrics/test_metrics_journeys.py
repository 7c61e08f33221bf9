"""Stickiness, paths, cohorts and who is behind them: against plain Python over the same random events."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from itertools import groupby, pairwise
from typing import Any

import pytest

from shopkeeper.core.errors import BadInput
from shopkeeper.core.events import ROBOT_EVENTS
from shopkeeper.core.operation import Context
from shopkeeper.core.period import Days, Period
from shopkeeper.core.types import CannotSay, Estimate
from shopkeeper.metrics import calendar, operations
from shopkeeper.metrics.paths import ENTRY, EXIT
from shopkeeper.metrics.people import ids
from shopkeeper.metrics.types import (
    ActiveDays,
    AtStep,
    CohortCell,
    Cycle,
    Direction,
    Number,
    OfMetric,
    OnPath,
    Start,
)

Row = dict[str, Any]
ALL = Period("all")
SINCE = "2024-02-20..2024-03-20"
DAYS = Days(date(2024, 2, 20), date(2024, 3, 20))
FUNNEL = ("view_item", "add_to_cart", "purchase")


def behind(shop: Any, number: Number) -> set[str]:
    """The ids behind the number, which the paged listing counts and shows as well."""
    page = operations.people(shop, number=number, size=1000)
    found = set(ids(Context(shop), number, 100_000)) if page.total else set()
    assert page.total == len(page.rows) == len(found)
    assert {row[0] for row in page.rows} == found
    return found


def seen_days(rows: Iterable[Row]) -> dict[str, set[date]]:
    days: dict[str, set[date]] = defaultdict(set)
    for row in rows:
        if row["customer_id"] is not None:
            days[row["customer_id"]].add(row["day"])
    return days


def trailing(days: dict[str, set[date]], day: date, length: int) -> int:
    first = day - timedelta(days=length - 1)
    return sum(any(first <= one <= day for one in theirs) for theirs in days.values())


def test_stickiness_is_daily_over_trailing_active_customers(world: Any) -> None:
    found = operations.stickiness(world.shop, since=Period(SINCE))
    days = seen_days(world.rows)
    assert [one.day for one in found.days] == [DAYS.start + timedelta(n) for n in range(len(DAYS))]
    for one in found.days:
        assert one.daily == trailing(days, one.day, 1)
        assert one.weekly == trailing(days, one.day, 7)
        assert one.monthly == trailing(days, one.day, 30)
    daily = sum(one.daily for one in found.days)
    for quotient, whole in ((found.dau_wau, "weekly"), (found.dau_mau, "monthly")):
        assert isinstance(quotient, Estimate)
        assert quotient.value == pytest.approx(daily / sum(getattr(d, whole) for d in found.days))
        assert quotient.low < quotient.value < quotient.high
    week = {DAYS.end - timedelta(n) for n in range(7)}
    counts = Counter(len(theirs & week) for theirs in days.values())
    assert [one.customers for one in found.active_days] == [counts[k] for k in range(1, 8)]
    for k in (1, 3):
        expected = {c for c, theirs in days.items() if len(theirs & week) == k}
        assert behind(world.shop, ActiveDays(since=Period(SINCE), days=k)) == expected


def test_days_that_data_do_not_reach_back_from_have_no_monthly_figure(world: Any) -> None:
    found = operations.stickiness(
        world.shop, since=Period(f"{world.first}..{world.first + timedelta(9)}")
    )
    assert [one.weekly is None for one in found.days] == [True] * 6 + [False] * 4
    assert all(one.monthly is None for one in found.days)
    assert isinstance(found.dau_mau, CannotSay)
    assert "30 days" in found.dau_mau.needed
    assert isinstance(found.dau_wau, Estimate)


def visits(rows: Iterable[Row]) -> list[tuple[str, list[str]]]:
    """Of each customer, the visits with runs of the same event as one."""
    made = []
    known = [row for row in rows if row["customer_id"] is not None and row["day"] in DAYS]
    known.sort(key=lambda row: (row["customer_id"], row["time"], row["event_id"]))
    for customer, theirs in groupby(known, key=lambda row: row["customer_id"]):
        visit: list[Row] = []
        for row in [*theirs, None]:
            if visit and (row is None or row["time"] - visit[-1]["time"] > timedelta(minutes=30)):
                made.append((customer, [name for name, _ in groupby(v["name"] for v in visit)]))
                visit = []
            if row is not None:
                visit.append(row)
    return made


@pytest.fixture(scope="module")
def walks(make_shop: Any, make_event: Callable[..., Row]) -> Any:
    """Visits with several steps, two shops' worth of sessions, and a robot."""
    names = ["search", "view_item", "view_item", "add_to_cart", "purchase", "view_item", "refund"]
    rows: list[Row] = []
    for who in range(30):
        start = datetime(2024, 3, 1 + who % 15, 10)
        for step in range(3 + who % 5):
            minutes = step * (7 if who % 3 else 13) + (40 if step > 3 and who % 4 == 0 else 0)
            name = names[(step + who // 10) % len(names)]
            rows.append(
                make_event(
                    len(rows), start + timedelta(minutes=minutes), name, user_id=f"c{who}",
                    quantity=1.0, value=10.0, order_id=f"o{who}-{step}",
                )
            )  # fmt: skip
    for n in range(ROBOT_EVENTS):
        moment = datetime(2024, 3, 3, 1) + timedelta(seconds=n)
        rows.append(make_event(len(rows), moment, names[n % 2], user_id="robot"))
    shop = make_shop(rows)
    return shop, [row | {"customer_id": row["user_id"]} for row in rows]


@pytest.mark.parametrize("direction", ["before", "after"])
@pytest.mark.parametrize("around", ["purchase", "view_item"])
def test_paths_are_the_steps_next_to_the_event(
    walks: Any, around: str, direction: Direction
) -> None:
    shop, rows = walks
    depth = 3
    ways: Counter[tuple[str, ...]] = Counter()
    people: dict[tuple[str, ...], set[str]] = defaultdict(set)
    for customer, names in visits(row for row in rows if row["customer_id"] != "robot"):
        if around not in names:
            continue
        at = names.index(around)
        if direction == "before":
            way = tuple(([ENTRY, *names[:at]])[-depth:])
        else:
            way = tuple(([*names[at + 1 :], EXIT])[:depth])
        ways[way] += 1
        people[way].add(customer)
    found = operations.paths(
        shop, around=around, direction=direction, since=ALL, depth=depth, k=100
    )
    assert {one.steps: one.sessions for one in found.ways} == dict(ways)
    assert {one.steps: one.customers for one in found.ways} == {
        w: len(p) for w, p in people.items()
    }
    assert found.sessions == sum(ways.values())
    assert found.customers == len(set().union(*people.values()))
    assert found.robots == 1
    edges: Counter[tuple[int, str, str]] = Counter()
    for way, count in ways.items():
        whole = (*way, around) if direction == "before" else (around, *way)
        first = -len(way) if direction == "before" else 0
        for at, (source, target) in enumerate(pairwise(whole), first):
            edges[at, source, target] += count
    assert {(e.at, e.source, e.target): e.sessions for e in found.edges} == dict(edges)
    for way, expected in sorted(people.items())[:2]:
        at = -len(way) if direction == "before" else 1
        number = OnPath(
            since=ALL, around=around, direction=direction, depth=depth, at=at, steps=way
        )
        assert behind(shop, number) == expected
    for (at, source, target), count in sorted(edges.items())[:2]:
        number = OnPath(
            since=ALL, around=around, direction=direction, depth=depth, at=at, steps=(source, target)
        )  # fmt: skip
        assert 0 < len(behind(shop, number)) <= count


def test_a_visit_ends_where_the_sender_begins_another(
    make_shop: Any, make_event: Callable[..., Row]
) -> None:
    moment = datetime(2024, 3, 1, 9)
    shop = make_shop(
        [
            make_event(1, moment, "search", user_id="a", session_id="s1"),
            make_event(2, moment + timedelta(minutes=1), "view_item", user_id="a", session_id="s2"),
            make_event(3, moment + timedelta(minutes=2), "purchase", user_id="a", session_id="s2",
                       value=1.0, quantity=1.0, order_id="1"),
        ]
    )  # fmt: skip
    [way] = operations.paths(shop, since=ALL).ways
    assert way.steps == (ENTRY, "view_item")


def test_paths_around_what_nobody_did_name_what_there_is(walks: Any) -> None:
    found = operations.paths(walks[0], around="begin_checkout", since=ALL)
    assert found.cannot_say is not None
    assert "view_item" in found.cannot_say.needed


@pytest.mark.parametrize("start", ["purchase", "activity"])
@pytest.mark.parametrize("cycle", ["week", "month"])
def test_cohorts_are_who_came_and_what_they_brought(world: Any, cycle: Cycle, start: Start) -> None:
    net: dict[tuple[str, int], float] = defaultdict(float)
    came: dict[str, set[int]] = defaultdict(set)
    for row in world.rows:
        who, bucket = row["customer_id"], calendar.number(row["day"], cycle)
        if who is None:
            continue
        if start == "activity" or row["name"] == "purchase":
            came[who].add(bucket)
        sign = {"purchase": 1, "refund": -1}.get(row["name"], 0)
        net[who, bucket] += sign * (row["value"] or 0.0)
    found = operations.cohorts(world.shop, cycle=cycle, start=start, k=8)
    assert found.cohorts
    for cohort in found.cohorts:
        first = calendar.number(cohort.start, cycle)
        mine = {who for who, buckets in came.items() if min(buckets) == first}
        assert cohort.customers == len(mine)
        for cell in cohort.cells:
            there = {who for who in mine if first + cell.later in came[who]}
            brought = [net[who, first + cell.later] for who in mine]
            assert cell.customers == len(there)
            assert cell.net_revenue == pytest.approx(sum(brought))
            if isinstance(cell.per_customer, Estimate):
                assert cell.per_customer.value == pytest.approx(sum(brought) / len(mine))
            if cycle == "month" and cell.later == 1:
                number = CohortCell(cycle=cycle, start=start, cohort=cohort.start, later=1)
                assert behind(world.shop, number) == there
    assert found.cohorts[0].censored
    assert not found.cohorts[-1].censored


@pytest.mark.parametrize("went", ["reached", "on", "left"])
def test_a_step_of_the_funnel_opens_to_its_customers(world: Any, went: Any) -> None:
    funnel = operations.funnel(world.shop, since=Period(SINCE), steps=FUNNEL)
    reached = [one.customers for one in funnel.steps]
    number = AtStep(since=Period(SINCE), steps=FUNNEL, step=1, went=went)
    expected = {"reached": reached[1], "on": reached[2], "left": reached[1] - reached[2]}[went]
    assert len(behind(world.shop, number)) == expected


def test_a_metric_opens_to_its_customers_whatever_its_rows_are(world: Any) -> None:
    for name in ("revenue", "orders", "buyers"):
        expected = {
            row["customer_id"]
            for row in world.rows
            if row["name"] == "purchase" and row["day"] in DAYS and row["customer_id"] is not None
            and (name != "orders" or row["order_id"] is not None)
        }  # fmt: skip
        assert behind(world.shop, OfMetric(metric=name, since=Period(SINCE))) == expected


@pytest.mark.parametrize(
    "number",
    [
        pytest.param(AtStep(since=Period("30d"), steps=FUNNEL, step=2, went="left"), id="last step"),
        pytest.param(
            OnPath(since=Period("30d"), around="purchase", direction="before", depth=2, at=-3,
                   steps=("search",)),
            id="deeper than asked",
        ),
        pytest.param(
            OnPath(since=Period("30d"), around="purchase", direction="before", depth=2, at=0,
                   steps=("purchase",)),
            id="the event alone",
        ),
    ],
)  # fmt: skip
def test_a_number_that_is_none_is_refused(world: Any, number: Number) -> None:
    with pytest.raises(BadInput) as refused:
        operations.people(world.shop, number=number)
    assert refused.value.field == "number"
