"""Each rule fires where its grounds were planted, means just those customers, and is silent else."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.advice.conftest import Plot
from tests.stall import START

from shopkeeper.advice.idea import rules
from shopkeeper.advice.wording import LANGUAGES, texts
from shopkeeper.store.insight_tables import themes

ALL = sorted(rules())


def _regulars(plot: Plot, number: int = 20, *, gap: int = 10, value: float = 40.0) -> None:
    """Customers who buy every ``gap`` days up to now."""
    for n in range(number):
        for time in range(5):
            plot.buy(time * gap + n % 3, f"regular{n:02}", value=value)


def _theme(plot: Plot, theme_id: str, name: str) -> None:
    at = START
    row = {
        "theme_id": theme_id, "tongue": "en", "level": 2, "names": {"en": name, "zh": name},
        "named_by": "words", "words": [name], "texts": 30, "status": "active",
        "created_at": at, "changed_at": at,
    }  # fmt: skip
    with plot.shop.database.begin() as connection:
        connection.execute(themes.insert(), row)


def test_who_is_late_by_their_own_rhythm_and_spent_much_is_won_back(plot: Plot) -> None:
    _regulars(plot)
    for n, value in enumerate((400.0, 300.0)):
        for time in range(4):
            plot.buy(45 + time * 10, f"late{n}", value=value)
    for time in range(4):
        plot.buy(45 + time * 10, "late-and-small", value=2.0)
        plot.buy(31 + time * 20, "slow", value=400.0)  # by their own rhythm only half late
    [idea] = plot.ideas("win_back")
    assert plot.whom(idea) == {"late0", "late1"}
    assert idea.lines[0].figures["days"].value == 10


def test_nobody_is_won_back_who_is_on_time(plot: Plot) -> None:
    _regulars(plot)
    [idea] = plot.ideas("win_back")
    assert plot.whom(idea) == set()


def test_a_supply_that_runs_out_is_reminded_of(plot: Plot) -> None:
    for n in range(15):
        for time in range(3):
            plot.buy(3 + time * 30, f"c{n:02}", "tea-2")
    plot.buy(30, "due", "tea-2")
    plot.buy(32, "bought-since", "tea-2")
    plot.buy(4, "bought-since", "tea-2")
    plot.buy(90, "long-gone", "tea-2")
    [idea] = plot.ideas("replenish")
    assert idea.item_ids == ("tea-2",)
    assert idea.lines[0].figures["days"].value == 30
    assert plot.whom(idea) == {"due"}


def test_what_is_bought_once_has_no_cycle(plot: Plot) -> None:
    for n in range(30):
        plot.buy(n, f"c{n:02}", "pot-1")
    plot.buy(60, "c01", "pot-1")
    assert plot.ideas("replenish") == []


def test_a_left_cart_is_reminded_of_and_a_bought_one_is_not(plot: Plot) -> None:
    plot.did(2, "add_to_cart", "left", "pot-1")
    plot.did(2, "add_to_cart", "bought", "pot-1")
    plot.buy(1.5, "bought", "pot-1")
    plot.did(20, "add_to_cart", "long-ago", "pot-1")
    [idea] = plot.ideas("cart")
    assert plot.whom(idea) == {"left"}
    assert idea.lines[0].figures["worth"].value == 200.0


def test_a_cart_of_what_is_sold_out_is_left_alone(plot: Plot) -> None:
    plot.items([{**ITEMS_POT, "stock": 0.0}])
    plot.did(2, "add_to_cart", "left", "pot-1")
    assert plot.ideas("cart") == []


ITEMS_POT = {"item_id": "pot-1", "title": "Pot", "category": "Ware", "price": 200.0}


def test_new_items_are_shown_to_who_likes_their_category(plot: Plot) -> None:
    more = [
        {"item_id": f"old-{n}", "title": f"Old {n}", "category": "Tea", "price": 9.0}
        for n in range(4)
    ]
    plot.time -= timedelta(days=18)
    plot.items(more)
    plot.time += timedelta(days=18)
    plot.items([{"item_id": "new-1", "title": "First flush", "category": "Tea", "price": 60.0}])
    for day in range(5):
        plot.did(day + 1, "view_item", "fan", "tea-1")
        plot.did(day + 1, "view_item", "potter", "pot-1")
    plot.did(3, "view_item", "has-it", "tea-1")
    plot.buy(2, "has-it", "new-1", value=60.0)
    [idea] = plot.ideas("arrivals")
    assert idea.item_ids == ("new-1",)
    assert plot.whom(idea) == {"fan"}


def test_a_catalogue_that_was_brought_in_anew_has_no_arrivals(plot: Plot) -> None:
    plot.items(
        [{"item_id": f"n{n}", "title": "N", "category": "Tea", "price": 1.0} for n in range(9)]
    )
    plot.did(1, "view_item", "fan", "tea-1")
    assert plot.ideas("arrivals") == []


def test_who_complained_is_cared_for_and_left_out_of_marketing(plot: Plot) -> None:
    plot.wrote(3, "angry", "negative")
    plot.wrote(3, "happy", "positive")
    plot.wrote(40, "forgiven", "negative")
    for user in ("angry", "happy", "forgiven"):
        plot.did(2, "add_to_cart", user, "pot-1")
    view = plot.done()
    [care] = rules()["complaint"].ideas(view)
    assert care.care
    assert plot.whom(care) == {"angry"}
    [cart] = rules()["cart"].ideas(view)
    assert plot.whom(cart) == {"happy", "forgiven"}


def test_without_complaints_nobody_is_cared_for(plot: Plot) -> None:
    plot.wrote(3, "happy", "positive")
    assert plot.ideas("complaint") == []


def test_who_wanted_what_is_sold_out_is_offered_the_nearest(plot: Plot) -> None:
    plot.items([{"item_id": "tea-1", "title": "Spring tea", "category": "Tea", "price": 40.0,
                 "stock": 0.0}])  # fmt: skip
    for n in range(5):
        plot.did(3, "view_item", f"wants{n}", "tea-1")
        plot.buy(6, f"buys{n}", "tea-3")
    plot.buy(6, "other", "tea-2")
    plot.did(3, "view_item", "has-the-other", "tea-1")
    plot.buy(2, "has-the-other", "tea-3")
    [idea] = plot.ideas("substitute")
    assert idea.subject == "tea-1"
    assert idea.item_ids == ("tea-3",)
    assert plot.whom(idea) == {f"wants{n}" for n in range(5)}


def test_nothing_stands_in_for_what_is_there(plot: Plot) -> None:
    plot.did(3, "view_item", "wants", "tea-1")
    plot.buy(3, "buys", "tea-3")
    assert plot.ideas("substitute") == []


def test_a_price_that_fell_is_told_to_who_watched(plot: Plot) -> None:
    cut = {**ITEMS_POT, "price": 150.0, "stock": 3.0}
    plot.items([cut])
    plot.did(8, "view_item", "watched", "pot-1")
    plot.did(8, "view_item", "has-it", "pot-1")
    plot.buy(40, "has-it", "pot-1")
    plot.did(8, "view_item", "elsewhere", "cup-1")
    plot.did(60, "view_item", "long-ago", "pot-1")
    [idea] = plot.ideas("price_cut")
    assert plot.whom(idea) == {"watched"}
    figures = idea.lines[0].figures
    assert (figures["before"].value, figures["now"].value) == (200.0, 150.0)


@pytest.mark.parametrize("price", [199.0, 250.0])
def test_a_hair_less_or_more_is_no_cut(plot: Plot, price: float) -> None:
    plot.items([{**ITEMS_POT, "price": price, "stock": 3.0}])
    plot.did(8, "view_item", "watched", "pot-1")
    assert plot.ideas("price_cut") == []


def test_a_second_order_is_asked_for_when_they_usually_come(plot: Plot) -> None:
    for n in range(40):
        plot.buy(97 - n % 3, f"c{n:02}")
        if n < 30:
            plot.buy(97 - n % 3 - (10 + n % 10), f"c{n:02}")
    plot.buy(14, "ripe")
    plot.buy(1, "too-early")
    plot.buy(80, "too-late")
    [idea] = plot.ideas("second_order")
    assert plot.whom(idea) == {"ripe"}
    returned = idea.lines[1].figures["share"]
    assert returned.value == pytest.approx(0.75)
    assert returned.low is not None
    assert returned.low < 0.75


def test_a_few_second_orders_tell_nothing(plot: Plot) -> None:
    for n in range(10):
        plot.buy(60, f"c{n}")
        plot.buy(50, f"c{n}")
    assert plot.ideas("second_order") == []


def test_the_best_are_thanked_where_they_stand_out(plot: Plot) -> None:
    for n in range(60):
        plot.buy(20 + n, f"c{n:02}", value=10.0)
    for n in range(6):
        for time in range(6):
            plot.buy(1 + time * 5, f"best{n}", value=300.0)
    [idea] = plot.ideas("thank")
    assert plot.whom(idea) == {f"best{n}" for n in range(6)}


def test_customers_who_are_alike_are_not_singled_out(plot: Plot) -> None:
    for n in range(80):
        plot.buy(n, f"c{n:02}", value=10.0)
    assert plot.ideas("thank") == []


@pytest.mark.parametrize(("mood", "care"), [("positive", False), ("negative", True)])
def test_a_theme_that_grows_is_joined_in_or_answered(plot: Plot, mood: str, care: bool) -> None:
    _theme(plot, "T1", "teapot")
    _theme(plot, "T2", "delivery")
    for n in range(30):
        plot.wrote(30 + n % 20, f"old{n}", "positive", "T2")
        plot.wrote(16 + n % 8, f"new{n}", mood, "T1")
        plot.did(40, "page_view", f"new{n}")
    [idea] = plot.ideas("theme")
    assert idea.subject == "T1"
    assert idea.care is care
    assert plot.whom(idea) == {f"new{n}" for n in range(30)}


def test_a_theme_that_stays_is_nothing_new(plot: Plot) -> None:
    _theme(plot, "T1", "teapot")
    for n in range(30):
        plot.wrote(30 + n % 20, f"old{n}", "positive", "T1")
        plot.wrote(1 + n % 20, f"new{n}", "positive", "T1")
    assert plot.ideas("theme") == []


def test_nothing_sensitive_is_used(plot: Plot) -> None:
    plot.items([{"item_id": "test-kit", "title": "Pregnancy test", "category": "Care",
                 "price": 100.0, "stock": 5.0}])  # fmt: skip
    view = plot.done()
    assert not view.proper("Pregnancy test")
    assert not view.proper("给未成年人")
    assert view.proper("Bracelet", "Embrace", "Orientteppich of the East")
    plot.time += timedelta(days=20)
    plot.items([{"item_id": "test-kit", "title": "Pregnancy test", "category": "Care",
                 "price": 50.0, "stock": 5.0}])  # fmt: skip
    plot.days += 20
    plot.did(4, "view_item", "watched", "test-kit")
    assert plot.ideas("price_cut") == []


def test_an_empty_shop_gives_no_idea(plot: Plot) -> None:
    view = plot.done()
    assert {name: rule.ideas(view) for name, rule in rules().items() if rule.ideas(view)} == {}


@pytest.mark.parametrize("rule", ALL)
def test_each_rule_has_its_words_in_both_languages(rule: str) -> None:
    for lang in LANGUAGES:
        for name in ("called", "title", "what", "risk", "silent"):
            assert texts(lang)[f"{rule}.{name}"]
    assert texts("en").keys() == texts("zh").keys()
