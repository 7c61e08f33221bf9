import pytest
from hypothesis import given
from hypothesis import strategies as st

from shopkeeper.core.events import ALIASES, canonical
from shopkeeper.core.schema import TABLES
from shopkeeper.core.text import did_you_mean, language, normalise


@pytest.mark.parametrize(
    ("given_name", "ours"),
    [
        ("Order Completed", "purchase"),
        ("order_completed", "purchase"),
        ("ORDER COMPLETED", "purchase"),
        ("Product Viewed", "view_item"),
        ("addToCart", "add_to_cart"),
        ("view_item", "view_item"),
        ("领取优惠券", "领取优惠券"),
        ("Signed  Up!", "signed_up"),
    ],
)
def test_names_of_other_systems_become_ours(given_name: str, ours: str) -> None:
    assert canonical(given_name) == ours


@given(st.text(max_size=40))
def test_a_canonical_name_stays_itself(name: str) -> None:
    once = canonical(name)
    assert canonical(once) == once
    assert once == once.lower().strip("_")


def test_aliases_lead_to_names_that_are_their_own() -> None:
    assert all(canonical(name) == name for name in ALIASES.values())


def test_each_table_has_unique_lower_snake_case_columns_and_its_key() -> None:
    for table in TABLES.values():
        assert len(set(table.names)) == len(table.names)
        assert all(name == name.lower() for name in table.names)
        assert set(table.key) <= set(table.names)
        assert all(column.meaning for column in table)


def test_language_is_told_by_letters() -> None:
    assert language("这个茶很香 good") == "zh"
    assert language("great tea") == "en"
    assert language("12:30 !!") is None
    assert normalise("Ａ  b\n") == "A b"
    assert did_you_mean("purchse", ["purchase", "refund"]) == "purchase"
