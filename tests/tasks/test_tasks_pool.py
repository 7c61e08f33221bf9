from __future__ import annotations

import numpy as np
import pytest

from shopkeeper.core.errors import BadInput
from shopkeeper.tasks.choosing import choose
from shopkeeper.tasks.noise import report
from shopkeeper.tasks.pool import Pool
from shopkeeper.tasks.student import Student

GOOD = [f"赞{chr(0x4E00 + place)}" for place in range(60)]
BAD = [f"差{chr(0x5E00 + place)}" for place in range(60)]


def reviews(count: int, seed: int) -> tuple[list[str], list[str]]:
    """Each text has four words of its side; most words are in no small sample."""
    random = np.random.default_rng(seed)
    texts, labels = [], []
    for _ in range(count):
        good = bool(random.random() < 0.5)
        words = random.choice([w[1] for w in (GOOD if good else BAD)], 4)
        texts.append("，".join(words) + str(random.integers(1000)))
        labels.append("good" if good else "bad")
    return texts, labels


@pytest.fixture(scope="module")
def pool() -> Pool:
    return Pool(reviews(1500, 0)[0])


def _accuracy(student: Student) -> float:
    texts, labels = reviews(500, 9)
    return float(
        np.mean([a.value == b for a, b in zip(student.answer(texts), labels, strict=True)])
    )


def test_texts_without_labels_teach_words_that_no_label_has_seen(pool: Pool) -> None:
    texts, labels = reviews(24, 1)
    alone = _accuracy(Student.fit("m", texts, labels))
    with_pool = _accuracy(pool.student("m", texts, labels))
    assert alone < 0.9
    assert with_pool > 0.97


def test_a_pool_that_is_none_is_refused() -> None:
    with pytest.raises(BadInput, match="no pool"):
        Pool(["好", "", "坏"])


def test_random_choices_represent_the_pool_and_uncertain_ones_are_unsure(pool: Pool) -> None:
    student = pool.student("m", *reviews(24, 1))
    sure, unsure = "，".join(w[1] for w in GOOD[:8]), "，".join([GOOD[0][1], BAD[0][1]])
    texts = [f"{sure}{n}" for n in range(300)] + [f"{unsure}{n}" for n in range(30)]
    chosen = choose(student, texts, 40, random_share=0.5, taken=range(10), seed=3)
    random = [choice.place for choice in chosen if choice.why == "random"]
    picked = [choice.place for choice in chosen if choice.why == "uncertain"]
    assert len(random) == 20
    assert len(picked) == 20
    assert len({*random, *picked}) == 40
    assert min(random + picked) >= 10
    assert np.mean([place >= 300 for place in picked]) > 0.8
    assert np.mean([place >= 300 for place in random]) < 0.4


def test_a_spammed_text_is_chosen_once(pool: Pool) -> None:
    student = pool.student("m", *reviews(24, 1))
    texts = ["好坏"] * 200 + reviews(50, 5)[0]
    chosen = choose(student, texts, 20, random_share=0, seed=0)
    assert sum(choice.place < 200 for choice in chosen) <= 1


def test_without_a_student_all_are_random_and_unreadable_texts_are_left_out() -> None:
    chosen = choose(None, ["", "好", "坏", "\x00\x00"], 10)
    assert sorted(choice.place for choice in chosen) == [1, 2]
    assert {choice.why for choice in chosen} == {"random"}


def test_wrong_labels_are_found() -> None:
    random = np.random.default_rng(0)
    labels = ["good" if random.random() < 0.5 else "bad" for _ in range(400)]
    texts = [
        f"{'很满意' if label == 'good' else '很失望'}，{random.integers(50)}" for label in labels
    ]
    wrong = set(range(0, 400, 20))
    given = [
        ({"good": "bad", "bad": "good"}[label] if place in wrong else label)
        for place, label in enumerate(labels)
    ]
    found = report(texts, given)
    suspects = {one.place for one in found.suspects}
    assert len(suspects & wrong) >= 16
    assert len(suspects - wrong) <= 4
    assert found.share == len(suspects) / 400
    worst = found.suspects[0]
    assert worst.given == given[worst.place]
    assert worst.likely == labels[worst.place]
    assert sum(sum(row.values()) for row in found.confused.values()) <= 400
