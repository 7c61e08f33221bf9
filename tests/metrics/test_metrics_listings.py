"""Listings of many numbers at once say what each number's own listing says."""

from __future__ import annotations

from datetime import date

import pytest
from tests.metrics.conftest import World

from shopkeeper.core.operation import OWNER, Context
from shopkeeper.core.period import Period
from shopkeeper.metrics import calendar, listings, operations
from shopkeeper.metrics.definitions import METRICS
from shopkeeper.metrics.types import Cycle, Rows
from shopkeeper.shop import Shop


@pytest.fixture
def ctx(world: World) -> Context:
    return Context(world.shop, OWNER)


def _told(rows: Rows) -> object:
    """All that it says, without what depends on the order in which floats were added."""

    def plain(value: object) -> object:
        return round(value, 6) if isinstance(value, float) else value

    sums = {name: plain(value) for name, value in rows.sums.items()}
    listed = sorted(repr(tuple(map(plain, row))) for row in rows.rows)
    return rows.model_dump(exclude={"sums", "rows"}), sums, listed


def test_listings_of_all_metrics_are_those_of_each(ctx: Context) -> None:
    since = Period("60d")
    found = listings.of_metrics(ctx, tuple(METRICS), since, 7)
    assert list(found) == list(METRICS)
    for name, rows in found.items():
        one = operations.rows(ctx, metric=name, since=since, size=7)
        assert _told(rows) == _told(one), name
        assert rows.total, name


@pytest.mark.parametrize(
    ("metric", "by", "values"),
    [
        ("net_revenue", "department", None),
        ("net_revenue", "country", None),
        ("orders", "channel", None),
        ("buyers", "item_id", None),
        ("conversion", "country", ("CN", None, "nowhere")),
    ],
    ids=["department", "country", "channel", "item", "unknown"],
)
def test_listings_of_groups_are_those_of_each(
    ctx: Context, metric: str, by: str, values: tuple[str | None, ...] | None
) -> None:
    since = Period("45d")
    if values is None:
        groups = operations.breakdown(ctx, metric=metric, by=by, since=since, k=4).groups
        values = tuple(group.group for group in groups if not group.rest)
        assert len(values) > 1
    found = listings.of_groups(ctx, metric, by, values, since, 5)
    assert list(found) == list(values)
    for value, rows in found.items():
        one = operations.rows(ctx, metric=metric, since=since, by=by, value=value, size=5)
        assert _told(rows) == _told(one), value


@pytest.mark.parametrize("cycle", ["week", "month"])
def test_listings_of_buckets_are_those_of_their_days(ctx: Context, cycle: Cycle) -> None:
    data = ctx.shop.span()
    assert data is not None
    starts = [calendar.days(n, cycle).start for n in calendar.between(data, cycle)]
    found = listings.of_buckets(ctx, "new_buyers", cycle, starts, 5)
    assert list(found) == starts
    for start, rows in found.items():
        days = calendar.days(calendar.number(start, cycle), cycle)
        one = operations.rows(ctx, metric="new_buyers", since=Period(str(days)), size=5)
        assert _told(rows) == _told(one), start
    assert sum(rows.total for rows in found.values()) > 0


def test_a_shop_without_events_lists_nothing(shop: Shop) -> None:
    ctx = Context(shop, OWNER)
    assert listings.of_metrics(ctx, ("revenue",), Period("30d"), 5) == {}
    assert listings.of_groups(ctx, "revenue", "country", ["DE"], Period("30d"), 5) == {}
    assert listings.of_buckets(ctx, "new_buyers", "month", [date(2026, 1, 1)], 5) == {}
