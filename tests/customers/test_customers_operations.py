"""The operations of `customers` on real shops."""

from datetime import date

import pytest
from tests.stall import event, sales, stock

from shopkeeper.core.errors import NotFound, UnknownName
from shopkeeper.customers.operations import members, rfm, segment
from shopkeeper.shop import Shop


def _shop(shop: Shop) -> Shop:
    """Twenty customers: the first came most often, for most and last; c19 came once, long ago."""
    lines: list[tuple[float, str | None, str, float | None]] = [
        (100.0 - who * 2 - order, f"c{who:02}", "tea", 100.0 - who * 4)
        for who in range(20)
        for order in range(max(1, 20 - who))
    ]
    rows = [*sales(lines), *sales([])]
    rows.append(event(900, 99, "view_item", "looker", "tea"))
    rows.append(event(901, 100, "refund", "c00", "tea", value=50.0, order_id="o0"))
    rows.append(
        event(902, 50, "purchase", None, "tea", value=1000.0, quantity=1.0, order_id="guest")
    )
    return stock(shop, rows)


def test_the_summary_adds_up_to_all_who_bought(shop: Shop) -> None:
    reply = rfm(_shop(shop))
    assert reply.customers == 20
    assert reply.bought_once == 1
    assert reply.as_of == date(2024, 6, 9)
    assert reply.monetary is None
    assert sum(s.customers for s in reply.segments) == 20
    expected = sum((100 - who * 4) * max(1, 20 - who) for who in range(20)) - 50
    assert reply.revenue == pytest.approx(expected)
    assert sum(s.revenue or 0 for s in reply.segments) == pytest.approx(expected)
    assert sum(s.share_of_customers for s in reply.segments) == pytest.approx(1)
    assert sum(s.share_of_revenue or 0 for s in reply.segments) == pytest.approx(1)
    by_code = {s.code: s for s in reply.segments}
    assert by_code["champions"].customers == 8
    assert by_code["champions"].median_recency == pytest.approx(7)


def test_as_of_an_earlier_day_only_what_had_happened_counts(shop: Shop) -> None:
    reply = rfm(_shop(shop), as_of=date(2024, 5, 10))
    later = rfm(shop)
    assert reply.as_of == date(2024, 5, 10)
    assert 0 < reply.customers < later.customers
    assert rfm(shop, as_of=date(2020, 1, 1)).customers == 0


def test_members_come_in_pages_those_worth_most_first(shop: Shop) -> None:
    whole = members(_shop(shop), "champions", limit=100)
    assert whole.total == len(whole.rows) == 8
    assert [row.customer_id for row in whole.rows] == [f"c{n:02}" for n in range(8)]
    assert all(row.segment == "champions" for row in whole.rows)
    pages = [members(shop, "champions", offset=n, limit=3).rows for n in (0, 3, 6, 9)]
    assert [len(page) for page in pages] == [3, 3, 2, 0]
    assert tuple(row for page in pages for row in page) == whole.rows
    assert whole.rows[0].monetary == pytest.approx(20 * 100 - 50)


def test_a_customer_is_told_where_they_stand_and_why_in_both_languages(shop: Shop) -> None:
    english = segment(_shop(shop), "c00")
    assert (english.segment, english.name) == ("champions", "Champions")
    assert english.advice is not None
    assert [reason.code for reason in english.reasons] == [
        "rfm.recency", "rfm.frequency", "rfm.monetary", "rfm.rule",
    ]  # fmt: skip
    assert "0 days before" in english.reasons[0].text
    assert english.reasons[1].evidence == {"frequency": 20, "f": 5}
    chinese = segment(shop, "c00", lang="zh")
    assert chinese.name == "重要价值客户"
    assert "共 20 单" in chinese.reasons[1].text


def test_who_only_looked_is_known_but_in_no_segment(shop: Shop) -> None:
    reply = segment(_shop(shop), "looker")
    assert reply.segment is None
    assert reply.reasons[0].code == "rfm.never_bought"


def test_unknown_names_are_refused_with_a_hint(shop: Shop) -> None:
    _shop(shop)
    with pytest.raises(NotFound, match="nobody"):
        segment(shop, "nobody")
    with pytest.raises(UnknownName, match="at_risk"):
        members(shop, "at-risk")


def test_an_empty_shop_has_empty_segments_and_says_what_is_needed(shop: Shop) -> None:
    reply = rfm(shop)
    assert (reply.customers, reply.as_of, reply.revenue) == (0, None, None)
    assert reply.monetary is not None
    assert len(reply.segments) == 10
    assert members(shop, "champions").rows == ()


def test_three_customers_are_enough(shop: Shop) -> None:
    reply = rfm(stock(shop, sales([(0, "a", "x", 5.0), (9, "b", "x", 6.0), (10, "c", "x", 7.0)])))
    assert sum(s.customers for s in reply.segments) == 3
    assert {s.code for s in reply.segments if s.customers} <= {"new", "promising", "hibernating"}


def test_a_shop_without_amounts_says_so_and_still_has_segments(shop: Shop) -> None:
    reply = rfm(stock(shop, sales([(n, f"c{n}", "x", None) for n in range(10)])))
    assert reply.revenue is None
    assert reply.monetary is not None
    assert "value" in reply.monetary.needed
    assert all(s.share_of_revenue is None for s in reply.segments)
    assert "F stands in" in segment(shop, "c9").reasons[2].text
