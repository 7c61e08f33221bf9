from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from shopkeeper.core.errors import BadInput, Corrupt, NotFound
from shopkeeper.tasks import arrays
from shopkeeper.tasks.calibration import calibration_error, temperature
from shopkeeper.tasks.student import Student, StudentSettings, cross_probabilities

GOOD = ("好吃", "很喜欢", "质量不错", "great value", "works well")
BAD = ("难吃", "很失望", "质量太差", "broke at once", "waste of money")
THINGS = ("苹果", "手机", "衣服", "phone", "book", "洗发水", "酒店")


def reviews(count: int, seed: int = 0, noise: float = 0.0) -> tuple[list[str], list[str]]:
    """Texts whose label follows from one of their words, but for a share of wrong labels."""
    random = np.random.default_rng(seed)
    texts, labels = [], []
    for _ in range(count):
        good = bool(random.random() < 0.5)
        words = GOOD if good else BAD
        thing, other = random.choice(THINGS, 2)
        texts.append(f"{thing}，{random.choice(words)}，{other}{random.integers(100)}")
        labels.append("positive" if good != (random.random() < noise) else "negative")
    return texts, labels


@pytest.fixture(scope="module")
def student() -> Student:
    return Student.fit("mood", *reviews(600))


def test_it_reads_texts_it_has_not_seen(student: Student) -> None:
    texts, labels = reviews(300, seed=1)
    answers = student.answer(texts)
    assert np.mean([a.value == label for a, label in zip(answers, labels, strict=True)]) > 0.99
    assert {answer.answered_by for answer in answers} == {"mood"}
    assert {answer.model_version for answer in answers} == {student.version}


def test_traditional_characters_and_full_width_are_read_as_the_others(student: Student) -> None:
    simple, other = student.answer(["手机，质量太差，书", "手機，質量太差，書"])
    assert simple.value == other.value == "negative"
    assert simple.confidence == pytest.approx(other.confidence)


def test_an_unreadable_text_changes_nothing_but_its_own_row(student: Student) -> None:
    texts, _ = reviews(20, seed=2)
    spoiled = [*texts[:10], "", "\x00\x01\x02", "好" * 200_000, *texts[10:]]
    answers = student.answer(spoiled)
    assert answers[:10] + answers[13:] == student.answer(texts)
    assert [a.abstained for a in answers[10:13]] == [True] * 3
    assert all(a.value is None and a.reason for a in answers[10:13])


def test_emoji_mixed_and_repeated_texts_are_read(student: Student) -> None:
    answers = student.answer(["😀😀😀", "好吃 great value", "难吃！" * 3000])
    assert not any(answer.abstained for answer in answers)
    assert answers[1].value == "positive"
    assert answers[2].value == "negative"


def test_its_confidence_is_how_often_it_is_right() -> None:
    noisy = Student.fit("mood", *reviews(3000, noise=0.2))
    texts, labels = reviews(2000, seed=5, noise=0.2)
    answers = noisy.answer(texts)
    right = np.array([a.value == label for a, label in zip(answers, labels, strict=True)])
    sure = np.array([a.confidence for a in answers])
    assert calibration_error(sure, right) < 0.08
    assert right.mean() == pytest.approx(sure.mean(), abs=0.04)


def test_a_temperature_undoes_a_known_overconfidence() -> None:
    random = np.random.default_rng(0)
    logits = random.normal(size=(20_000, 3)) * 2
    chances = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    drawn = (chances.cumsum(axis=1) > random.random((20_000, 1))).argmax(axis=1)
    assert temperature(logits * 3, np.eye(3)[drawn]) == pytest.approx(3, rel=0.05)


def test_many_labels_and_their_order() -> None:
    texts = [f"{word} 请问{n}" for word in ("退货", "发票", "物流") for n in range(30)]
    labels = [label for label in ("return", "invoice", "delivery") for _ in range(30)]
    student = Student.fit("intent", texts, labels, names=("invoice", "delivery", "return"))
    probabilities = student.probabilities(["我要退货", "开发票"])
    assert student.labels == ("invoice", "delivery", "return")
    assert probabilities.shape == (2, 3)
    assert probabilities.sum(axis=1) == pytest.approx([1, 1])
    assert probabilities.argmax(axis=1).tolist() == [2, 0]


def test_soft_targets_teach_shares() -> None:
    texts = ["一般般"] * 200 + ["很好"] * 200
    targets = np.array([[0.3, 0.7]] * 200 + [[0.02, 0.98]] * 200, np.float32)
    student = Student.fit_soft("mood", texts, targets, names=("bad", "good"))
    assert student.probabilities(["一般般"])[0, 1] == pytest.approx(0.7, abs=0.1)


def test_the_same_texts_give_the_same_student() -> None:
    texts, labels = reviews(200)
    assert Student.fit("m", texts, labels).version == Student.fit("m", texts, labels).version


def test_a_saved_student_answers_as_it_did(student: Student, tmp_path: Path) -> None:
    student.save(tmp_path / "mood")
    loaded = Student.load(tmp_path / "mood")
    texts, _ = reviews(50, seed=3)
    assert loaded.version == student.version
    assert loaded.answer(texts) == student.answer(texts)


@pytest.mark.parametrize("file", ["rows.npy", "weights.npy", "model.json"])
def test_a_damaged_student_is_refused(student: Student, tmp_path: Path, file: str) -> None:
    student.save(tmp_path / "mood")
    path = tmp_path / "mood" / file
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(Corrupt, match="damaged"):
        Student.load(tmp_path / "mood")


def test_a_card_of_another_student_is_refused(student: Student, tmp_path: Path) -> None:
    student.save(tmp_path / "mood")
    path = tmp_path / "mood" / arrays.CARD
    card = json.loads(path.read_text("utf-8"))
    card["temperature"] = 9.0
    path.write_text(json.dumps(card), "utf-8")
    with pytest.raises(Corrupt):
        Student.load(tmp_path / "mood")
    with pytest.raises(NotFound):
        Student.load(tmp_path / "nobody")


def test_what_cannot_be_learned_is_refused() -> None:
    with pytest.raises(BadInput, match="2 texts but 1"):
        Student.fit("m", ["a", "b"], ["x"])
    with pytest.raises(BadInput, match="at least two labels"):
        Student.fit("m", ["好", "坏"], ["x", "x"])
    with pytest.raises(BadInput, match="Unknown label 'z'"):
        Student.fit("m", ["好", "坏"], ["x", "z"], names=("x", "y"))


def test_cross_probabilities_are_those_of_students_that_had_not_seen_the_text() -> None:
    texts, labels = reviews(300)
    wrong = ["negative" if label == "positive" else "positive" for label in labels[:3]]
    names, chances = cross_probabilities(texts, [*wrong, *labels[3:]])
    truth = np.array([names.index(label) for label in labels])
    assert (chances.argmax(axis=1) == truth)[:3].all()
    assert (chances.argmax(axis=1) == truth).mean() > 0.97


def test_settings_bound_the_size(tmp_path: Path) -> None:
    small = Student.fit("m", *reviews(300), settings=StudentSettings(most=100))
    small.save(tmp_path / "m")
    assert sum(path.stat().st_size for path in (tmp_path / "m").iterdir()) < 4000
