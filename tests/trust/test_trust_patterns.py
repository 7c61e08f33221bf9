import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shopkeeper.core.errors import BadInput
from shopkeeper.trust.personal import Patterns, find


@pytest.mark.parametrize(
    ("pattern", "text", "value"),
    [
        (r"SO\d{10}", "单号SO1234567890没发", "SO1234567890"),
        (r"(SO|RT)\d{8}", "退货RT00112233已收", "RT00112233"),
        (r"20\d{6}-\d{4,6}", "订单20231122-00187", "20231122-00187"),
        (r"#?[A-Z]{2}-\d{6}", "order #SK-884213", "#SK-884213"),
        (r"订单\d{6}", "我的订单884213呢", "订单884213"),
        (r"SO\d{6}(?:-\d)?", "SO123456-1 and more", "SO123456-1"),
    ],
)
def test_a_shops_own_pattern_finds_its_numbers(pattern: str, text: str, value: str) -> None:
    found = find(text, patterns=Patterns((pattern,)))
    assert [(one.kind, one.value) for one in found] == [("order_number", value)]


def test_a_number_inside_a_longer_one_is_not_an_order() -> None:
    patterns = Patterns((r"SO\d{6}",))
    assert find("XSO123456", patterns=patterns) == []
    assert find("SO1234567", patterns=patterns) == []


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        (r"(\d+)+X", "cannot use '+'"),
        (r"\d*SO", "cannot use '*'"),
        (r"(a|a){9}12345", "repeats a group"),
        (r"(\d{4}){3}", "repeats a group"),
        (r".{5}\d", "cannot use '.'"),
        (r"(?=1)\d{6}", "cannot use '?'"),
        (r"(\d)\1\d{6}", "cannot use"),
        (r"\d{4}", "fewer than"),
        (r"\d{0,9}", "fewer than"),
        (r"\d{70}", "more than 64"),
        (r"SO\d{5,9}\d{5,9}\d{5,9}\d{5,9}", "too many ways"),
        (r"[A-Z]{8}", "no digit"),
        (r"SO\d{9,5}", "backwards"),
        (r"SO(\d{6}", "open"),
        (r"SO\d{6})", "cannot use ')'"),
        (r"((((\d{6}))))", "nests"),
        (r"[9-0]\d{6}", "no regular expression"),
        ("S" * 300, "longer than"),
        ("", "fewer than"),
    ],
)
def test_a_pattern_that_is_slow_or_matches_everything_is_refused(pattern: str, why: str) -> None:
    with pytest.raises(BadInput) as refused:
        Patterns(("SO\\d{6}", pattern))
    assert why in refused.value.message
    assert refused.value.field == "order_numbers[1]"
    assert refused.value.hint


@given(st.text(alphabet=r"\dSO[]{}(),?|:-09A*+.^$", max_size=30))
def test_every_pattern_is_either_refused_or_fast(pattern: str) -> None:
    try:
        patterns = Patterns((pattern,))
    except BadInput:
        return
    started = time.process_time()
    list(patterns.candidates("SO0909-" * 2000))
    list(patterns.candidates("0" * 10_000))
    assert time.process_time() - started < 2
