from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from shopkeeper.core.errors import BadInput, Corrupt
from shopkeeper.tasks.chain import Rows, fit_chain
from shopkeeper.tasks.marks import FOLLOWS, Mention, places_of, tags_of
from shopkeeper.tasks.spans import SpanReader, SpanSettings
from shopkeeper.tasks.windows import look

SETTINGS = SpanSettings(bits=16, rounds=6)
ASPECTS = {
    "屏幕": "screen",
    "电池": "battery",
    "物流": "delivery",
    "screen": "screen",
    "battery": "battery",
}
OPINIONS = {"很好": 1, "太差了": -1, "一般": 0, "is great": 1, "is terrible": -1}


def sentences(count: int, seed: int) -> tuple[list[str], list[list[Mention]]]:
    """One to three clauses "aspect opinion", and now and then an opinion of nothing named."""
    random = np.random.default_rng(seed)
    texts, marked = [], []
    for _ in range(count):
        text, mentions = "", []
        for _ in range(random.integers(1, 4)):
            opinion = str(random.choice(list(OPINIONS)))
            english = opinion.isascii()
            aspect = str(random.choice([a for a in ASPECTS if a.isascii() == english]))
            filler = ", and the " if english else "，而且这"
            text += filler
            if random.random() < 0.2:
                place, category = None, "general"
                text += "it " if english else "个"
            else:
                place = (len(text), len(text) + len(aspect))
                category = ASPECTS[aspect]
                text += aspect + (" " if english else "")
            mentions.append(
                Mention(place, (len(text), len(text) + len(opinion)), OPINIONS[opinion], category)
            )
            text += opinion
        texts.append(text)
        marked.append(mentions)
    return texts, marked


@pytest.fixture(scope="module")
def reader() -> SpanReader:
    return SpanReader.fit("aspects", *sentences(500, 0), settings=SETTINGS)


def test_it_finds_aspects_opinions_categories_and_polarities(reader: SpanReader) -> None:
    texts, marked = sentences(150, 1)
    found = right = wanted = 0
    for text, answer, mentions in zip(texts, reader.answer(texts), marked, strict=True):
        assert isinstance(answer.value, tuple)
        got = {(s.start, s.end, s.opinion, s.polarity, s.category) for s in answer.value}
        gold = {
            (*(m.aspect or (-1, -1)), text[slice(*(m.opinion or (0, 0)))], m.polarity, m.category)
            for m in mentions
        }
        found, right, wanted = found + len(got), right + len(got & gold), wanted + len(gold)
    assert 2 * right / (found + wanted) > 0.9


def test_its_words_stand_in_the_text_where_it_says(reader: SpanReader) -> None:
    texts = [
        "😀 屏幕很好，\n電池太差了",
        "Ｔhe screen is great e\u0301 battery is terrible",
        *sentences(50, 2)[0],
    ]
    for text, answer in zip(texts, reader.answer(texts), strict=True):
        assert isinstance(answer.value, tuple)
        for span in answer.value:
            assert span.opinion in text
            assert span.aspect == (text[span.start : span.end] if span.start >= 0 else "")
            assert 0 < span.confidence <= 1


def test_a_text_without_opinion_and_one_that_cannot_be_read(reader: SpanReader) -> None:
    plain, empty, good = reader.answer(["昨天到的", "", "物流很好"])
    assert plain.value == ()
    assert empty.abstained
    assert empty.reason == "empty"
    assert reader.answer(["物流很好"]) == [good]


def test_a_saved_reader_answers_as_it_did(reader: SpanReader, tmp_path: Path) -> None:
    reader.save(tmp_path / "aspects")
    loaded = SpanReader.load(tmp_path / "aspects")
    texts = sentences(30, 4)[0]
    assert loaded.answer(texts) == reader.answer(texts)
    path = tmp_path / "aspects" / "pair" / "weights.npy"
    path.write_bytes(path.read_bytes()[:-1] + b"\x7f")
    with pytest.raises(Corrupt):
        SpanReader.load(tmp_path / "aspects")


def test_nothing_marked_is_refused() -> None:
    with pytest.raises(BadInput, match="No mention"):
        SpanReader.fit("a", ["好"], [[]], settings=SETTINGS)


def test_marks_become_tags_and_marks_again() -> None:
    texts = ["屏幕很好", "the screen is great"]
    mentions = [[Mention((0, 2), (2, 4), 1)], [Mention((4, 10), (11, 19), 1)]]
    seen = look(texts, 16)
    assert places_of(seen, tags_of(seen, mentions)) == [
        ([(0, 2)], [(2, 4)]),
        ([(4, 10)], [(11, 19)]),
    ]


def test_the_chain_learns_what_only_its_neighbours_tell() -> None:
    """Tag 1 then 2 alternate whatever the feature: only the transition weights can know."""
    features = np.ones((400, 1), np.int32)
    rows = Rows(features, np.arange(0, 401, 8))
    tags = np.tile(np.array([1, 3], np.int8), 200)
    chain = fit_chain(rows, tags, FOLLOWS, bits=4, rounds=20)
    decoded = chain.decode(rows).reshape(50, 8)
    assert ((decoded[:, 1:] != decoded[:, :-1]).mean()) > 0.95
