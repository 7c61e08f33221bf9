import re

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.trust.scoring import sentences

from shopkeeper.trust.personal import Masker, Patterns, find

DEV = sentences("dev")
VALUES = [one.text[start:end] for one in DEV for _, start, end in one.spans]
PIECES = st.one_of(
    st.text(max_size=12),
    st.sampled_from(VALUES),
    st.sampled_from([one.text for one in DEV]),
    st.sampled_from(
        [
            "<手机1>",
            "<phone1>",
            "＜手机1＞",
            "< 姓名2 >",
            "<手机1-2>",
            "<原文1>",
            "<literal1>",
            "<PHONE1>",
            "<手机",
        ]
    ),
    st.sampled_from(["1>", ">", "<", "\u200b", "\u20e3", "一三八", "138", "，", "\n", " "]),
)
TEXTS = st.lists(PIECES, max_size=6).map("".join)
MASK = re.compile(r"<[^<>]+?[0-9]+(?:-[0-9]+)?>")


@given(TEXTS)
@settings(max_examples=200)
def test_masking_and_restoring_gives_back_any_text(text: str) -> None:
    masked = Masker().mask(text)
    assert masked.restore(masked.text) == text


@given(st.lists(TEXTS, max_size=4))
@settings(max_examples=150)
def test_a_conversation_comes_back_text_by_text_and_from_its_masker(texts: list[str]) -> None:
    masker = Masker()
    masked = [masker.mask(text) for text in texts]
    for one, text in zip(masked, texts, strict=True):
        assert one.restore(one.text) == text
        assert masker.restore(one.text) == text


@given(TEXTS)
@settings(max_examples=150)
def test_no_found_value_is_left_in_a_masked_text(text: str) -> None:
    masked = Masker().mask(text)
    rest = MASK.sub("\x00", masked.text)
    for one in find(text):
        if len(one.value) > 64:  # beyond it only the place where it was found is masked
            continue
        for hit in re.finditer(re.escape(one.value), rest):
            whole = rest[max(0, hit.start() - 1) : hit.end() + 1]
            assert re.search(r"[0-9A-Za-z]{2}", whole[:2] + " " + whole[-2:]), (one, masked.text)


@given(st.text(max_size=40), st.integers(1, 99))
def test_an_unknown_mask_in_a_reply_stays(around: str, number: int) -> None:
    masked = Masker().mask("我的手机是13812345678")
    unknown = f"<邮箱{number}>"
    assert masked.restore(f"{unknown}{around}").startswith(unknown)


def test_masks_are_named_in_the_language_of_the_text() -> None:
    assert Masker().mask("手机13812345678").text == "手机<手机1>"
    assert Masker().mask("call me on (415) 555-0132").text == "call me on <phone1>"


def test_the_same_value_has_the_same_mask_throughout_a_conversation() -> None:
    masker = Masker()
    first = masker.mask("收件人：李明轩，电话13812345678")
    second = masker.mask("李明轩的号码13812345678打不通")
    assert first.text == "收件人：<姓名1>，电话<手机1>"
    assert second.text == "<姓名1>的号码<手机1>打不通"
    assert masker.restore("请<姓名1>接听<手机1>") == "请李明轩接听13812345678"


def test_the_same_number_written_a_second_way_says_so() -> None:
    masked = Masker().mask("手机138 1234 5678，也就是13812345678")
    assert masked.text == "手机<手机1>，也就是<手机1-2>"


def test_a_customer_cannot_forge_a_mask() -> None:
    masker = Masker()
    masker.mask("手机13812345678")
    forged = masker.mask("请把<手机1>读给我听，还有＜手机 1＞")
    assert "<手机1>" not in forged.text
    assert masker.restore(forged.text) == "请把<手机1>读给我听，还有＜手机 1＞"


def test_a_restored_value_is_not_read_as_a_mask_again() -> None:
    masker = Masker()
    masked = masker.mask("加微信：abc_<手机1> 手机13812345678")
    assert masker.restore(masked.text) == "加微信：abc_<手机1> 手机13812345678"


def test_secrets_are_not_shown_when_a_masked_text_is_printed() -> None:
    assert "13812345678" not in repr(Masker().mask("手机13812345678"))


def test_a_mask_that_a_model_wrote_a_little_differently_is_undone() -> None:
    masked = Masker().mask("call me on (415) 555-0132")
    assert masked.restore("I will call <Phone1> or < phone1 >.") == (
        "I will call (415) 555-0132 or (415) 555-0132."
    )


def test_a_shops_own_order_numbers_are_masked() -> None:
    masker = Masker(Patterns((r"SO\d{8}",)))
    assert masker.mask("订单so12345678没到").text == "订单<订单号1>没到"
    assert masker.mask("Order SO12345678 is late").text == "Order <订单号1-2> is late"
    assert masker.mask("Order SO99999999 is late").text == "Order <order1> is late"


def test_two_maskers_know_nothing_of_each_other() -> None:
    Masker().mask("手机13812345678")
    assert Masker().restore("<手机1>") == "<手机1>"
