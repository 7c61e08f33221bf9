"""Scenario files are read strictly: every mistake is named, with what to do."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shopkeeper.core.errors import BadInput, NotFound, ShopkeeperError, UnknownName
from shopkeeper.simulate import scenario as scenarios
from shopkeeper.simulate.calendar import _black_friday, festivity
from shopkeeper.simulate.kinds import KINDS
from shopkeeper.simulate.scenario import load, parse


def happening(**values: object) -> str:
    lines = ["first_day = 2024-01-01", "days = 100", "[[happening]]"]
    return "\n".join([*lines, *(f"{key} = {value}" for key, value in values.items())])


@pytest.mark.parametrize("name", ["quiet", "default", "eventful"])
def test_a_shipped_scenario_is_valid(name: str) -> None:
    scenario = load(name)
    assert scenario.name == name
    assert scenario.description
    assert (scenario.events, scenario.customers, scenario.days) == (200_000, 5_000, 365)


def test_the_eventful_scenario_has_every_kind() -> None:
    assert {h.kind for h in load("eventful").happenings} == set(KINDS)


def test_customers_follow_a_size_given_at_the_call() -> None:
    scenario = load("default", size=1_000_000)
    assert (scenario.events, scenario.customers) == (1_000_000, 25_000)


def test_an_end_left_out_is_the_last_day() -> None:
    text = happening(kind='"price_rise"', category='"tea"', size=0.2, start="2024-02-01")
    assert parse(text).happenings[0].end == date(2024, 4, 9)


def test_a_category_may_be_named_in_chinese_english_or_by_key() -> None:
    meant = [
        parse(happening(kind='"price_rise"', category=f'"{c}"', size=0.2, start="2024-02-01"))
        for c in ("tea", "茶与咖啡", "Tea & Coffee")
    ]
    assert meant[0] == meant[1] == meant[2]
    assert all(item.startswith("tea-") for item in meant[0].happenings[0].items)


def test_a_size_left_out_is_all_of_it_where_that_makes_sense() -> None:
    text = happening(kind='"stock_out"', item='"tea-01"', start="2024-02-01")
    assert parse(text).happenings[0].size == 1.0


START = "2024-02-01"
WRONG = [
    ('kind = "price_raise"\n', UnknownName, "Did you mean 'price_rise'?"),
    (f'kind = "price_rise"\nitem = "tea-99"\nsize = 0.1\nstart = {START}', UnknownName, "tea-"),
    (
        f'kind = "price_rise"\ncategory = "kitchn"\nsize = 0.1\nstart = {START}',
        UnknownName,
        "kitchen",
    ),
    (f'kind = "price_rise"\nsize = 0.1\nstart = {START}', BadInput, "item, category, brand"),
    (
        'kind = "campaign"\nsize = 0.5\nstart = 2023-12-31',
        BadInput,
        "within 2024-01-01 to 2024-04-09",
    ),
    ('kind = "campaign"\nsize = 0.5\nstart = 2024-04-10', BadInput, "within"),
    (
        f'kind = "campaign"\nsize = 0.5\nstart = {START}\nend = 2024-01-02',
        BadInput,
        "before it starts",
    ),
    (f'kind = "campaign"\nsize = -0.5\nstart = {START}', BadInput, "from 0.05 to 10"),
    (f'kind = "campaign"\nsize = "big"\nstart = {START}', BadInput, "a number"),
    (f'kind = "campaign"\nsize = nan\nstart = {START}', BadInput, "a number"),
    (f'kind = "campaign"\nstart = {START}', BadInput, "has no 'size'"),
    ('kind = "campaign"\nsize = 0.5', BadInput, "has no 'start'"),
    (f'kind = "campaign"\nsize = 0.5\nstart = {START}\nitm = 3', UnknownName, "itm"),
    (
        f'kind = "campaign"\nsize = 0.5\nstart = {START}\nitem = "tea-01"',
        BadInput,
        "does not apply",
    ),
    (f'kind = "campaign"\nsize = 0.5\nstart = {START}\ncountry = "XX"', UnknownName, "CN"),
    (f'kind = "campaign"\nsize = 0.5\nstart = {START}\ncountry = []', BadInput, "list of names"),
    ('kind = "campaign"\nsize = 0.5\nstart = 2024-02-01T10:00:00', BadInput, "without a time"),
    ('kind = "campaign"\nsize = 0.5\nstart = "1 Feb"', BadInput, "a day such as"),
    (
        f'kind = "quality_defect"\nitem = "tea-01"\naspect = "battery"\nsize = 0.2\nstart = {START}',
        UnknownName,
        "taste",
    ),
    ("size = 1", BadInput, "has no 'kind'"),
    (f'kind = "viral"\nitem = "tea-39"\nsize = 5\nstart = {START}', BadInput, "Plant a new_launch"),
]


@pytest.mark.parametrize(("text", "error", "says"), WRONG)
def test_a_wrong_happening_is_refused_and_named(
    text: str, error: type[ShopkeeperError], says: str
) -> None:
    with pytest.raises(error) as caught:
        parse("first_day = 2024-01-01\ndays = 100\n[[happening]]\n" + text)
    assert says in str(caught.value)
    assert caught.value.hint


WRONG_HEADS = [
    ("day = 3", "Did you mean 'days'?"),
    ("days = 3", "from 7 to 1,830"),
    ("days = 10.5", "whole number"),
    ("customers = true", "whole number"),
    ("events = 10", "from 1,000"),
    ("first_day = 1999-01-01", "within"),
    ('time_zone = "Asia/Shanghay"', "Asia/Shanghai"),
    ('currency = "XXX"', "Known: "),
    ("languages = {fr = 1}", "en, zh"),
    ("languages = {zh = -1}", "0 or more"),
    ("languages = {zh = 0}", "above 0"),
    ("visitors = 0.95", "from 0 to 0.9"),
    ("happening = 3", "not a list of tables"),
    ("x = ", "not valid TOML"),
]


@pytest.mark.parametrize(("text", "says"), WRONG_HEADS)
def test_a_wrong_setting_is_refused_and_named(text: str, says: str) -> None:
    with pytest.raises(BadInput) as caught:
        parse(text)
    assert says in str(caught.value)


def test_an_unknown_scenario_is_named_with_one_that_is_near() -> None:
    with pytest.raises(UnknownName, match="Did you mean 'default'"):
        load("defualt")
    with pytest.raises(NotFound, match="no scenario file"):
        load("/nowhere/mine.toml")


def test_a_file_in_another_encoding_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_bytes('name = "秋天"'.encode("gb18030"))
    with pytest.raises(BadInput, match="not UTF-8"):
        load(path)


def test_a_file_of_ones_own_is_read(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('name = "秋天"\nevents = 4000', "utf-8")
    assert (load(path).name, load(path).customers) == ("秋天", 100)
    assert scenarios.text(path).startswith("name")


@given(st.text(max_size=200))
def test_any_text_is_a_scenario_or_a_named_mistake(text: str) -> None:
    try:
        parse(text)
    except ShopkeeperError as error:
        assert error.message  # noqa: PT017 - the other branch is as good


def test_festivals_fall_on_their_days() -> None:
    assert _black_friday(2024) == date(2024, 11, 29)
    assert _black_friday(2026) == date(2026, 11, 27)
    assert festivity(date(2024, 11, 11), "east").visits > 2
    assert festivity(date(2024, 11, 11), "west").visits == 1
    assert festivity(date(2025, 1, 29), "east").visits < 1


def test_a_brand_means_its_items_by_either_name_or_both() -> None:
    meant = [
        parse(happening(kind='"viral"', brand=f'"{b}"', size=2, start="2024-02-01"))
        for b in ("听屿", "Tingyu", "听屿 Tingyu")
    ]
    assert meant[0] == meant[1] == meant[2]
    assert "tech-01" in meant[0].happenings[0].items


def test_the_page_about_scenarios_names_every_kind_and_its_bounds() -> None:
    page = (Path(__file__).parents[2] / "docs" / "simulate.md").read_text("utf-8")
    for kind in KINDS.values():
        assert f"| `{kind.name}` |" in page
        assert f"{kind.low:g} to {kind.high:g}" in page
