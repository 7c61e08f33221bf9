from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shopkeeper.trust.personal import find
from shopkeeper.trust.personal.finding import Candidate
from shopkeeper.trust.personal.folding import fold
from shopkeeper.trust.personal.kinds import credit_code, iban, resident_id
from shopkeeper.trust.personal.numbers import luhn
from shopkeeper.trust.personal.overlaps import resolve
from shopkeeper.trust.personal.recogniser import recognisers
from shopkeeper.trust.personal.regions import is_region

RESIDENT = "11010519491231002X"  # the example of GB 11643
CARD = "4111111111111111"
ACCOUNT = "GB29NWBK60161331926819"  # the example of ISO 13616


def kinds(text: str) -> list[tuple[str, str]]:
    return [(one.kind, one.value) for one in find(text)]


def test_the_checksums_accept_the_examples_of_their_standards() -> None:
    assert resident_id.checks(RESIDENT)
    assert luhn(CARD)
    assert iban.checks(ACCOUNT)
    assert credit_code.checks("91350100M000100Y43")  # GB 32100


@given(st.integers(0, 17), st.sampled_from("0123456789"))
def test_one_wrong_digit_breaks_an_identity_number(at: int, digit: str) -> None:
    wrong = RESIDENT[:at] + digit + RESIDENT[at + 1 :]
    assert resident_id.checks(wrong) == (wrong == RESIDENT)


@given(st.integers(0, 15), st.sampled_from("0123456789"))
def test_one_wrong_digit_breaks_a_card_number(at: int, digit: str) -> None:
    wrong = CARD[:at] + digit + CARD[at + 1 :]
    assert luhn(wrong) == (wrong == CARD)


@given(st.integers(8, 21), st.sampled_from("0123456789"))
def test_one_wrong_digit_breaks_an_account_number(at: int, digit: str) -> None:
    wrong = ACCOUNT[:at] + digit + ACCOUNT[at + 1 :]
    assert iban.checks(wrong) == (wrong == ACCOUNT)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f"身份证{RESIDENT}", [("resident_id", RESIDENT)]),
        ("身份证11010519491331002X", []),  # there is no thirteenth month
        ("身份证99010519491231002X", []),  # nor such a province
        ("流水号110105194912310021", []),
        ("税号91350100M000100Y43", [("credit_code", "91350100M000100Y43")]),
        ("税号91350100M000100Y44", []),
        ("iban gb29nwbk60161331926819", [("iban", "gb29nwbk60161331926819")]),
        ("HKID A123456(3)", [("resident_id", "A123456(3)")]),
        ("HKID A123456(4)", []),
        ("身分證A123456789", [("resident_id", "A123456789")]),
        ("身分證A123456788", []),
    ],
)
def test_what_a_checksum_decides(text: str, found: list[tuple[str, str]]) -> None:
    assert kinds(text) == found


@pytest.mark.parametrize(
    "written",
    [
        "13812345678",
        "138 1234 5678",
        "138-1234-5678",
        "１３８１２３４５６７８",
        "138\u200b1234\u200d5678",
        "1️⃣3️⃣8️⃣1️⃣2️⃣3️⃣4️⃣5️⃣6️⃣7️⃣8️⃣",
        "一三八一二三四五六七八",
        "壹叁捌壹贰叁肆伍陆柒捌",
        "①③⑧①②③④⑤⑥⑦⑧",
        "𝟏𝟑𝟖𝟏𝟐𝟑𝟒𝟓𝟔𝟕𝟖",
        "+86 138 1234 5678",
        "1 3 8 1 2 3 4 5 6 7 8",
        "٠٠٨٦13812345678",
    ],
)
def test_a_telephone_number_is_found_however_it_is_spelled(written: str) -> None:
    (found,) = find(f"电话：{written}。")
    assert found.kind == "phone"
    assert found.value == written


def test_the_end_of_a_name_is_not_read_as_the_start_of_a_number() -> None:
    assert kinds("张三13812345678") == [("name", "张三"), ("phone", "13812345678")]


@pytest.mark.parametrize(
    "text",
    [
        "订单号13812345678901",
        "订单编号：15800123456",
        "运单号YT1381234567890",
        "https://example.com/13812345678.html",
        "iPhone 13 128GB 1399元",
        "2023-11-22 13:58:12",
        "ISBN 9787302511625",
        "客服热线400-820-8820",
        "比分13-8",
        "138****5678",
        "价格13812345678元",
    ],
)
def test_what_resembles_a_telephone_number_is_none(text: str) -> None:
    assert kinds(text) == []


def test_findings_are_in_order_apart_and_quote_the_text() -> None:
    text = "收件人：王小二\u200b，电话１３８1234５678，地址：杭州市文三路３９８号12楼，邮箱a@b.cn"
    last = 0
    for one in find(text):
        assert last <= one.start < one.end
        assert text[one.start : one.end] == one.value
        assert 0 < one.confidence <= 1
        last = one.end
    assert [one.kind for one in find(text)] == ["name", "phone", "address", "email"]


@given(st.text())
def test_any_text_can_be_searched(text: str) -> None:
    last = 0
    for one in find(text):
        assert last <= one.start < one.end <= len(text)
        assert text[one.start : one.end] == one.value
        last = one.end


@given(st.text())
def test_a_folded_text_leads_back_to_what_was_written(text: str) -> None:
    folded = fold(text)
    for at in range(len(folded.text)):
        start, end = folded.span(at, at + 1)
        assert end > start
        assert fold(text[start:end]).text == folded.text[at] or folded.text[at].isdigit()


@given(
    st.lists(
        st.builds(
            lambda start, length, sure: Candidate("name", start, start + length, sure),
            st.integers(0, 40),
            st.integers(1, 12),
            st.sampled_from([0.6, 0.8, 0.9]),
        )
    )
)
def test_of_overlapping_candidates_the_surest_stays(candidates: list[Candidate]) -> None:
    held = resolve(candidates)
    for one, other in pairwise(held):
        assert one.end <= other.start
    for one in candidates:
        rivals = [two for two in held if two.start < one.end and one.start < two.end]
        assert any(two.confidence >= one.confidence for two in rivals)


def test_every_recogniser_names_its_kind_in_both_languages() -> None:
    names: dict[str, set[tuple[str, str]]] = {}
    for one in recognisers():
        names.setdefault(one.kind, set()).add((one.zh, one.en))
    assert all(len(labels) == 1 for labels in names.values())
    labels = [label for (pair,) in names.values() for label in pair]
    assert len(labels) == len(set(labels))


@pytest.mark.parametrize(
    ("code", "known"), [("110105", True), ("830000", True), ("441900", True), ("990101", False)]
)
def test_regions_by_their_code(code: str, known: bool) -> None:
    assert is_region(code) is known


def test_a_name_that_was_said_once_is_found_again_without_the_words_around() -> None:
    found = kinds("我叫李明轩，请查一下李明轩的快递")
    assert found == [("name", "李明轩"), ("name", "李明轩")]
    assert kinds("My name is Mark. Mark the box, please") == [("name", "Mark")]
