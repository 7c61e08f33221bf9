"""Worlds small enough to work out by hand."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest

from shopkeeper.core.errors import BadInput, UnknownName
from shopkeeper.core.operation import Context
from shopkeeper.core.period import Period
from shopkeeper.core.types import CannotSay, Estimate
from shopkeeper.metrics import operations
from shopkeeper.metrics.types import Exact, Figure

MakeEvent = Callable[..., dict[str, Any]]


def at(day: int, hour: int = 12, minute: int = 0) -> datetime:
    return datetime(2024, 3, day, hour, minute)


@pytest.fixture(scope="module")
def tiny(make_shop: Any, make_event: MakeEvent) -> Any:
    """Two weeks: a (two orders, one refund), b (one order of two lines), nobody, and v = a."""
    rows = [
        make_event(1, at(1), "view_item", user_id="b"),
        make_event(2, at(4), "view_item", anonymous_id="v", item_id="tea"),
        make_event(3, at(4, 13), "purchase", user_id="a", order_id="1", item_id="tea",
                   quantity=2.0, value=20.0, cost=12.0, channel="ads"),
        make_event(4, at(5), "purchase", user_id="b", order_id="2", item_id="tea",
                   quantity=1.0, value=10.0, cost=6.0),
        make_event(5, at(5), "purchase", user_id="b", order_id="2", item_id="cup",
                   quantity=3.0, value=30.0),
        make_event(6, at(12), "purchase", user_id="a", order_id="3", item_id="cup",
                   quantity=1.0, value=40.0),
        make_event(7, at(13), "refund", user_id="a", order_id="1", item_id="tea",
                   quantity=1.0, value=10.0, cost=6.0),
        make_event(8, at(14), "purchase", order_id="4", item_id="tea", quantity=1.0, value=5.0,
                   cost=3.0),
    ]  # fmt: skip
    items = [
        {"item_id": "tea", "kind": "product", "title": "Tea", "category": "Drink > Tea"},
        {"item_id": "cup", "kind": "product", "title": "Cup", "category": "Home > Cups"},
    ]
    customers = [
        {"customer_id": "a", "country": "CN", "traits": {"plan": "<b>x</b>'; DROP"}},
        {"customer_id": "b", "country": "DE", "traits": {}},
    ]
    return make_shop(rows, items=items, customers=customers, identities={"v": "a"})


def figures(shop: Any, since: str) -> dict[str, Figure]:
    return {f.metric: f for f in operations.overview(shop, Period(since)).figures}


def test_the_second_week_by_hand(tiny: Any) -> None:
    found = figures(tiny, "2024-03-08..2024-03-14")
    exact = {
        "revenue": (45.0, 60.0),
        "refunds": (10.0, 0.0),
        "net_revenue": (35.0, 60.0),
        "orders": (2.0, 2.0),
        "units": (2.0, 6.0),
        "active_customers": (1.0, 2.0),
        "daily_active_customers": (2 / 7, 3 / 7),
        "weekly_active_customers": (1.0, 2.0),
        "new_customers": (0.0, 2.0),
        "returning_customers": (1.0, 0.0),
        "buyers": (1.0, 2.0),
        "new_buyers": (0.0, 2.0),
        # costs are known of 5 (cost 3) less the refund of 10 (cost 6): 2 - 4
        "margin": (-2.0, 30.0 - 18.0),
        "cost_known": (5 / 45, 0.5),
    }
    for name, (now, before) in exact.items():
        shown = found[name].value, found[name].before, found[name].change
        assert [value.kind for value in shown] == ["exact"] * 3, name
        values = [getattr(value, "value", None) for value in shown]
        assert values == pytest.approx([now, before, now - before]), name
    repeat = found["repeat_rate"].value
    assert isinstance(repeat, Estimate)
    assert (repeat.value, repeat.n) == (0.0, 1)
    assert repeat.high == pytest.approx(0.7935, abs=1e-4)  # Wilson: z² / (n + z²)
    assert isinstance(found["monthly_active_customers"].value, CannotSay)
    coverage = found["repeat_rate"].coverage
    assert coverage is not None
    assert coverage.share == 0.5  # one of the two purchase lines has a customer


def test_an_average_of_few_customers_cannot_say_but_tells_what_was_seen(tiny: Any) -> None:
    found = figures(tiny, "2024-03-01..2024-03-07")["average_order_value"].value
    assert isinstance(found, CannotSay)
    assert "give 30." in found.reason
    assert found.needed == "at least 20"


def test_the_period_before_is_not_compared_when_data_do_not_cover_it(tiny: Any) -> None:
    found = operations.overview(tiny, Period("2024-03-05..2024-03-14"))
    assert found.before is None
    assert found.moved == ()
    revenue = found.figures[0]
    assert isinstance(revenue.before, CannotSay)
    assert revenue.before.needed == "data from 2024-02-24"
    assert revenue.relative is None


def test_a_period_is_cut_to_the_days_of_data_and_says_so(tiny: Any) -> None:
    found = operations.overview(tiny, Period("2023-01..2024-12"))
    assert found.period is not None
    assert (found.period.start, found.period.end) == (date(2024, 3, 1), date(2024, 3, 14))


def test_a_period_without_data_cannot_say(tiny: Any) -> None:
    found = operations.overview(tiny, Period("2023-01"))
    assert found.cannot_say is not None
    assert "2024-03-01 to 2024-03-14" in found.cannot_say.reason


def test_an_empty_shop_answers_every_question_with_cannot_say(make_shop: Any) -> None:
    shop = make_shop([])
    replies: list[Any] = [
        operations.overview(shop),
        operations.series(shop),
        operations.breakdown(shop, "revenue", "country"),
        operations.retention(shop),
        operations.funnel(shop),
        operations.rows(shop, "revenue"),
    ]
    for reply in replies:
        assert isinstance(reply.cannot_say, CannotSay)
        assert "import" in reply.cannot_say.needed
        assert reply.model_validate_json(reply.model_dump_json()) == reply
    assert operations.definitions(shop).currency == "CNY"


def test_where_no_line_has_a_customer_customers_cannot_be_counted(
    make_shop: Any, make_event: MakeEvent
) -> None:
    rows = [make_event(1, at(1), "purchase", order_id="1", quantity=1.0, value=5.0)]
    found = figures(make_shop(rows), "all")
    assert found["revenue"].value == Exact(value=5.0)
    assert found["orders"].value == Exact(value=1.0)
    for name in ("active_customers", "buyers", "repeat_rate", "new_customers"):
        assert isinstance(found[name].value, CannotSay), name
    assert isinstance(found["margin"].value, CannotSay)  # and of nothing is the cost known


def test_days_are_local_and_weeks_start_on_monday(make_shop: Any, make_event: MakeEvent) -> None:
    rows = [  # Sunday 2024-03-31 23:59 and Monday 2024-04-01 00:00 in Shanghai are both 31 March UTC
        make_event(1, datetime(2024, 3, 31, 15, 59, tzinfo=UTC), "purchase", user_id="a",
                   order_id="1", quantity=1.0, value=1.0),
        make_event(2, datetime(2024, 3, 31, 16, 0, tzinfo=UTC), "purchase", user_id="a",
                   order_id="2", quantity=1.0, value=2.0),
    ]  # fmt: skip
    shop = make_shop(rows)
    for cycle in ("day", "week", "month"):
        (line,) = operations.series(shop, ("revenue",), Period("all"), cycle).lines
        points = [(p.start, p.end, p.value) for p in line.points]
        assert points == [
            (date(2024, 3, 31), date(2024, 3, 31), Exact(value=1.0)),
            (date(2024, 4, 1), date(2024, 4, 1), Exact(value=2.0)),
        ]
        assert all(p.partial == (cycle != "day") for p in line.points)


def test_a_day_without_events_is_a_zero_and_a_quotient_there_cannot_say(tiny: Any) -> None:
    names = ("revenue", "repeat_rate")
    revenue, repeat = operations.series(tiny, names, Period("2024-03-04..2024-03-06")).lines
    assert [getattr(p.value, "value", None) for p in revenue.points] == [20.0, 40.0, 0.0]
    assert isinstance(repeat.points[2].value, CannotSay)


def test_a_breakdown_by_hand_names_the_unknown_group(tiny: Any) -> None:
    found = operations.breakdown(tiny, "revenue", "country", Period("all"))
    values = [(g.group, g.rest, getattr(g.figure.value, "value", None)) for g in found.groups]
    assert values == [("CN", False, 60.0), ("DE", False, 40.0), (None, False, 5.0)]
    assert found.all is not None
    assert found.all.value == Exact(value=105.0)
    assert not found.overlap
    departments = operations.breakdown(tiny, "orders", "department", Period("all"))
    assert departments.overlap  # order 2 holds items of both
    assert {g.group: getattr(g.figure.value, "value", 0) for g in departments.groups} == {
        "Drink": 3.0,
        "Home": 2.0,
    }


def test_text_of_customers_is_a_group_like_any_other(tiny: Any) -> None:
    found = operations.breakdown(tiny, "revenue", "traits.plan", Period("all"))
    assert [g.group for g in found.groups] == ["<b>x</b>'; DROP", None]
    none = operations.breakdown(tiny, "revenue", "traits.it's", Period("all"))
    assert [g.group for g in none.groups] == [None]
    rows = operations.rows(tiny, "revenue", Period("all"), "traits.plan", "<b>x</b>'; DROP")
    assert rows.sums["purchase.value"] == 60.0


def test_the_funnel_counts_a_step_only_after_the_one_before(
    make_shop: Any, make_event: MakeEvent
) -> None:
    def walk(who: str, *steps: tuple[int, str]) -> list[dict[str, Any]]:
        start = sum(map(ord, who)) * 100
        return [
            make_event(start + i, at(1, 12, minute), name, user_id=who)
            for i, (minute, name) in enumerate(steps)
        ]

    view, cart, buy = "view_item", "add_to_cart", "purchase"
    rows = [
        *walk("in order", (1, view), (2, cart), (3, buy)),
        *walk("same time", (1, view), (1, cart), (1, buy)),
        *walk("backwards", (1, buy), (2, cart), (3, view)),
        *walk("cart first, again later", (1, cart), (2, view), (3, buy), (4, cart)),
        *walk("skips the cart", (1, view), (3, buy)),
        make_event(9, at(1), cart),
    ]
    found = operations.funnel(make_shop(rows), Period("all"), ("Product Viewed", cart, buy))
    assert [(s.name, s.customers) for s in found.steps] == [(view, 5), (cart, 3), (buy, 2)]
    bought = found.steps[2]
    assert isinstance(bought.of_previous, Estimate)
    assert isinstance(bought.of_first, Estimate)
    assert bought.of_first.value == 0.4
    assert bought.of_previous.value == pytest.approx(2 / 3)
    assert found.steps[1].without_customer == 1


def test_a_funnel_nobody_entered_cannot_say_shares(tiny: Any) -> None:
    found = operations.funnel(tiny, Period("all"), ("search", "purchase"))
    assert [s.customers for s in found.steps] == [0, 0]
    assert all(isinstance(s.of_first, CannotSay) for s in found.steps)


def test_retention_by_hand(make_shop: Any, make_event: MakeEvent) -> None:
    def buys(who: str, *months: int) -> list[dict[str, Any]]:
        return [
            make_event(ord(who) * 100 + m, datetime(2024, m, 5), "purchase", user_id=who, value=1.0)
            for m in months
        ]

    rows = [*buys("a", 1, 3), *buys("b", 2, 3, 4), *buys("c", 2), *buys("d", 4)]
    shop = make_shop([*rows, make_event(1, datetime(2024, 4, 29), "view_item", user_id="z")])
    found = operations.retention(shop, Period("all"), "month", "purchase", 2)
    assert [(c.start.month, c.customers, c.censored) for c in found.cohorts] == [
        (1, 1, True), (2, 2, False), (4, 1, False),
    ]  # fmt: skip
    february = [getattr(share, "value", None) for share in found.cohorts[1].shares]
    assert february == [1.0, 0.5, None]  # April is not over: data end on the 29th
    assert [getattr(share, "value", None) for share in found.pooled] == [1.0, 0.5, None]


def test_rows_open_a_number_page_by_page(tiny: Any) -> None:
    first = operations.rows(tiny, "revenue", Period("all"), page=1, size=3)
    second = operations.rows(tiny, "revenue", Period("all"), page=2, size=3)
    ids = [row[0] for row in (*first.rows, *second.rows)]
    assert ids == ["e000003", "e000004", "e000005", "e000006", "e000008"]
    assert (first.total, first.sums["purchase.value"]) == (5, 105.0)
    assert operations.rows(tiny, "revenue", Period("all"), page=3, size=3).rows == ()


def test_rows_of_one_group_and_of_the_unknown_one(tiny: Any) -> None:
    germany = operations.rows(tiny, "orders", Period("all"), "country", "DE")
    assert [row[:3] for row in germany.rows] == [(date(2024, 3, 5), "b", "2")]
    unknown = operations.rows(tiny, "orders", Period("all"), "country")
    assert [row[2] for row in unknown.rows] == ["4"]
    tea = operations.rows(tiny, "buyers", Period("all"), "item_id", "tea")
    assert {row[0] for row in tea.rows} == {"a", "b"}


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda s: operations.breakdown(s, "revenu", "country"), UnknownName, "'revenue'"),
        (lambda s: operations.breakdown(s, "revenue", "contry"), UnknownName, "'country'"),
        (lambda s: operations.breakdown(s, "new_customers", "brand"), BadInput, "brand"),
        (lambda s: operations.series(s, ("weekly_active_customers",)), BadInput, "by week"),
        (lambda s: operations.series(s, ()), BadInput, "at least one"),
        (lambda s: operations.series.run(Context(s), {"cycle": "year"}), BadInput, "cycle"),
        (lambda s: operations.funnel(s, steps=("purchase",)), BadInput, "2 to 10"),
        (lambda s: operations.funnel(s, steps=("purchase", "Order Completed")), BadInput, "twice"),
        (lambda s: operations.rows(s, "revenue", page=200, size=1000), BadInput, "100000"),
        (lambda s: operations.rows(s, "revenue", value="DE"), BadInput, "`by`"),
        (lambda s: operations.rows(s, "revenue", size=0), BadInput, "size"),
    ],
)
def test_wrong_questions_say_what_to_ask_instead(
    tiny: Any, call: Callable[[Any], Any], error: type[BadInput], words: str
) -> None:
    with pytest.raises(error) as caught:
        call(tiny)
    assert words in str(caught.value)


def test_the_interval_of_a_return_rate_stays_where_rates_can_lie(
    make_shop: Any, make_event: MakeEvent
) -> None:
    rows = [
        make_event(
            i,
            at(1 + i % 20),
            "purchase",
            user_id=f"u{i}",
            order_id=f"o{i}",
            quantity=1.0,
            value=9.0,
        )
        for i in range(60)
    ]
    rows.append(
        make_event(60, at(21), "refund", user_id="u0", order_id="o0", quantity=1.0, value=9.0)
    )
    found = figures(make_shop(rows), "all")["return_rate"].value
    assert isinstance(found, Estimate)
    assert found.low == 0.0  # one return in sixty: a symmetric interval would reach below
    assert found.low < found.value < found.high
