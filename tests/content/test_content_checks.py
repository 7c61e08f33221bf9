"""What the checks say of words: facts, prices, law, personal data, variables, length, pages."""

from __future__ import annotations

from typing import Any

import pytest
from tests.content.conftest import TEXT

from shopkeeper.content.operations import check
from shopkeeper.content.types import Check
from shopkeeper.core.errors import BadInput, NotFound
from shopkeeper.shop import Shop

END = " Unsubscribe: {{ unsubscribe_url }}"


def codes(shop: Shop, text: str, lang: str = "en", **more: Any) -> dict[str, Check]:
    part = {"subject": "Hello", "text": text + END}
    about = {"channel": "email", "item_ids": ("tea",)} | more
    found = check(shop, {lang: part}, **about)  # type: ignore[dict-item]
    return {one.code: one for one in found.checks}


def test_good_words_pass_and_rest_on_the_facts_they_say(stall: Shop) -> None:
    found = check(stall, {"en": {"subject": "{{ item.title }}", "text": TEXT}}, item_ids=("tea",))  # type: ignore[dict-item]
    assert found.ready
    assert {(f.name, f.value) for f in found.facts} == {
        ("title", "Spring tea"),
        ("price", "99.00 CNY"),
    }


@pytest.mark.parametrize(
    ("text", "code", "verdict"),
    [
        ("Now for ¥99.", "price", "allowed"),
        ("Now for ¥89.", "price_differs", "block"),
        ("Now for 1,099 yuan.", "price_differs", "block"),
        ("Now 30% off at ¥89.", "price_differs", "block"),
        ("List price ¥129.", "price_claim", "needs_evidence"),
        ("Save ¥10 today.", "price_claim", "needs_evidence"),
        ("30% off this week.", "price_claim", "needs_evidence"),
        ("Only 12 left.", "stock", "allowed"),
        ("Only 3 left.", "stock_differs", "block"),
        ("A bag of 250 g.", "fact", "allowed"),
        ("A bag of 300 g.", "fact_differs", "block"),
        ("Origin: Hangzhou.", "fact", "allowed"),
        ("Origin: Ceylon.", "fact_differs", "block"),
        ("98% of customers come again.", "number", "needs_evidence"),
        ("The best tea in the world.", "absolute_term", "block"),
        ("Best-selling in 2024 by market sales.", "absolute_term", "needs_evidence"),
        ("Write to ann.lee@example.com.", "personal_data", "needs_evidence"),
        ("Card number 4111 1111 1111 1111.", "personal_data", "block"),
        ("Your {{ customer.email }}.", "personal_variable", "block"),
        ("Dear {{ customer.name }}.", "no_fall_back", "block"),
        ("{{ item.colour }}", "no_such_fact", "block"),
        ("{{ shop.nam }}", "unknown_variable", "block"),
        ("{{ item2.title }}", "no_such_fact", "block"),
    ],
)
def test_a_claim_is_blocked_needs_a_proof_or_is_allowed(
    stall: Shop, text: str, code: str, verdict: str
) -> None:
    found = codes(stall, text)
    assert code in found, found
    assert found[code].verdict == verdict


@pytest.mark.parametrize(
    ("text", "code", "verdict"),
    [
        ("现价99元。", "price", "allowed"),
        ("现价89元。", "price_differs", "block"),
        ("原价129元。", "price_claim", "needs_evidence"),
        ("满200减30元。", "price_claim", "needs_evidence"),
        ("全场8折。", "price_claim", "needs_evidence"),
        ("仅剩12件。", "stock", "allowed"),
        ("仅剩2件。", "stock_differs", "block"),
        ("产地：杭州。", "fact", "allowed"),
        ("产地：云南。", "fact_differs", "block"),
        ("全国最好的茶。", "absolute_term", "block"),
        ("身份证号11010519491231002X。", "personal_data", "block"),
    ],
)
def test_so_in_chinese(stall: Shop, text: str, code: str, verdict: str) -> None:
    found = codes(stall, text, "zh")
    assert code in found, found
    assert found[code].verdict == verdict


@pytest.mark.parametrize(
    "text",
    ["最近天气转凉，最后三天，24小时内发货。", "第一次购物的朋友，周一到周五9:00-18:00为您服务。"],
)
def test_plain_words_are_left_alone(stall: Shop, text: str) -> None:
    assert codes(stall, text, "zh") == {}


def test_stock_that_is_gone_is_not_said_to_be_there(tea: Shop) -> None:
    tea.catalogue.set_stock({"tea": 0})
    assert codes(tea, "Back in stock.")["out_of_stock"].verdict == "block"


def test_a_proof_covers_exactly_what_it_quotes(stall: Shop) -> None:
    text = "Best-selling in 2024 by market sales. Best-selling in 2025 by market sales."
    proof = {"quote": "Best-selling in 2024", "document": "Market report 2024-17"}
    part = {"subject": "Hi", "text": text + END}
    found = check(stall, {"en": part}, evidence=(proof,))  # type: ignore[dict-item, arg-type]
    assert [one.document for one in found.checks] == ["", "Market report 2024-17"]
    assert not found.ready
    blocked = {"quote": "The best tea", "document": "because I say so"}
    part = {"subject": "Hi", "text": "The best tea." + END}
    assert not check(stall, {"en": part}, evidence=(blocked,)).ready  # type: ignore[dict-item, arg-type]


def test_length_parts_and_the_way_out_are_the_channels(stall: Shop) -> None:
    found = check(stall, {"en": {"subject": "x" * 121, "text": "Hello"}})  # type: ignore[dict-item]
    assert {one.code for one in found.checks} == {"too_long", "unsubscribe_missing"}
    service = check(stall, {"en": {"subject": "Hi", "text": "Hello"}}, purpose="service")  # type: ignore[dict-item]
    assert service.ready
    bare = check(stall, {"zh": {"text": "您好"}}, channel="sms")  # type: ignore[dict-item]
    assert {one.code for one in bare.checks} == {
        "template_id_missing",
        "signature_missing",
        "unsubscribe_missing",
    }
    part = {
        "template_id": "SMS_1",
        "text": "【小满】${name}，新茶到店。拒收请回复R",
        "variables": {"name": '{{ customer.name | default: "顾客" }}'},
    }
    assert check(stall, {"zh": part}, channel="sms").ready  # type: ignore[dict-item]
    extra = part | {"variables": {"name": "x", "more": "y"}}
    codes_ = {one.code for one in check(stall, {"zh": extra}, channel="sms").checks}  # type: ignore[dict-item]
    assert codes_ == {"variable_not_in_wording"}


@pytest.mark.parametrize(
    "page",
    [
        "<script>alert(1)</script>",
        '<p onclick="x()">a</p>',
        '<a href="javascript:alert(1)">a</a>',
        '<a href="java\nscript:alert(1)">a</a>',
        "<a href=\"https://x/?n={{ customer.name | default: 'x' }}\">a</a>",
        "<p style=\"color:{{ customer.name | default: 'x' }}\">a</p>",
        "<{{ customer.name | default: 'b' }}>a",
        "<style>{{ shop.name }}</style>",
        "<iframe src='https://x'></iframe>",
        "<form action='https://x'></form>",
        "<img src='data:text/html,x'>",
        "<!--[if mso]><p>a</p><![endif]-->",
        '<meta http-equiv="refresh" content="0">',
    ],
)
def test_a_page_holds_nothing_that_runs_and_no_variable_where_escaping_fails(
    stall: Shop, page: str
) -> None:
    part = {"subject": "Hi", "text": "Hi" + END, "html": page + "{{ unsubscribe_url }}"}
    found = check(stall, {"en": part})  # type: ignore[dict-item]
    assert "unsafe_html" in {one.code for one in found.checks}


def test_a_plain_page_is_fine(stall: Shop) -> None:
    page = (
        '<h1>{{ item.title }}</h1><p style="color:#333">Hi <b>{{ shop.name }}</b></p>'
        '<img src="https://shop.example/a.png" alt="{{ item.title }}">'
        '<a href="{{ unsubscribe_url }}">Unsubscribe</a>'
    )
    part = {"subject": "Hi", "text": "Hi" + END, "html": page}
    assert check(stall, {"en": part}, item_ids=("tea",)).ready  # type: ignore[dict-item]


def test_a_subject_with_a_line_break_is_blocked_and_what_cannot_be_read_is_refused(
    stall: Shop,
) -> None:
    part = {"subject": "Hi\r\nBcc: all@example.com", "text": "Hi" + END}
    found = check(stall, {"en": part})  # type: ignore[dict-item]
    assert "control_character" in {one.code for one in found.checks}
    with pytest.raises(BadInput) as error:
        check(stall, {"en": {"subject": "Hi", "text": "{{ ''.__class__ }}"}})  # type: ignore[dict-item]
    assert error.value.field == "parts.en.text"
    with pytest.raises(NotFound):
        check(stall, {"en": part}, item_ids=("nothing",))  # type: ignore[dict-item]
    with pytest.raises(BadInput):
        check(stall, {"en": {"text": "x" * 100_001}})  # type: ignore[dict-item]
