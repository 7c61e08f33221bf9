"""Reviews and chats: varied, in the customer's language, about what really happened."""

from __future__ import annotations

from collections import Counter, defaultdict
from random import Random
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from tests.simulate.conftest import planted

from shopkeeper.core.schema import TEXTS
from shopkeeper.core.text import language
from shopkeeper.simulate.grammar import grammar
from shopkeeper.simulate.products import catalogue
from shopkeeper.simulate.reviews import Facts, review
from shopkeeper.simulate.scenario import Scenario
from shopkeeper.simulate.world import World
from shopkeeper.warehouse.arrow import arrow_schema

Row = dict[str, Any]


@pytest.fixture(scope="session")
def labels(quiet: World, quiet_texts: pa.Table) -> dict[str, Row]:
    assert quiet_texts.num_rows > 500
    return {row["text_id"]: row for row in quiet.truth().texts.to_pylist()}


@pytest.fixture(scope="session")
def texts(quiet_texts: pa.Table) -> list[Row]:
    rows: list[Row] = quiet_texts.to_pylist()
    return rows


def test_texts_have_the_schema_and_unique_ids(quiet_texts: pa.Table, texts: list[Row]) -> None:
    assert quiet_texts.schema.equals(arrow_schema(TEXTS))
    assert len({row["text_id"] for row in texts}) == len(texts)
    assert all(row["body"].strip() for row in texts)


def test_every_text_has_its_truth_and_nothing_of_it_inside(
    texts: list[Row], labels: dict[str, Row]
) -> None:
    assert {row["text_id"] for row in texts} == set(labels)
    for row in texts:
        assert "{" not in row["body"]
        assert "[" not in row["body"]


def test_items_and_customers_of_texts_exist(
    quiet: World, quiet_events: pa.Table, texts: list[Row]
) -> None:
    customers = {row["customer_id"] for row in quiet.customers()}
    items = {row["item_id"] for row in quiet.items()}
    bought = set(
        zip(quiet_events["user_id"].to_pylist(), quiet_events["item_id"].to_pylist(), strict=True)
    )
    for row in texts:
        assert row["item_id"] in items
        if row["author_role"] == "customer":
            assert row["customer_id"] in customers
            assert (row["customer_id"], row["item_id"]) in bought
        else:
            assert row["customer_id"] is None


def test_a_review_is_an_event_too(quiet_events: pa.Table, texts: list[Row]) -> None:
    events = quiet_events.filter(pa.compute.field("name") == "review").to_pylist()
    told = Counter(
        (e["user_id"], e["item_id"], e["time"], dict(e["properties"])["rating"]) for e in events
    )
    written = Counter(
        (row["customer_id"], row["item_id"], row["time"], f"{row['rating']:.0f}")
        for row in texts
        if row["kind"] == "review"
    )
    assert told == written


def test_texts_are_in_the_language_they_say(texts: list[Row]) -> None:
    long = [row for row in texts if len(row["body"]) > 6]  # "ok" is Chinese, too
    wrong = [row["body"] for row in long if language(row["body"]) != row["language"]]
    assert len(wrong) <= len(texts) * 0.01, wrong[:5]


def test_stars_follow_what_is_said(texts: list[Row], labels: dict[str, Row]) -> None:
    stars = defaultdict(list)
    for row in texts:
        if row["kind"] == "review":
            said = labels[row["text_id"]]["polarities"]
            assert said
            stars[float(np.sign(np.mean(said)))].append(row["rating"])
    assert np.mean(stars[1.0]) > 4.3
    assert np.mean(stars[-1.0]) < 2.2
    assert 2.3 < np.mean(stars[0.0]) < 3.9


def test_opinions_follow_true_quality(quiet: World, labels: dict[str, Row]) -> None:
    items = {row["item_id"]: row for row in quiet.truth().items.to_pylist()}
    pairs = [
        (items[row["item_id"]][f"quality_{aspect}"], polarity)
        for row in labels.values()
        if row["kind"] == "review"
        for aspect, polarity in zip(row["aspects"], row["polarities"], strict=True)
        if aspect != "delivery"
    ]
    quality, polarity = np.array(pairs, float).T
    assert np.corrcoef(quality, polarity)[0, 1] > 0.6


def test_aspects_fit_the_product(labels: dict[str, Row]) -> None:
    listed = catalogue()
    for row in labels.values():
        own = {listed.aspects[a] for a in listed.own_aspects(listed.index[row["item_id"]])}
        assert set(row["aspects"]) <= own | {"price", "delivery", "packaging", "service"}


def test_days_named_are_days_that_happened(texts: list[Row], labels: dict[str, Row]) -> None:
    checked = 0
    for row in texts:
        for ending in ("天就到了", " days to arrive"):
            head = row["body"].partition(ending)[0]
            digits = "".join(c for c in head[-3:] if c.isdigit())
            if ending in row["body"] and digits:
                assert int(digits) == labels[row["text_id"]]["delivery_days"]
                checked += 1
    assert checked > 3


def test_chats_are_threads_that_a_customer_opens(texts: list[Row], labels: dict[str, Row]) -> None:
    threads = defaultdict(list)
    for row in texts:
        if row["kind"] == "chat":
            threads[row["thread_id"]].append(row)
    assert len(threads) > 100
    for turns in threads.values():
        assert turns[0]["author_role"] == "customer"
        assert {turn["author_role"] for turn in turns} == {"customer", "agent"}
        assert [t["time"] for t in turns] == sorted(t["time"] for t in turns)
        assert len({labels[turn["text_id"]]["intent"] for turn in turns}) == 1
    assert len({labels[turns[0]["text_id"]]["intent"] for turns in threads.values()}) >= 6


@pytest.mark.parametrize("code", ["zh", "en"])
def test_ten_thousand_reviews_are_nearly_all_distinct(code: str) -> None:
    listed, words, chance = catalogue(), grammar(code), Random(1)
    bodies = set()
    for n in range(5_000):
        item = n % len(listed.products)
        own = [listed.aspects[a] for a in listed.own_aspects(item)]
        mentions = tuple(
            (aspect, chance.choice((1, 1, 1, -1, 0)))
            for aspect in chance.sample([*own, "price", "packaging"], chance.choice((1, 1, 2, 3)))
        )
        good = sum(p for _, p in mentions) > 0
        about = Facts(item, listed.products[item], mentions, 5 if good else 2, 3, 0, 1)
        bodies.add(review(words, listed, about, chance)[1])
    assert len(bodies) > 4_800


DEFECT = """
[[happening]]
kind = "quality_defect"
category = "tech"
aspect = "workmanship"
size = 0.3
start = 2024-08-01
end = 2024-10-31
[[happening]]
kind = "delivery_delay"
size = 8
start = 2024-11-05
end = 2024-12-01
"""


def test_faults_and_delays_are_talked_about() -> None:
    calm, wild = (World(planted(text, events=80_000), 2).truth() for text in ("", DEFECT))
    complaints = []
    for truth in (calm, wild):
        found: Counter[str] = Counter()
        for row in truth.texts.to_pylist():
            for aspect, polarity in zip(row["aspects"], row["polarities"], strict=True):
                if polarity < 0 and (aspect == "delivery" or row["item_id"].startswith("tech")):
                    found[aspect] += 1
        complaints.append(found)
    assert complaints[1]["workmanship"] > 2 * complaints[0]["workmanship"] + 10
    assert complaints[1]["delivery"] > 2 * complaints[0]["delivery"] + 10
    causes = Counter(row["happening"] for row in wild.texts.to_pylist())
    assert causes["quality_defect-2024-08-01"] > 10
    assert causes["delivery_delay-2024-11-05"] > 10


def test_texts_are_capped_as_the_scenario_says() -> None:
    world = World(Scenario(events=20_000, customers=500), 2)
    few = World(Scenario(events=20_000, customers=500, max_texts=50), 2)
    reviews = [w.truth().metrics["texts"] for w in (world, few)]
    assert reviews[0] > 300
    assert 0 < reviews[1] < 250


def test_no_texts_at_all_is_possible() -> None:
    world = World(Scenario(events=5_000, customers=200, max_texts=0), 2)
    assert world.text_table().num_rows == 0
    assert world.truth().texts.num_rows == 0
