"""No text takes longer than its length allows, however hostile."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.trust.scoring import sentences

from shopkeeper.trust.personal import Masker, find

UNITS = [
    "1",
    "0",
    "12 ",
    "138 ",
    "1-",
    "1.",
    "4111 ",
    "6222-",
    "一三八",
    "a",
    "a.",
    "a@",
    "@",
    "a at ",
    "a dot ",
    "a@a.",
    "A1",
    "A ",
    "John ",
    "Dear ",
    "Mr. A",
    "my name is ",
    "Best,\n",
    "name: ",
    "Apt 1, ",
    "12 A ",
    "12 Elm ",
    "1 Rue de ",
    "PO Box 1 ",
    "A, ",
    "姓名",
    "收件人",
    "收件人：",
    "我叫张",
    "张",
    "张三",
    "欧阳",
    "先生",
    "王先生",
    "客服小王",
    "·",
    "阿·",
    "路",
    "1号",
    "村1组",
    "省市区县",
    "张路1号",
    "小区",
    "北京市",
    "，",
    "微信",
    "微信：",
    "加v",
    "vx",
    "微信is ",
    "QQ",
    "QQ:",
    "扣",
    "::",
    "1:",
    "ab:",
    "1.1.1.",
    "E1",
    "护照",
    "护照E1234567 ",
    "京A",
    "京A1",
    "GB82 ",
    "GB82W",
    "driver's license no ",
    "档案编号",
    "SSN ",
    "AB12",
    "(415) ",
    "+1 ",
    "+86-",
    "010-",
    "订单",
    "订单号:",
    "order no ",
    "<手机1>",
    "<",
    "<手机",
    "\u200b",
    "１",
    "①",
    "O",
    "13O",
    "卡号",
    "银行账号",
]


@pytest.mark.parametrize("unit", UNITS, ids=range(len(UNITS)))
def test_a_unit_repeated_takes_time_in_proportion(unit: str) -> None:
    short, long = (unit * (size // len(unit) + 1) for size in (2_000, 16_000))
    assert _least(long[:16_000], of=3) < max(0.5, 8 * 4 * _least(short[:2_000], of=3))


@given(st.lists(st.sampled_from(UNITS), min_size=2, max_size=5), st.text(max_size=3))
@settings(max_examples=60)
def test_units_together_take_time_in_proportion(units: list[str], end: str) -> None:
    text = "".join(units)
    assert _least((text * (8_000 // len(text)))[:8_000] + end, of=3) < 1


@pytest.mark.parametrize(
    ("length", "seconds"), [(200_000, 6), pytest.param(1_000_000, 30, marks=pytest.mark.slow)]
)
def test_a_long_text_full_of_values_is_masked_in_seconds(length: int, seconds: float) -> None:
    text = "\n".join(one.text for one in sentences("dev"))
    text = (text * (length // len(text) + 1))[:length]
    started = time.process_time()
    masked = Masker().mask(text)
    assert time.process_time() - started < seconds
    assert masked.restore(masked.text) == text


def _least(text: str, of: int) -> float:
    """CPU seconds of the quickest of some tries: a slow one may have paid for the process around it."""
    quickest = float("inf")
    for _ in range(of):
        started = time.thread_time()
        find(text)
        quickest = min(quickest, time.thread_time() - started)
    return quickest
