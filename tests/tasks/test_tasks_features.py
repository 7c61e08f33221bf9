from __future__ import annotations

import unicodedata
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shopkeeper.tasks.features import NgramHasher, batches, read_units
from shopkeeper.tasks.readable import MAX_CHARACTERS, refusal, refusals

HASHER = NgramHasher(sizes=(1, 2, 3), letters=(3, 4), bits=22)


def test_a_chinese_text_has_the_ngrams_of_its_characters() -> None:
    matrix = NgramHasher(sizes=(1, 2), letters=(), bits=22).matrix(["好吃好吃"])
    # 好 吃 twice each; 好吃 twice, 吃好 once
    assert sorted(matrix.data.tolist()) == [1, 2, 2, 2]


def test_an_english_text_has_the_ngrams_of_its_words_and_letters() -> None:
    words = NgramHasher(sizes=(1, 2), letters=(), bits=22).matrix(["good Good shop"])
    assert sorted(words.data.tolist()) == [1, 1, 1, 2]  # good x2, shop, "good good", "good shop"
    letters = NgramHasher(sizes=(1,), letters=(3,), bits=22).matrix(["ab"])
    assert sorted(letters.data.tolist()) == [1, 1, 1]  # ab, <ab, ab>


def test_words_that_share_letters_are_alike_and_others_are_not() -> None:
    near, far, base = (HASHER.matrix([word]) for word in ("sizes", "apple", "sized"))
    assert base.multiply(near).sum() > 0
    assert base.multiply(far).sum() == 0


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("這個東西品質很好", "这个东西品质很好"),
        ("ＡＢＣ１２", "abc12"),
        ("ﬁne", "fine"),
        ("cafe\u0301", "café"),
        ("好 用\u3000\n", "好用"),
    ],
)
def test_forms_of_the_same_text_are_read_alike(one: str, other: str) -> None:
    assert (HASHER.matrix([one]) != HASHER.matrix([other])).nnz == 0


@given(st.lists(st.text(max_size=30), min_size=1, max_size=8))
def test_a_text_is_read_the_same_whatever_stands_beside_it(texts: list[str]) -> None:
    together = HASHER.matrix(texts)
    assert together.shape == (len(texts), HASHER.buckets)
    for place, text in enumerate(texts):
        assert (together[place] != HASHER.matrix([text])).nnz == 0


@given(st.lists(st.text(alphabet="好吃abc,. 1é", max_size=20), min_size=1, max_size=5))
def test_the_ngrams_equal_those_counted_one_by_one(texts: list[str]) -> None:
    hasher = NgramHasher(sizes=(1, 2, 3), letters=(), bits=24)
    matrix = hasher.matrix(texts)
    for place, text in enumerate(texts):
        units = _units(text)
        counted = Counter(
            tuple(units[at : at + size])
            for size in (1, 2, 3)
            for at in range(len(units) - size + 1)
        )
        assert sorted(matrix[place].data.tolist()) == sorted(counted.values())


def _units(text: str) -> list[str]:
    units: list[str] = []
    open_word = False
    for character in unicodedata.normalize("NFKC", text).lower():
        letter = character in "abc1é"
        if letter and open_word:
            units[-1] += character
        elif not character.isspace():
            units.append(character)
        open_word = letter
    return units


@given(st.lists(st.text(alphabet="好a \u0301e😀", max_size=12), min_size=1, max_size=5))
def test_units_stand_where_the_text_has_them(texts: list[str]) -> None:
    units = read_units(texts, compose=False)
    joined = "\n".join([*texts, ""])
    assert all(not joined[place].isspace() for place in units.places)
    assert int(units.starts[-1]) == len(units.codes) == len(units.places)


def test_batches_hold_all_texts_in_order_and_are_bounded() -> None:
    texts = ["好" * (place % 7) for place in range(100)]
    parts = list(batches(texts, 20))
    assert [text for part in parts for text in part] == texts
    assert all(sum(map(len, part)) + len(part) <= 20 for part in parts)
    assert list(batches([], 20)) == []


def test_unreadable_texts_are_refused_with_a_reason_and_others_are_not() -> None:
    texts = [
        "",
        " \n",
        "好" * (MAX_CHARACTERS + 1),
        "\x00\x01PNG\x02",
        "😀😀",
        "好 good",
        "\ud800好用",
    ]
    found = refusals(texts)
    assert found.keys() == {0, 1, 2, 3}
    assert found[0] == "empty"
    assert "at most" in found[2]
    assert "not a text" in found[3]
    assert refusal("a\tb\nc" * 50) == ""
