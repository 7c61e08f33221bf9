"""The authored catalogue is complete in both languages, and so are the words of the texts."""

from __future__ import annotations

from collections import Counter

from shopkeeper.core.text import language
from shopkeeper.simulate.grammar import check_words, grammar
from shopkeeper.simulate.products import STYLES, catalogue, fact_names
from shopkeeper.simulate.scenario import Scenario
from shopkeeper.simulate.world import World


def test_two_hundred_products_in_six_categories() -> None:
    products = catalogue().products
    counts = Counter(p.category for p in products)
    assert len(products) >= 200
    assert len(counts) == 6
    assert min(counts.values()) >= 30
    assert len({p.item_id for p in products}) == len(products)


def test_titles_and_descriptions_stand_in_both_languages_and_differ() -> None:
    products = catalogue().products
    for product in products:
        for texts in (product.titles, product.descriptions):
            assert language(texts["zh"]) == "zh", texts
            assert language(texts["en"]) == "en", texts
    for key in ("zh", "en"):
        assert len({p.titles[key] for p in products}) == len(products)
        assert len({p.descriptions[key] for p in products}) == len(products)


def test_every_product_has_three_to_six_facts_with_a_source() -> None:
    for product in catalogue().products:
        assert 3 <= len(product.facts) <= 6, product.item_id
        assert len({fact.name for fact in product.facts}) == len(product.facts)
        for fact in product.facts:
            assert fact.zh
            assert fact.en
            assert fact.source
            assert fact.name in fact_names()


def test_prices_cover_costs_and_stock_is_there() -> None:
    for product in catalogue().products:
        assert product.price > product.cost > 0
        assert product.stock > 0
        assert product.style in STYLES


def test_every_product_has_an_aspect_of_its_own() -> None:
    listed = catalogue()
    assert all(listed.own_aspects(n) for n in range(len(listed.products)))


def test_prices_still_cover_costs_in_another_currency() -> None:
    for item in World(Scenario(events=2_000, customers=100, days=30, currency="GBP"), 1).items():
        assert item["price"] > item["cost"] > 0
        assert item["currency"] == "GBP"


def test_items_carry_the_other_language_as_attributes() -> None:
    for main, other in (("zh", "en"), ("en", "zh")):
        world = World(Scenario(events=2_000, customers=100, days=30, language=main), 1)
        for item in world.items():
            assert language(item["title"]) == item["language"] == main
            assert language(item["attributes"][f"title_{other}"]) == other
            assert " > " in item["category"]


def test_fact_ids_are_unique_and_name_items_that_exist() -> None:
    world = World(Scenario(events=2_000, customers=100, days=30), 1)
    facts = list(world.facts())
    assert len({fact["fact_id"] for fact in facts}) == len(facts)
    assert {fact["item_id"] for fact in facts} == {item["item_id"] for item in world.items()}


def test_both_languages_have_words_for_every_aspect() -> None:
    check_words()
    for code in ("zh", "en"):
        for ways in grammar(code).aspects.values():
            assert min(len(ways["good"]), len(ways["bad"])) >= 3
