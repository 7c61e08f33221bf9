"""What searches and words give away: read, matched to items, live; and what behaviours weigh, learned."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pyarrow as pa
import pytest
from tests.recommend.test_recommend_release import _catalogue, _rows
from tests.stall import START, accept, event, stock

from shopkeeper.core.schema import READINGS, TEXTS
from shopkeeper.core.settings import Language
from shopkeeper.recommend.behaviours import adopted, behaving, told
from shopkeeper.recommend.cases import choices_since, last_choices
from shopkeeper.recommend.heads.base import FittedHead, Goods, past
from shopkeeper.recommend.heads.interests import Interests
from shopkeeper.recommend.heads.popular import Popular
from shopkeeper.recommend.heads.repeat import Repeat
from shopkeeper.recommend.heads.text import Text
from shopkeeper.recommend.history import DAY_MS, LEVELS, History, encode
from shopkeeper.recommend.mixture import Mask
from shopkeeper.recommend.model import learned
from shopkeeper.recommend.operations import fit, items
from shopkeeper.recommend.spoken import HASHER, INTERESTS, Spoken, read
from shopkeeper.recommend.weighing import likelihoods, weigh
from shopkeeper.shop import Shop
from shopkeeper.tasks.house import readers
from shopkeeper.warehouse.arrow import arrow_schema


@pytest.fixture
def stalled(shop: Shop) -> Shop:
    return stock(shop, _rows(), _catalogue())


def _search(shop: Shop, user: str, query: str, number: int = 90_000) -> None:
    day = (shop.now() - START) / timedelta(days=1) - 0.01
    accept(shop, event(number, day, "search", user, None, query=query))


@pytest.mark.parametrize(
    ("lang", "words"),
    [("zh", "搜索的「钓鱼」相符"), ("en", "your search for “钓鱼”")],
    ids=["zh", "en"],
)
def test_a_search_posted_now_changes_the_next_answer(
    stalled: Shop, lang: Language, words: str
) -> None:
    fit(stalled)
    before = items(stalled, "c1", k=40, lang=lang)
    assert all(slot.head != "interests" for slot in before.slots)
    _search(stalled, "c1", "钓鱼")
    after = items(stalled, "c1", k=40, lang=lang)
    first = next(slot for slot in after.slots if slot.head == "interests")
    assert "钓鱼" in (first.title or "")
    assert first.reasons[0].code == "interests.searched"
    assert words in first.reasons[0].text
    assert first.reasons[0].evidence["query"] == "钓鱼"
    old = {slot.item_id: slot.probability or 0 for slot in before.slots}
    assert (first.probability or 0) > 2 * old.get(first.item_id, 0)
    assert all(s.head != "interests" for s in items(stalled, "c1", k=40, live=False).slots)


def test_a_visitor_who_only_searched_gets_what_was_searched_for(stalled: Shop) -> None:
    fit(stalled)
    _search(stalled, "stranger", "camera")
    shown = items(stalled, "stranger", k=3).slots
    assert all("camera" in (slot.title or "") for slot in shown)


def test_a_new_item_is_found_by_the_next_search(stalled: Shop) -> None:
    fit(stalled)
    row = {"item_id": "new", "kind": "product", "title": "camera bag", "price": 8.0}
    stalled.catalogue.upsert_items([row])
    with stalled.writer("test") as writer:
        writer.snapshot()
    _search(stalled, "stranger", "camera bag")
    assert items(stalled, "stranger", k=1).slots[0].item_id == "new"


def test_what_was_said_later_than_a_choice_is_no_past_of_it() -> None:
    given = encode(
        pa.table(
            {
                "who": ["a", "a", "b"],
                "item_id": ["x", "y", "x"],
                "time_ms": [n * DAY_MS for n in (1, 5, 3)],
                "strength": [1.0, 1.0, 1.0],
            }
        )
    )
    time = np.array([2, 6, 9]) * DAY_MS
    spoken = Spoken.by(np.array([0, 0, 1]), time, ["early", "late", "never"], 2)
    cases = last_choices(_with(given, spoken))
    assert cases.queries.spoken is not None
    assert cases.queries.spoken.texts == ("early",)
    assert np.diff(cases.queries.spoken.starts).tolist() == [1, 0]
    since = choices_since(_with(given, spoken), 4 * DAY_MS)
    assert since.queries.spoken is not None
    assert since.queries.spoken.texts == ("early",)
    assert past(_with(given, spoken))[0].part(1, 2).spoken.texts == ()  # type: ignore[union-attr]


def test_searches_are_read_and_sensitive_interests_are_not() -> None:
    row = read(["登山帐篷 防雨", "孕妇装 待产包", "wireless headphones"])[:, HASHER.buckets :]
    found = [{INTERESTS[c] for c in row[[n]].indices} for n in range(3)]
    assert found[0] & {"camping", "hiking"}
    assert "audio" in found[2]
    assert not readers.sensitive("interests") & set(INTERESTS)
    assert readers.load("interests").answer(["孕妇装 待产包"])[0].value  # the reader itself does


def test_interests_that_were_read_in_own_words_count(stalled: Shop) -> None:
    body = {"text_id": "p1", "kind": "post", "author_role": "customer", "customer_id": "c1"}
    at = stalled.now() - timedelta(days=1)
    text = body | {"time": at, "day": at.date(), "body": "…", "source": "test"}
    said = {
        "text_id": "p1", "day": at.date(), "task": "interests", "position": 0, "label": "fishing",
        "confidence": 0.9, "answered_by": "teacher:m", "model_version": "m", "time": at,
    }  # fmt: skip
    whole = learned(stalled)[0]
    assert whole.spoken is None or not len(whole.spoken.time)
    at_end = stalled.span().end  # type: ignore[union-attr]
    text |= {"day": at_end, "time": at}
    with stalled.writer("test") as writer:
        schema = arrow_schema(READINGS)
        writer.load("readings", pa.Table.from_pylist([said | {"day": at_end}], schema=schema))
        rows = pa.Table.from_pylist([text], schema=arrow_schema(TEXTS))
        writer.load("texts", rows)
        writer.snapshot()
    spoken = learned(stalled)[0].spoken
    assert spoken is not None
    assert spoken.said[:, HASHER.buckets :].indices.tolist() == [INTERESTS.index("fishing")]


def test_a_silent_head_leaves_its_share_to_the_others() -> None:
    random = np.random.default_rng(3)
    cases, true = 20_000, np.array([0.2, 0.5, 0.3])
    speaks = np.column_stack(
        [np.ones(cases), random.random(cases) < 0.3, random.random(cases) < 0.7]
    )
    weight = speaks * true
    weight /= weight.sum(axis=1, keepdims=True)
    drawn = (random.random(cases)[:, None] > weight.cumsum(axis=1)).sum(axis=1)
    # Head h gives .9 to what it is that chose, .01 to what another did.
    table = np.where(np.arange(3) == drawn[:, None], 0.9, 0.01)
    table[speaks == 0] = np.nan
    found = weigh(table)
    np.testing.assert_allclose(found, true, atol=0.02)
    assert likelihoods(table, found).mean() >= likelihoods(table, true).mean() - 1e-9


def test_the_weight_of_a_cart_is_learned_and_one_behaviour_teaches_nothing() -> None:
    """Customers look at three items, put a fourth into the cart, and buy what was in the cart."""
    random = np.random.default_rng(2)
    rows = []
    for customer in range(300):
        own = random.permutation(40)[:6]
        rows += [
            (f"c{customer}", f"i{own[5]}", -9.0, 0.5),
            (f"c{customer}", f"i{own[5]}", -5.0, 1.0),
        ]
        rows += [(f"c{customer}", f"i{own[0]}", 1.0, 1.0), (f"c{customer}", f"i{own[1]}", 2.0, 0.5)]
        rows += [(f"c{customer}", f"i{n}", 3.0 + k, 0.2) for k, n in enumerate(own[2:5])]
        rows.append((f"c{customer}", f"i{own[1]}", 10.0, 1.0))
    history = _encoded(rows)
    cases = last_choices(history)
    heads: dict[str, FittedHead] = {
        "popular": Popular().fit(cases.learned, Goods.unknown(40)),
        "repeat": Repeat().fit(cases.learned, Goods.unknown(40)),
    }
    mask = Mask(np.ones(40, dtype=bool))
    found = behaving(heads, cases.queries, cases.chosen, mask)
    weights = told(found["repeat"])
    assert weights["purchase"] == 1
    assert weights["add_to_cart"] > 5 * weights["view_item"]  # 2.5 times before
    assert told(found["popular"]) == {}
    fresh = adopted({"repeat": Repeat().fit(history, Goods.unknown(40))}, found)
    assert told(fresh["repeat"]) == weights
    bought = last_choices(_encoded([row for row in rows if row[3] == 1.0]))
    same = behaving(heads, bought.queries, bought.chosen, mask)
    assert told(same["repeat"]) == dict(zip(weights, LEVELS.tolist(), strict=True))


def test_an_item_without_words_and_a_saying_without_meaning_are_no_error() -> None:
    history = _with(
        _encoded([("a", "x", 1.0, 1.0), ("a", "y", 2.0, 1.0)]),
        Spoken.by(np.array([0, 0]), np.array([1, 2]) * DAY_MS, ["…", "zzzz"], 1),
    )
    head = Interests().fit(history, Goods.unknown(2))
    found = head.affinities(past(history)[0])
    assert found.shape == (1, 2)
    assert not np.asarray(found.sum()).any()


def _with(history: History, spoken: Spoken) -> History:
    return History(
        history.customer, history.item, history.time, history.strength, history.customer_ids,
        history.item_ids, spoken,
    )  # fmt: skip


def _encoded(rows: list[tuple[str, str, float, float]]) -> History:
    who, item, day, strength = zip(*rows, strict=True)
    return encode(
        pa.table(
            {
                "who": list(who),
                "item_id": list(item),
                "time_ms": [int((one + 100) * DAY_MS) for one in day],
                "strength": list(strength),
            }
        )
    )


def test_vectors_of_a_model_say_who_is_alike() -> None:
    vectors = np.array([[1, 0.1, 5], [0.9, 0, 5], [0, 1, 5], [0.1, 0.9, 5], [9, 9, 9]], np.float32)
    words = ("a", "b", "c", "d", "")
    goods = Goods(words, ("",) * 5, ("",) * 5, vectors)
    history = _encoded([("u", f"i{n}", 1.0, 1.0) for n in range(5)])
    found = Text().fit(history, goods).weights.toarray()
    assert found[0].argmax() == 1
    assert found[2].argmax() == 3
    assert not found[4].any()
    assert not Text().fit(history, Goods(words, ("",) * 5, ("",) * 5)).weights.toarray().any()


def test_a_fit_without_its_embedding_model_goes_by_words_and_says_why(stalled: Shop) -> None:
    stalled.settings = stalled.settings.model_copy(update={"embeddings": "house"})
    told_fit = fit(stalled)
    assert told_fit.serves
    assert told_fit.text_by == "words"
    assert "makes no vectors" in str(told_fit.text_why)
    assert any(head.behaviours for head in told_fit.heads)
