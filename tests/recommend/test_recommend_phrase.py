"""Titles and texts for a customer: from facts alone, whoever writes them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.stall import Row, sales, stock

from shopkeeper.core.errors import NotFound
from shopkeeper.recommend.lists import CHANNEL, PURPOSE
from shopkeeper.recommend.operations import phrase
from shopkeeper.shop import Shop
from shopkeeper.trust.claims import unsupported

CATALOGUE: list[Row] = [
    {
        "item_id": "tea",
        "title": "Spring tea",
        "brand": "Leaf",
        "category": "Food > Green tea",
        "attributes": {"origin": "Hangzhou", "grade": "A"},
    },
    {"item_id": "cup", "title": "Cup", "brand": "Clay", "attributes": {"origin": "Hangzhou"}},
    {"item_id": "fund", "kind": "fund", "title": "Growth fund", "attributes": {"risk": "R3"}},
    {"item_id": "news", "kind": "article", "title": "今日要闻", "category": "财经"},
]
FACT: Row = {
    "fact_id": "f1",
    "item_id": "tea",
    "name": "weight",
    "value": "250",
    "unit": "g",
    "source": "label",
}


def _shop(shop: Shop) -> Shop:
    stock(shop, sales([(0, "c1", "cup", 5.0), (1, "c2", "tea", 5.0)]), CATALOGUE)
    shop.catalogue.upsert_facts([FACT])
    return shop


def test_the_grammar_begins_with_what_the_customer_cares_for(shop: Shop) -> None:
    _shop(shop)
    mine = phrase(shop, "c1", "tea")
    assert mine.title == "Spring tea – Hangzhou, Leaf"
    assert mine.text == "origin: Hangzhou. From Leaf. In Green tea."
    assert (mine.by, mine.personalised) == ("grammar", True)
    assert mine.claims[0].facts == ("origin=Hangzhou",)
    assert phrase(shop, "stranger", "tea").title == "Spring tea – Leaf, Green tea"
    assert not phrase(shop, "stranger", "tea").personalised
    shop.consent.record("c1", PURPOSE, CHANNEL, "DENY", shop.now(), {"form": "account"})
    assert phrase(shop, "c1", "tea").title == phrase(shop, "stranger", "tea").title


def test_products_funds_and_articles_are_phrased_alike(shop: Shop) -> None:
    _shop(shop)
    assert phrase(shop, "c1", "fund").title == "Growth fund – R3"
    assert phrase(shop, "c1", "news", lang="zh").text == "属于财经。"
    with pytest.raises(NotFound):
        phrase(shop, "c1", "nobody")


def _model(tmp_path: Path, answer: dict[str, Any]) -> str:
    path = tmp_path / f"script{len(list(tmp_path.glob('script*')))}.json"
    path.write_text(json.dumps({"rule": [{"reply": json.dumps(answer)}]}), "utf-8")
    return f"scripted:{path}"


def test_a_models_words_are_taken_when_each_claim_has_its_fact(shop: Shop, tmp_path: Path) -> None:
    answer = {
        "title": "Spring tea from Hangzhou",
        "sentences": [{"text": "A green tea of the brand Leaf.", "facts": [1, 2]}],
    }
    reply = phrase(_shop(shop), "stranger", "tea", model=_model(tmp_path, answer))
    assert reply.by == "grammar"  # Hangzhou is no fact that was told to it: three were
    assert "hangzhou" in reply.why
    answer["title"] = "Spring tea by Leaf"
    reply = phrase(shop, "stranger", "tea", model=_model(tmp_path, answer))
    assert reply.by.startswith("scripted:")
    assert reply.text == "A green tea of the brand Leaf."
    assert reply.claims[0].facts == ("brand=Leaf", "category=Green tea")


def test_a_models_invention_is_refused_and_named(shop: Shop, tmp_path: Path) -> None:
    answer = {
        "title": "The best spring tea",
        "sentences": [{"text": "Leaf cures colds in 3 days.", "facts": [1]}],
    }
    reply = phrase(_shop(shop), "stranger", "tea", model=_model(tmp_path, answer))
    assert reply.by == "grammar"
    for word in ("best", "cure", "cold", "3"):
        assert word in reply.why
    assert reply.title == "Spring tea – Leaf, Green tea"


@pytest.mark.parametrize(
    ("text", "facts", "bad"),
    [
        ("From Leaf, 250 g.", ["brand Leaf", "weight 250 g"], []),
        ("From Leaf, 300 g.", ["brand Leaf", "weight 250 g"], ["300"]),
        ("来自龙井村的绿茶", ["产地 龙井村", "类别 绿茶"], []),
        ("全国第一的绿茶", ["类别 绿茶"], ["全国第一的绿茶"]),
        ("这款绿茶包治百病", ["类别 绿茶"], ["包治百病"]),
        ("这是绿茶，净含量５００克", ["类别 绿茶", "净含量 500克"], []),
        ("这是绿茶，净含量600克", ["类别 绿茶", "净含量 500克"], ["600"]),
        ("Guaranteed returns of 8%", ["risk R3"], ["guaranteed", "returns", "8"]),
    ],
)
def test_what_no_fact_says_is_found(text: str, facts: list[str], bad: list[str]) -> None:
    assert unsupported(text, facts) == bad
