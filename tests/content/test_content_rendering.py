"""Letters for customers: filled in, escaped, in their language, and only while the facts hold."""

from __future__ import annotations

from typing import Any

from tests.content.conftest import PARTS, TEXT, Approve, person

from shopkeeper.contact.channels.base import plug
from shopkeeper.contact.enqueueing import content_of
from shopkeeper.content.operations import preview
from shopkeeper.content.rendering import Rendered, letters, still_true
from shopkeeper.shop import Shop

BOTH: dict[str, dict[str, Any]] = {
    **PARTS,
    "zh": {
        "subject": "{{ item.title }}到店",
        "text": '{{ customer.name | default: "顾客" }}您好，{{ item.title }}。退订：{{ unsubscribe_url }}',
        "html": '<p>{{ customer.name | default: "顾客" }}</p><a href="{{ unsubscribe_url }}">退订</a>',
    },
}


def one(shop: Shop, version: Any, customer_id: str) -> Rendered:
    return next(letters(shop, version, [customer_id]))


def test_each_reads_it_in_their_language_with_their_name(tea: Shop, make: Approve) -> None:
    version = make(BOTH)
    found = list(letters(tea, version, ["C3", "C1", "C2", "nobody"]))
    assert [r.customer_id for r in found] == ["C3", "C1", "C2", "nobody"]
    assert [r.language for r in found] == ["en", "en", "zh", "en"]
    english = found[1].content or {}
    assert english["text"].startswith(
        "Dear Ann Lee, Spring tea costs ¥99. Unsubscribe: {{unsubscribe_url}}"
    )
    chinese = found[2].content or {}
    assert chinese["html"] == '<p>小明</p><a href="{{unsubscribe_url}}">退订</a>'
    assert (found[0].content or {})["text"].startswith("Dear customer,")
    for rendered in found:
        content_of(plug("email"), rendered.content or {})
        assert rendered.facts == version.facts


def test_a_name_carries_no_script_header_link_or_variable(tea: Shop, make: Approve) -> None:
    version = make(
        {
            "en": {
                "subject": 'Hi {{ customer.name | default: "you" }}',
                "text": TEXT,
                "html": '<p>{{ customer.name | default: "you" }}</p>{{ unsubscribe_url }}',
            }
        }
    )
    hostile = {
        "<script>alert(1)</script>": ("&lt;script&gt;alert(1)&lt;/script&gt;", None),
        "Ann\r\nBcc: all@x.y": ("Ann Bcc: all@x.y", "Hi Ann Bcc: all@x.y"),
        "Win at https://evil.example": ("you", "Hi you"),
        "visit evil.com now": ("you", "Hi you"),
        "{{unsubscribe_url}}": ("{ {unsubscribe_url} }", "Hi { {unsubscribe_url} }"),
        "x" * 500: ("you", "Hi you"),
        "\u202eevil": ("evil", "Hi evil"),
    }
    for name, (in_page, in_subject) in hostile.items():
        tea.people.upsert([{"customer_id": "H", "traits": {"name": name}}])
        content = one(tea, version, "H").content or {}
        assert f"<p>{in_page}</p>" in content["html"]
        assert in_subject is None or content["subject"] == in_subject
        content_of(plug("email"), content)


def test_a_fact_that_changed_and_stock_that_went_stop_every_letter(
    tea: Shop, make: Approve
) -> None:
    version = make()
    assert still_true(tea, version.facts) is None
    tea.catalogue.upsert_items([{"item_id": "tea", "price": 109.0}])
    changed = one(tea, version, "C1")
    assert (changed.content, changed.problem) == (None, "fact_changed")
    assert changed.detail == "tea price: approved 99.00 CNY, now 109.00 CNY"
    altered = still_true(tea, version.facts)
    assert altered is not None
    assert (altered.value, altered.now) == ("99.00 CNY", "109.00 CNY")
    tea.catalogue.upsert_items([{"item_id": "tea", "price": 99.0, "stock": 0.0}])
    assert (one(tea, version, "C1").problem, one(tea, version, "C1").detail) == (
        "out_of_stock",
        "tea: stock 0",
    )
    tea.catalogue.set_stock({"tea": 3})
    assert one(tea, version, "C1").problem == ""
    tea.catalogue.delete_item("tea")
    assert one(tea, version, "C1").problem == "out_of_stock"


def test_a_price_written_in_words_is_a_fact_too(tea: Shop, make: Approve) -> None:
    version = make({"en": {"subject": "Hi", "text": "Now ¥99. {{ unsubscribe_url }}"}})
    tea.catalogue.upsert_items([{"item_id": "tea", "price": 98.0}])
    assert one(tea, version, "C1").problem == "fact_changed"


def test_who_refuses_profiles_gets_the_form_for_everybody(tea: Shop, make: Approve) -> None:
    text = '{{ customer.name | default: "you" }} in {{ customer.city | default: "town" }}'
    text += " {{ unsubscribe_url }}"
    version = make({"en": {"subject": "Hi", "text": text}})
    assert (one(tea, version, "C1").content or {})["text"].startswith("Ann Lee in Bath")
    tea.consent.record("C1", "personalisation", "recommend", "DENY", tea.now(), {"form": "x"})
    assert (one(tea, version, "C1").content or {})["text"].startswith("Ann Lee in town")


def test_an_approved_template_of_a_provider_carries_only_its_variables(
    tea: Shop, make: Approve
) -> None:
    part = {
        "template_id": "SMS_7",
        "text": "【小满】${name}，${title}到店，售价${price}。拒收请回复R",
        "variables": {
            "name": '{{ customer.name | default: "顾客" }}',
            "title": "{{ item.title }}",
            "price": "{{ item.price }}",
        },
    }
    version = make({"zh": part}, channel="sms")
    content = one(tea, version, "C2").content or {}
    assert content == {
        "template_id": "SMS_7",
        "variables": {"name": "小明", "title": "Spring tea", "price": "¥99"},
    }
    content_of(plug("sms"), content)
    seen = preview(tea, {"zh": part}, "sms", ("tea",), "C2").letters[0]  # type: ignore[dict-item]
    assert seen.wording == "【小满】小明，Spring tea到店，售价¥99。拒收请回复R"


def test_a_label_stands_behind_what_a_model_wrote(tea: Shop, make: Approve) -> None:
    version = make(BOTH, written_by="openai:any")
    content = one(tea, version, "C2").content or {}
    assert content["text"].rstrip().endswith("（以上内容由人工智能生成）")
    assert "（以上内容由人工智能生成）" in content["html"]


def test_a_preview_is_kept_nowhere(tea: Shop) -> None:
    before = len(tea.audit.entries().entries)
    shown = preview(person(tea, "ann"), BOTH, "email", ("tea",)).letters  # type: ignore[arg-type]
    assert [(r.language, r.reader) for r in shown] == [
        ("en", "named"), ("en", "nameless"), ("zh", "named"), ("zh", "nameless"),
    ]  # fmt: skip
    assert len(tea.audit.entries().entries) == before
    missing = preview(tea, {"en": {"text": "{{ customer.name }}"}}, "file").letters  # type: ignore[dict-item]
    assert [r.problem for r in missing] == ["", "missing_variable"]


def test_many_letters_are_made_in_pages(tea: Shop, make: Approve) -> None:
    version = make()
    ids = [f"X{n}" for n in range(4_500)]
    found = list(letters(tea, version, ids))
    assert [r.customer_id for r in found] == ids
    assert all(r.content for r in found)
