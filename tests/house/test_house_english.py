"""What the English readers must know: sentences written apart from their training data."""

from __future__ import annotations

import numpy as np
import pytest

from shopkeeper.tasks.house.readers import LabelReader, load
from shopkeeper.tasks.types import Span

PRAISED = [
    "A tender, wise and very funny film.",
    "The best toaster we have owned, and we have owned six.",
    "Everything about the evening was delightful.",
    "This little cafe is a treasure.",
    "He gives a magnificent performance.",
    "Arrived early and works like a dream.",
    "I adore these boots.",
    "Excellent quality, fair price, would order again.",
]
BLAMED = [
    "A tedious, clumsy and thoroughly unfunny film.",
    "The worst toaster we have owned, and we have owned six.",
    "Everything about the evening was a disappointment.",
    "This hotel is a disgrace.",
    "He gives a wooden, charmless performance.",
    "Arrived late and never worked.",
    "I hate these boots.",
    "Awful quality, crazy price, I want a refund.",
]
TURNED = [
    ("The picture is pretty, but the story is dull and the acting is terrible.", "negative"),
    ("It starts slowly, but it becomes a gripping and deeply moving drama.", "positive"),
    ("Despite a few flaws, this is a wonderful book.", "positive"),
    ("Despite a talented cast, the movie falls flat.", "negative"),
    ("It fails to be funny.", "negative"),
    ("It never fails to delight.", "positive"),
    ("Lacks any charm or wit.", "negative"),
    ("Too long and too predictable.", "negative"),
]
PAIRS = [
    ("The soup was good.", "The soup was not good."),
    ("The chair is comfortable.", "The chair isn't comfortable."),
    ("I would recommend it.", "I would not recommend it."),
    ("It works.", "It doesn't work."),
    ("The plot is exciting.", "The plot is never exciting."),
    ("I liked it.", "I didn't like it."),
]
WANTS = [
    ("could you tell me where my package is", "order_status"),
    ("I need my money refunded", "refund"),
    ("I'd like to send this sweater back", "return"),
    ("can I get these in a size bigger instead, I'll send mine back", "exchange"),
    ("please cancel my order, I don't need it", "cancel_order"),
    ("I entered the wrong delivery address", "change_address"),
    ("the vase arrived shattered", "damaged_item"),
    ("you sent me the wrong colour", "wrong_item"),
    ("could I have an invoice for my company", "invoice"),
    ("my discount code is not accepted", "coupon"),
    ("what size should I take, I'm 180 cm tall", "size_advice"),
    ("is the green one in stock", "stock"),
    ("when will you have it back in stock", "restock"),
    ("let me talk to a real person", "human_agent"),
    ("hello there", "greeting"),
    ("thank you so much", "thanks"),
    ("how long is the guarantee", "warranty"),
    ("is this genuine or a copy", "authenticity"),
    ("I forgot my password", "account"),
    ("how many loyalty points do I have", "membership"),
]
LIKES = [
    ("three season tent for two", "camping"),
    ("carp rod and reel", "fishing"),
    ("sourdough bread flour", "baking"),
    ("espresso beans dark roast", "coffee"),
    ("puppy harness", "dogs"),
    ("kitten scratching post", "cats"),
    ("waterproof mascara", "makeup"),
    ("noise cancelling earbuds", "audio"),
    ("nappies size 4", "baby_care"),
    ("mountain bike helmet", "cycling"),
    ("tomato seeds and pots", "gardening"),
    ("acoustic guitar strings", "instruments"),
]
ASPECTS = [
    ("The battery is terrible.", "battery", -1),
    ("Delivery was super fast.", "delivery", 1),
    ("The waiter was rude.", "service", -1),
    ("The noodles were delicious.", "taste", 1),
    ("The screen is bright.", "screen", 1),
    ("The fabric is scratchy.", "material", -1),
    ("The price is too high.", "price", -1),
    ("The room was spotless.", "cleanliness", 1),
]


def _values(task: str, texts: list[str]) -> list[object]:
    return [answer.value for answer in load(task, "en").answer(texts)]


def _praise(texts: list[str]) -> np.ndarray:
    """How much likelier praise than blame is, from -1 to 1."""
    reader = load("sentiment", "en")
    assert isinstance(reader, LabelReader)
    table = reader.probabilities(texts)
    lean: np.ndarray = (
        table[:, reader.labels.index("positive")] - table[:, reader.labels.index("negative")]
    )
    return lean


def test_praise_is_positive() -> None:
    assert _values("sentiment", PRAISED) == ["positive"] * len(PRAISED)


def test_blame_is_negative() -> None:
    assert _values("sentiment", BLAMED) == ["negative"] * len(BLAMED)


def _turned() -> list[object]:
    """A fault that is known is marked, not left out; when it is mended the mark fails."""
    reason = "the reader does not weigh this 'despite' right: it leans by .01"
    known = pytest.mark.xfail(reason=reason, strict=True)
    marks = {TURNED[2][0]: (known,)}
    return [
        pytest.param(*one, marks=marks.get(one[0], ()), id=str(n)) for n, one in enumerate(TURNED)
    ]


@pytest.mark.parametrize(("text", "verdict"), _turned())
def test_contrast_and_denial_decide_the_verdict(text: str, verdict: str) -> None:
    lean = float(_praise([text])[0])
    assert (lean > 0) == (verdict == "positive")


@pytest.mark.parametrize(("said", "denied"), PAIRS, ids=range(len(PAIRS)))
def test_a_denied_praise_is_less_than_the_praise(said: str, denied: str) -> None:
    lean = _praise([said, denied])
    assert lean[1] < lean[0] - 0.1
    assert lean[1] < 0


def test_facts_and_questions_are_hardly_ever_a_verdict() -> None:
    texts = [
        "It comes with two cables.",
        "Does it fit a 2019 model?",
        "The shop opens at ten.",
        "I have not used it yet.",
    ]
    assert _values("sentiment", texts).count("neutral") >= 3


def test_capitals_typos_and_emoji_do_not_turn_the_verdict() -> None:
    texts = [
        "LOVE IT!!!",
        "definately recomend",
        "amazing 😍",
        "TERRIBLE!!!",
        "dissapointed",
        "broken 😡",
    ]
    assert (_praise(texts) > 0).tolist() == [True, True, True, False, False, False]


def test_intents_of_plain_requests() -> None:
    values = _values("intents", [text for text, _ in WANTS])
    right = [value == intent for value, (_, intent) in zip(values, WANTS, strict=True)]
    assert sum(right) >= len(WANTS) - 2, [w for w, r in zip(WANTS, right, strict=True) if not r]


def test_interests_of_plain_searches() -> None:
    found = [
        {span.category for span in spans}
        for spans in _spans("interests", [text for text, _ in LIKES])
    ]
    right = [interest in said for said, (_, interest) in zip(found, LIKES, strict=True)]
    assert sum(right) >= len(LIKES) - 1, [w for w, r in zip(LIKES, right, strict=True) if not r]


def test_a_search_that_says_nothing_has_no_interest() -> None:
    assert _spans("interests", ["discount code", "my orders"]) == [(), ()]


def test_aspects_with_their_polarity() -> None:
    found = _spans("aspects", [text for text, _, _ in ASPECTS])
    right = [
        any(_is(span, category, polarity) for span in spans)
        for spans, (_, category, polarity) in zip(found, ASPECTS, strict=True)
    ]
    assert sum(right) >= len(ASPECTS) - 1, [w for w, r in zip(ASPECTS, right, strict=True) if not r]


def test_two_aspects_of_one_sentence_keep_their_own_opinions() -> None:
    (spans,) = _spans("aspects", ["The food was delicious but the service was slow."])
    assert {(span.aspect, span.polarity) for span in spans} == {("food", 1), ("service", -1)}


def _spans(task: str, texts: list[str]) -> list[tuple[Span, ...]]:
    found = []
    for value in _values(task, texts):
        assert isinstance(value, tuple)
        found.append(value)
    return found


def _is(span: Span, category: str, polarity: int) -> bool:
    return span.category == category and span.polarity == polarity
