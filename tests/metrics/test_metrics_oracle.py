"""Every metric against plain Python over the same random events, from the rollup and raw."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shopkeeper.core.operation import Context
from shopkeeper.core.period import Days, Period
from shopkeeper.core.types import CannotSay
from shopkeeper.metrics import operations
from shopkeeper.metrics.breakdown import breakdown
from shopkeeper.metrics.definitions import METRICS
from shopkeeper.metrics.funnel import funnel
from shopkeeper.metrics.overview import overview
from shopkeeper.metrics.retention import retention
from shopkeeper.metrics.series import series
from shopkeeper.metrics.types import Amount, Cycle, Start

Row = dict[str, Any]
Oracle = dict[str, float | None]
few = settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
_FIRST, _LENGTH = date(2024, 1, 18), 90


def div(top: float, bottom: float) -> float | None:
    return top / bottom if bottom > 0 else None


def measure(rows: list[Row], history: list[Row], days: Days) -> Oracle:
    """All metrics of ``rows`` by their definitions in words; ``history`` tells who is new."""
    buys = [r for r in rows if r["name"] == "purchase"]
    backs = [r for r in rows if r["name"] == "refund"]
    known = [r for r in rows if r["customer_id"] is not None]
    revenue, refunds = sum(r["value"] for r in buys), sum(r["value"] for r in backs)
    costed = [r for r in buys if r["cost"] is not None]
    costed_backs = [r for r in backs if r["cost"] is not None]
    costed_net = sum(r["value"] for r in costed) - sum(r["value"] for r in costed_backs)
    margin = costed_net - sum(r["cost"] for r in costed) + sum(r["cost"] for r in costed_backs)
    senders = {
        (r["day"], r["user_id"], r["anonymous_id"], r["order_id"], r["customer_id"])
        for r in buys
        if r["order_id"] is not None
    }
    orders: dict[str, int] = defaultdict(int)
    for *_, customer in senders:
        if customer is not None:
            orders[customer] += 1
    active = {r["customer_id"] for r in known}
    buyers = {r["customer_id"] for r in buys} - {None}
    earlier = {r["customer_id"] for r in history if r["day"] < days.start}
    bought = {
        r["customer_id"] for r in history if r["day"] < days.start and r["name"] == "purchase"
    }
    units, returned = sum(r["quantity"] for r in buys), sum(r["quantity"] for r in backs)

    def recent(length: int) -> float | None:
        if len(days) < length:
            return None
        since = days.end - timedelta(days=length - 1)
        return float(len({r["customer_id"] for r in known if r["day"] >= since}))

    return {
        "revenue": revenue,
        "refunds": refunds,
        "net_revenue": revenue - refunds,
        "orders": len(senders),
        "units": units,
        "returned_units": returned,
        "margin": margin,
        "margin_rate": div(margin, costed_net),
        "cost_known": div(sum(r["value"] for r in costed), revenue),
        "average_order_value": div(revenue, len(senders)),
        "units_per_order": div(units, len(senders)),
        "return_rate": div(returned, units),
        "active_customers": len(active),
        "daily_active_customers": len({(r["day"], r["customer_id"]) for r in known}) / len(days),
        "weekly_active_customers": recent(7),
        "monthly_active_customers": recent(30),
        "new_customers": len(active - earlier),
        "returning_customers": len(active & earlier),
        "buyers": len(buyers),
        "new_buyers": len(buyers - bought),
        "conversion": div(len(buyers), len(active)),
        "repeat_rate": div(sum(n >= 2 for n in orders.values()), len(orders)),
        "revenue_per_buyer": div(
            sum(r["value"] for r in buys if r["customer_id"] is not None), len(buyers)
        ),
    }


def same(found: Amount, truth: float | None, metric: str) -> None:
    """Equal; or the figure says that there are too few units, and then which quotient was seen."""
    if isinstance(found, CannotSay):
        few_units = "Too few units" in found.reason
        lacking = "0 % of the data" in found.reason
        assert few_units or lacking or truth is None, (metric, found, truth)
        if few_units and truth is not None:
            seen = float(found.reason.rpartition(" give ")[2].rstrip("."))
            assert seen == pytest.approx(truth, rel=1e-3)
        return
    assert truth is not None, (metric, found)
    assert found.value == pytest.approx(truth, rel=1e-9, abs=1e-9), metric


@st.composite
def periods(draw: st.DrawFn) -> Days:
    start = draw(st.integers(0, _LENGTH - 1))
    end = draw(st.integers(start, min(start + 50, _LENGTH - 1)))
    return Days(_FIRST + timedelta(days=start), _FIRST + timedelta(days=end))


def within(rows: list[Row], days: Days) -> list[Row]:
    return [row for row in rows if row["day"] in days]


def test_the_random_world_has_what_could_go_wrong(world: Any) -> None:
    rows: list[Row] = world.rows
    assert any(r["customer_id"] is None and r["name"] == "purchase" for r in rows)
    assert any(r["order_id"] is None and r["name"] == "purchase" for r in rows)
    assert any(r["cost"] is None and r["name"] == "refund" for r in rows)
    sent = {(r["customer_id"], r["user_id"]) for r in rows if r["customer_id"] == "c4"}
    assert len(sent) > 2  # one customer, several sent ids
    days = defaultdict(set)
    for r in rows:
        days[r["order_id"]].add(r["day"])
    assert any(len(seen) > 1 for order, seen in days.items() if order)


@few
@given(days=periods(), raw=st.booleans())
def test_the_overview_equals_plain_python(world: Any, days: Days, raw: bool) -> None:
    rows: list[Row] = world.rows
    found = overview(Context(world.shop), Period(str(days)), raw=raw)
    truth = measure(within(rows, days), rows, days)
    assert set(truth) == set(METRICS)
    for figure in found.figures:
        same(figure.value, truth[figure.metric], figure.metric)
    before = days.before()
    if before.start < world.first:
        assert found.before is None
        assert all(isinstance(f.before, CannotSay) for f in found.figures)
        return
    earlier = measure(within(rows, before), rows, before)
    for figure in found.figures:
        same(figure.before, earlier[figure.metric], figure.metric)
        now, then = truth[figure.metric], earlier[figure.metric]
        if not isinstance(figure.change, CannotSay):
            assert now is not None
            assert then is not None
            assert figure.change.value == pytest.approx(now - then, abs=1e-6)


def start_of(day: date, cycle: Cycle) -> date:
    if cycle == "month":
        return day.replace(day=1)
    return day if cycle == "day" else day - timedelta(days=day.weekday())


@few
@given(days=periods(), cycle=st.sampled_from(["day", "week", "month"]), raw=st.booleans())
def test_series_equal_plain_python(world: Any, days: Days, cycle: Cycle, raw: bool) -> None:
    rows: list[Row] = world.rows
    names = tuple(
        n for n in METRICS if n not in {"weekly_active_customers", "monthly_active_customers"}
    )
    found = series(Context(world.shop), names, Period(str(days)), cycle, raw=raw)
    assert [line.metric for line in found.lines] == list(names)
    covered: list[date] = []
    for i, point in enumerate(found.lines[0].points):
        part = Days(point.start, point.end)
        covered += [point.start + timedelta(days=d) for d in range(len(part))]
        assert start_of(point.start, cycle) == start_of(point.end, cycle)
        truth = measure(within(rows, part), rows, part)
        for line in found.lines:
            same(line.points[i].value, truth[line.metric], line.metric)
    assert covered == [days.start + timedelta(days=d) for d in range(len(days))]


COUNTRY = {f"c{i}": ["CN", "DE", None][i % 3] for i in range(50)}
CITY = {f"c{i}": ["上海", "it's"][i % 2] for i in range(50) if i % 5}
CATEGORY = {f"i{i}": ["Home > Tea", "Home > Cups", "Food", None][i % 4] for i in range(10)}
GROUPS: dict[str, Callable[[Row], str | None]] = {
    "country": lambda r: COUNTRY.get(r["customer_id"]),
    "traits.city": lambda r: CITY.get(r["customer_id"]),
    "channel": lambda r: r["channel"],
    "source": lambda r: r["source"],
    "item_id": lambda r: r["item_id"],
    "category": lambda r: CATEGORY.get(r["item_id"]),
    "department": lambda r: (CATEGORY.get(r["item_id"]) or "").split(" > ")[0] or None,
    "brand": lambda r: {f"i{i}": "AB"[i % 2] for i in range(10)}.get(r["item_id"]),
}


@pytest.mark.parametrize("by", GROUPS)
@pytest.mark.parametrize("raw", [False, True])
def test_breakdowns_equal_plain_python(world: Any, by: str, raw: bool) -> None:
    rows: list[Row] = world.rows
    days = Days(date(2024, 2, 20), date(2024, 3, 25))
    of = GROUPS[by]
    item = by in {"item_id", "category", "department", "brand"}
    chance = random.Random(by)
    names = [n for n, m in METRICS.items() if m.by_item or not item]
    for name in chance.sample(names, 5):
        found = breakdown(Context(world.shop), name, by, Period(str(days)), 2, raw=raw)
        kept = {g.group for g in found.groups if not g.rest}
        for group in found.groups:
            part = [
                r
                for r in within(rows, days)
                if (of(r) not in kept if group.rest else of(r) == group.group)
            ]
            truth = measure(part, rows, days)[name]
            same(group.figure.value, truth, f"{name} by {by} {group.group}")
        whole = measure(within(rows, days), rows, days)[name]
        assert found.all is not None
        same(found.all.value, whole, name)
        if METRICS[name].kind == "sum" and not found.overlap:
            total = sum(getattr(g.figure.value, "value", 0.0) for g in found.groups)
            assert total == pytest.approx(whole)


def test_the_groups_of_a_breakdown_are_the_largest(world: Any) -> None:
    rows: list[Row] = world.rows
    found = breakdown(Context(world.shop), "revenue", "item_id", Period("all"), 4)
    by_item: dict[str | None, float] = defaultdict(float)
    for row in rows:
        if row["name"] == "purchase":
            by_item[row["item_id"]] += row["value"]
    largest = sorted(by_item.values(), reverse=True)[:4]
    values = [getattr(g.figure.value, "value", 0.0) for g in found.groups]
    assert values[:4] == pytest.approx(largest)
    assert [g.rest for g in found.groups] == [False] * 4 + [True]


@pytest.mark.parametrize("cycle", ["week", "month"])
@pytest.mark.parametrize("start", ["purchase", "activity"])
@pytest.mark.parametrize("raw", [False, True])
def test_retention_equals_plain_python(world: Any, cycle: Cycle, start: Start, raw: bool) -> None:
    rows: list[Row] = world.rows
    came: dict[str, set[date]] = defaultdict(set)
    for row in rows:
        if row["customer_id"] and (start == "activity" or row["name"] == "purchase"):
            came[row["customer_id"]].add(start_of(row["day"], cycle))
    found = retention(Context(world.shop), Period("all"), cycle, start, 5, raw=raw)
    cohorts = sorted({min(seen) for seen in came.values()})
    assert [c.start for c in found.cohorts] == cohorts
    assert [c.censored for c in found.cohorts] == [True] + [False] * (len(cohorts) - 1)
    for cohort in found.cohorts:
        members = [seen for seen in came.values() if min(seen) == cohort.start]
        assert cohort.customers == len(members)
        bucket = cohort.start
        for distance, share in enumerate(cohort.shares):
            following = start_of(bucket + timedelta(days=31 if cycle == "month" else 7), cycle)
            if distance and following - timedelta(days=1) > world.last:
                assert isinstance(share, CannotSay)
            else:
                assert not isinstance(share, CannotSay)
                hits = sum(bucket in seen for seen in members)
                assert share.value == pytest.approx(hits / len(members))
            bucket = following


@few
@given(days=periods(), steps=st.permutations(["view_item", "add_to_cart", "search", "purchase"]))
def test_the_funnel_equals_plain_python(world: Any, days: Days, steps: list[str]) -> None:
    rows: list[Row] = world.rows
    reached = [0] * len(steps)
    by_customer: dict[str, list[Row]] = defaultdict(list)
    for row in within(rows, days):
        if row["customer_id"] is not None:
            by_customer[row["customer_id"]].append(row)
    for theirs in by_customer.values():
        at = None
        for i, step in enumerate(steps):
            times = [
                r["time"] for r in theirs if r["name"] == step and (at is None or r["time"] >= at)
            ]
            if not times:
                break
            at = min(times)
            reached[i] += 1
    found = funnel(Context(world.shop), Period(str(days)), tuple(steps))
    assert [step.customers for step in found.steps] == reached
    for taken in found.steps:
        named = [r for r in within(rows, days) if r["name"] == taken.name]
        assert taken.events == len(named)
        assert taken.without_customer == sum(r["customer_id"] is None for r in named)


@few
@given(days=periods(), name=st.sampled_from(sorted(METRICS)))
def test_the_rows_behind_a_number_add_up_to_it(world: Any, days: Days, name: str) -> None:
    rows: list[Row] = world.rows
    if {"weekly_active_customers": 7, "monthly_active_customers": 30}.get(name, 0) > len(days):
        return
    found = operations.rows(world.shop, name, Period(str(days)), size=1000)
    truth = measure(within(rows, days), rows, days)
    assert found.total == len(found.rows) or found.total > 1000
    assert len(set(found.rows)) == len(found.rows)
    sums = defaultdict(float, found.sums)
    checks: dict[str, float] = {
        "revenue": sums["purchase.value"],
        "refunds": sums["refund.value"],
        "net_revenue": sums["purchase.value"] - sums["refund.value"],
        "units": sums["purchase.quantity"],
        "returned_units": sums["refund.quantity"],
        "margin": sums["purchase.value"]
        - sums["purchase.cost"]
        - sums["refund.value"]
        + sums["refund.cost"],
        "orders": found.total,
        "daily_active_customers": sums["active_days"] / len(days),
    }
    if METRICS[name].kind == "count":
        checks[name] = found.total
    if METRICS[name].kind == "share" and found.total:
        checks[name] = sums["counts"] / found.total
    if name in checks and truth[name] is not None:
        assert checks[name] == pytest.approx(truth[name])
