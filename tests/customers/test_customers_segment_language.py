"""The language of segments: text and JSON both ways, what is refused, and what a sentence says."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shopkeeper.core.errors import BadInput, NotAllowed, UnknownName
from shopkeeper.customers.segmenting import asking, checking
from shopkeeper.customers.segmenting import definition as d
from shopkeeper.customers.segmenting.parsing import from_json, parse
from shopkeeper.customers.segmenting.printing import written
from shopkeeper.customers.segmenting.saying import reason, sentence
from shopkeeper.customers.traits.catalogue import catalogue
from shopkeeper.customers.traits.frame import names

WORDS = st.text(min_size=1, max_size=12)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False, width=32).map(float)
OPS = st.sampled_from(("=", "!=", "<", "<=", ">", ">="))
DAYS = st.integers(1, 3650)
MAYBE_DAYS = st.none() | DAYS
FILTERS = st.builds(
    lambda field, op, text: d.Filter(field=field, op=op, value=text),
    st.sampled_from(("item", "category", "brand", "channel")),
    st.sampled_from(("=", "!=")),
    WORDS,
) | st.builds(lambda op, n: d.Filter(field="value", op=op, value=n), OPS, NUMBERS)
STEPS = st.builds(d.Step, event=WORDS, where=st.lists(FILTERS, max_size=3).map(tuple))
LEAVES = st.one_of(
    st.builds(lambda n, op, v: d.Trait(name=n, op=op, values=(v,)), WORDS, OPS, NUMBERS | WORDS),
    st.builds(
        lambda n, v: d.Trait(name=n, op="in", values=tuple(v)),
        WORDS,
        st.lists(NUMBERS | WORDS, min_size=1, max_size=3),
    ),
    st.builds(lambda n: d.Trait(name=n, op="known"), WORDS),
    st.builds(
        d.Did,
        step=STEPS,
        count=st.sampled_from(("at least", "at most", "exactly")),
        times=st.integers(0, 99),
        within=MAYBE_DAYS,
    ),
    st.builds(
        d.Sequence,
        steps=st.lists(STEPS, min_size=2, max_size=4).map(tuple),
        within=DAYS,
        during=DAYS,
    ),
    st.builds(
        d.Said,
        aspect=WORDS,
        mood=st.sampled_from((None, "positive", "negative", "neutral")),
        times=st.integers(1, 9),
        within=MAYBE_DAYS,
    ),
    st.builds(lambda t: d.Said(theme=t), WORDS),
    st.builds(d.Score, name=WORDS, op=OPS, value=NUMBERS),
    st.builds(lambda n, v: d.Told(name=n, op="=", value=v), WORDS, WORDS),
    st.builds(lambda n: d.Told(name=n, op="known"), WORDS),
    st.builds(lambda n: d.InSegment(id=f"S{n}"), st.integers(1, 999)),
    st.builds(d.OnList, name=WORDS),
    st.builds(
        lambda salt, a, w: d.Bucket(salt=salt, start=a, end=a + w),
        WORDS,
        st.integers(0, 50),
        st.integers(1, 50),
    ),
    st.just(d.Everyone()),
)


def _branches(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    several = st.lists(inner, min_size=2, max_size=3).map(tuple)
    return st.one_of(
        st.builds(d.Not, of=inner), st.builds(d.All, of=several), st.builds(d.Any, of=several)
    )


DEFINITIONS = st.recursive(LEAVES, _branches, max_leaves=8).filter(
    lambda x: d.depth(x) <= d.DEEPEST
)


@given(DEFINITIONS)
def test_what_is_written_reads_back_the_same(one: d.Definition) -> None:
    assert parse(written(one)) == one
    assert from_json(json.dumps(one.model_dump(mode="json"))) == one
    assert written(parse(written(one))) == written(one)


@given(DEFINITIONS, st.sampled_from(("en", "zh")))
def test_every_definition_has_a_sentence(one: d.Definition, lang: Any) -> None:
    assert sentence(one, lang).strip()


@given(st.text(max_size=200))
def test_any_text_is_a_definition_or_refused_with_a_reason(text: str) -> None:
    with contextlib.suppress(BadInput):
        assert parse(written(parse(text))) == parse(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("orders >", "At character 9: expected a number"),
        ("orders >= 2 and", "the text ends"),
        ("orders >= 2; DROP TABLE events", "At character 12"),
        ("SELECT customer_id FROM events", "expected a comparison"),
        ("orders >= 2 OR 1=1", "expected and, or"),
        ("did purchase at least 2", "expected 'times'"),
        ("(orders >= 2", "expected ')'"),
        ('did purchase [value = "x"]', "value is compared with a number"),
        ("in bucket 50 to 10 of x", "a bucket ends above its start"),
        ('{"kind": "trait", "name": "orders"}', "trait.op"),
        ('{"kind": "sql", "text": "1=1"}', "No definition"),
        ("not " * 60 + "everyone", "levels"),
        ("", "1 to 8000 characters"),
    ],
)
def test_what_is_no_definition_is_refused_where_it_fails(text: str, said: str) -> None:
    with pytest.raises(BadInput, match=r".*") as caught:
        parse(text)
    assert said in caught.value.message


def test_sql_in_quotes_is_only_text() -> None:
    one = parse("""told city = "x'; DROP TABLE events; --" """)
    assert one == d.Told(name="city", op="=", value="x'; DROP TABLE events; --")


def test_an_unknown_trait_is_refused_with_the_near_one() -> None:
    with pytest.raises(UnknownName, match="Did you mean 'orders'"):
        checking.check(parse("order >= 2"), (), ())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('orders >= "two"', "orders is a number"),
        ("favourite_brand = 3", "favourite_brand is a text"),
        ('favourite_brand > "a"', "has no meaning"),
        ('first_order >= "yesterday"', "is a date"),
        (" or ".join(["orders = 1"] * 61), "60 at most"),
    ],
)
def test_values_of_the_wrong_kind_are_refused(text: str, said: str) -> None:
    parts = text.split(" or ")
    halves = [parse(" or ".join(some)) for some in (parts[:40], parts[40:]) if some]
    one = halves[0] if len(halves) == 1 else d.Any(of=tuple(halves))
    with pytest.raises(BadInput, match=said):
        checking.check(one, (), ())


@pytest.mark.parametrize(
    "text",
    ["age < 18", "age <= 30", 'told "health_state" = "poor"', 'did purchase [category = "糖尿病食品"]',
     'told "民族" is known', 'said aspect "怀孕"'],
)  # fmt: skip
def test_sensitive_conditions_are_off_until_they_are_allowed(text: str) -> None:
    with pytest.raises(NotAllowed):
        checking.check(parse(text), (), ())
    checking.check(parse(text), (), ("minors", "health", "origin"))


def test_ages_of_adults_are_no_secret() -> None:
    checking.check(parse("age >= 30"), (), ())


def test_a_segment_that_refers_to_itself_is_refused_with_the_way() -> None:
    texts = ("in segment S2", "orders >= 1 or in segment S3", "not in segment S1")
    known = {f"S{number}": parse(text) for number, text in enumerate(texts, 1)}
    with pytest.raises(BadInput, match="S1 → S2 → S3 → S1"):
        checking.resolved(known["S1"], known, ("S1",))
    with pytest.raises(UnknownName):
        checking.resolved(parse("in segment S9"), known)
    assert checking.resolved(parse("in segment S4"), {"S4": parse("orders >= 1")}) == parse(
        "orders >= 1"
    )


def test_sentences_say_it_in_both_languages() -> None:
    one = parse(
        'orders >= 2 and not did purchase [category = "Tea"] at least 1 times within 30 days'
    )
    assert sentence(one, "en") == (
        "orders in all is at least 2 and did not “buy (category is “Tea”)” in the last 30 days"
    )
    assert sentence(one, "zh") == "累计订单数不低于 2，并且最近 30 天内没有“购买（品类为“Tea”）”"


def test_reasons_say_what_was_found() -> None:
    one = parse("did purchase at least 2 times within 30 days")
    assert isinstance(one, d.Did)
    assert reason(one, 3, True, "en") == "did “buy” 3 times in the last 30 days"
    assert reason(one, None, False, "zh") == "最近 30 天内没有“购买”"
    share = d.Trait(name="refund_share", op=">", values=(0.1,))
    assert reason(share, 0.25, True, "en") == "share refunded: 25.0%"


@pytest.mark.parametrize(
    ("request_", "text", "left"),
    [
        (
            "customers who bought at least 2 times in the last 90 days and have not been seen for 30 days",
            "did purchase at least 2 times within 90 days and days_since_seen >= 30",
            "",
        ),
        (
            "最近90天内购买至少3次并且超过30天没有来过的客户",
            "did purchase at least 3 times within 90 days and days_since_seen >= 30",
            "",
        ),
        ("消费超过 500 的客户", "revenue >= 500", ""),
        ("从未下单的用户", "orders = 0", ""),
        (
            "people who left their cart",
            "did add_to_cart at least 1 times within 14 days"
            " and not did purchase at least 1 times within 14 days",
            "",
        ),
        (
            "customers at risk who like green sofas",
            'rfm_segment in ("at_risk", "cannot_lose")',
            "like green sofas",
        ),
    ],
)
def test_plain_requests_are_read_by_rules(request_: str, text: str, left: str) -> None:
    found, _, over = asking.by_rules(request_)
    assert written(found) == text
    assert over == left


def test_a_request_of_which_nothing_is_understood_says_so() -> None:
    with pytest.raises(BadInput, match="Nothing in this request"):
        asking.by_rules("make it nice")


def test_every_trait_has_words_and_every_word_a_trait() -> None:
    assert set(names()) == set(catalogue())
    assert all(one.called("en") and one.called("zh") for one in catalogue().values())


def test_rfm_segments_are_said_by_their_names() -> None:
    one = parse('rfm_segment in ("champions", "loyal") and orders >= 2')
    assert "“重要价值客户”" in sentence(one, "zh")
    assert "“Champions”" in sentence(one, "en")
