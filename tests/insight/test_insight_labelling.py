"""Labels by people and by a model, the student that learns from them, and what it is trusted with."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from random import Random
from string import ascii_lowercase

import narwhals as nw
import pyarrow as pa
import pytest

from shopkeeper.core.errors import BadInput, Conflict, NotFound, UnknownName
from shopkeeper.core.operation import Actor, Context, find
from shopkeeper.core.period import Period
from shopkeeper.core.schema import TEXTS
from shopkeeper.core.settings import Settings
from shopkeeper.core.types import CannotSay
from shopkeeper.insight import operations as insight
from shopkeeper.insight.reading.readers import registry
from shopkeeper.insight.reading.serving import UNSURE
from shopkeeper.shop.shop import Shop
from shopkeeper.store.labelling import Labelling, Waiting
from shopkeeper.store.labels import Given, Labels
from shopkeeper.warehouse.arrow import arrow_schema

ALL = Period("all")
ANN = frozenset({"*:*"})
GOOD = ["喜欢", "满意", "好用", "推荐", "漂亮", "结实", "划算", "惊喜"]
BAD = ["失望", "难用", "坏了", "后悔", "掉色", "刺鼻", "开裂", "退货"]
FILLER = [
    "颜色", "尺寸", "包装", "客服", "物流", "面料", "手感", "价格", "东西", "整体", "朋友", "家里", "第二次",
    "这款", "店家", "昨天",
]  # fmt: skip
SCRIPT = """
price = [1.0, 1.0]
[[rule]]
match = "不作判断"
reply = { label = "perhaps" }
[[rule]]
match = "失望|难用|坏了|后悔|掉色|刺鼻|开裂|退货|码([a-m][a-z]{2}[n-z]|[n-z][a-z]{2}[a-m])(?![a-z])"
reply = { label = "negative" }
[[rule]]
match = "，"
reply = { label = "positive" }
[[rule]]
reply = { label = "perhaps" }
"""


def review(chance: Random) -> str:
    """A clear review, or one in four that the teacher reads by a code that no student can learn."""
    words = chance.sample(FILLER, 5)
    if chance.random() < 0.25:
        return "，".join(words) + "，码" + "".join(chance.choices(ascii_lowercase, k=4))
    words += chance.sample(GOOD if chance.random() < 0.5 else BAD, 2)
    chance.shuffle(words)
    return "，".join(words)


def negative(body: str) -> bool:
    """What the script says of a review."""
    first, last = (body[-4:-3], body[-1:]) if "码" in body else ("", "")
    coded = bool(first) and (first < "n") != (last < "n")
    return coded or any(word in body for word in BAD)


def fill(shop: Shop, count: int, seed: int = 1) -> None:
    chance, known = Random(seed), len(shop.query(lambda source: source.texts().select("text_id")))
    rows = [
        {
            "text_id": f"t{known + n:05}",
            "kind": "review",
            "author_role": "customer",
            "customer_id": f"c{known + n}",
            "time": datetime(2025, 5, 1, 5, tzinfo=UTC) + timedelta(days=n % 20),
            "day": date(2025, 5, 1) + timedelta(days=n % 20),
            "language": "zh",
            "body": review(chance),
            "source": "test",
        }
        for n in range(count)
    ]
    with shop.writer("test") as writer:
        writer.load(TEXTS.name, pa.Table.from_pylist(rows, schema=arrow_schema(TEXTS)))


def person(shop: Shop, name: str) -> Context:
    return Context(shop, Actor("person", name, ANN))


@pytest.fixture
def taught_by(tmp_path: Path) -> Iterator[Shop]:
    """A shop with 900 reviews whose model answers by a script."""
    script = tmp_path / "teacher.toml"
    script.write_text(SCRIPT, "utf-8")
    settings = Settings(
        time_zone="Asia/Shanghai",
        currency="CNY",
        model=f"scripted:{script}",
        model_budget=100.0,
    )
    with Shop.create(tmp_path / "taught", settings) as shop:
        fill(shop, 900)
        yield shop


def test_two_people_never_hold_the_same_text(shop: Shop) -> None:
    fill(shop, 30)
    done = insight.queue_labels(shop, since=ALL, count=20)
    assert (done.queued, done.random, done.uncertain) == (20, 20, 0)
    ann, bob = person(shop, "ann"), person(shop, "bob")
    first, second = insight.next_label(ann), insight.next_label(bob)
    assert first.text_id != second.text_id
    assert insight.next_label(ann).text_id == first.text_id  # hers until she is done with it
    with pytest.raises(Conflict):
        insight.give_label(bob, text_id=str(first.text_id), label="positive")
    with pytest.raises(Conflict):
        insight.skip_label(bob, text_id=str(first.text_id))
    seen = set()
    for who in (ann, bob) * 20:
        card = insight.next_label(who)
        if card.text_id is None:
            break
        assert card.text_id not in seen
        seen.add(card.text_id)
        insight.give_label(who, text_id=card.text_id, label="negative")
    assert len(seen) == 20
    status = insight.label_status(shop)
    assert (status.waiting, status.done) == (0, 20)
    assert sum(status.labels.values()) == 20
    assert insight.next_label(ann).text_id is None


def test_a_card_shows_the_text_and_every_label(shop: Shop) -> None:
    fill(shop, 3)
    insight.queue_labels(shop, since=ALL, count=3)
    card = insight.next_label(person(shop, "ann"))
    rows = shop.query(lambda s: s.texts().select("text_id", "body")).to_pylist()
    assert {row["text_id"]: row["body"] for row in rows}[card.text_id] == card.text
    assert [one.name for one in card.labels] == ["negative", "neutral", "positive"]
    assert card.why == "random"
    assert card.question


def test_skip_and_undo(shop: Shop) -> None:
    fill(shop, 5)
    insight.queue_labels(shop, since=ALL, count=5)
    ann = person(shop, "ann")
    first = str(insight.next_label(ann).text_id)
    assert insight.skip_label(ann, text_id=first).skipped == 1
    assert insight.undo_label(ann).text_id == first
    assert insight.label_status(shop).skipped == 0
    assert insight.give_label(ann, text_id=first, label="positive").done == 1
    assert insight.undo_label(ann).text_id == first
    assert insight.label_status(shop).labels == {}
    insight.give_label(ann, text_id=first, label="negative")
    assert [one.value for one in Labels(shop.database).of("sentiment")] == ["negative"]
    with pytest.raises(NotFound):
        insight.undo_label(person(shop, "bob"))


def test_what_was_queued_or_labelled_is_not_queued_again(shop: Shop) -> None:
    fill(shop, 30)
    assert insight.queue_labels(shop, since=ALL, count=10).queued == 10
    ann = person(shop, "ann")
    done = str(insight.next_label(ann).text_id)
    insight.give_label(ann, text_id=done, label="positive")
    insight.queue_labels(shop, since=ALL, count=30)
    assert insight.label_status(shop).waiting == 29


def test_a_text_that_is_gone_is_put_aside(shop: Shop) -> None:
    fill(shop, 1)
    Labelling(shop.database).add([Waiting("sentiment", "gone")])
    ann = person(shop, "ann")
    with pytest.raises(NotFound, match="gone"):
        insight.next_label(ann)
    assert insight.next_label(ann).text_id is None
    assert insight.label_status(shop).skipped == 1


@pytest.mark.parametrize(
    ("task", "label"), [("wishes", "x"), ("sentimant", "x"), ("sentiment", "great")]
)
def test_a_wrong_task_or_label_is_refused(shop: Shop, task: str, label: str) -> None:
    with pytest.raises(UnknownName):
        insight.give_label(shop, text_id="t1", label=label, task=task)


def test_an_empty_shop_queues_nothing_and_says_why(shop: Shop) -> None:
    assert isinstance(insight.queue_labels(shop).cannot_say, CannotSay)
    assert isinstance(insight.teach(shop, count=0).cannot_say, CannotSay)


def test_without_a_model_nobody_teaches_and_the_hint_says_what_to_do(shop: Shop) -> None:
    fill(shop, 30)
    with pytest.raises(BadInput):
        insight.teach(shop, count=10)
    few = insight.teach(shop, count=0)
    assert few.cannot_say is not None
    assert "0 labels" in few.cannot_say.reason
    assert few.version is None


@pytest.mark.slow
def test_a_taught_student_serves_what_it_is_sure_of_and_hands_on_the_rest(taught_by: Shop) -> None:
    insight.read(taught_by)
    done = insight.teach(taught_by, count=400, since=ALL)
    assert done.cannot_say is None, done
    assert done.statement is not None
    assert "the teacher" in done.statement
    assert done.labels == 400
    assert done.trained_on + done.proven_on == 400
    assert done.version == registry(taught_by).current("sentiment").version
    assert done.local_share is not None
    read = {one.task: one for one in insight.read(taught_by).tasks}["sentiment"]
    assert (read.read, read.answered_by, read.version) == (900, "sentiment", done.version)
    assert read.escalated == 0
    rows = taught_by.query(
        lambda s: s.readings().filter(nw.col("model_version") == done.version)
    ).to_pylist()
    assert len(rows) == 900
    unsure = [row for row in rows if row["answered_by"].endswith(UNSURE)]
    assert len(unsure) == read.unsure > 50
    assert done.threshold is not None
    for row in rows:
        assert (row["confidence"] < done.threshold) == row["answered_by"].endswith(UNSURE)
        assert row["label"] is not None  # no share leaves the hard ones out
    bodies = {
        row["text_id"]: row["body"]
        for row in taught_by.query(lambda s: s.texts().select("text_id", "body")).to_pylist()
    }
    sure = [row for row in rows if not row["answered_by"].endswith(UNSURE)]
    wrong = sum((row["label"] == "negative") != negative(bodies[row["text_id"]]) for row in sure)
    assert wrong / len(sure) <= 0.05
    assert read.queued == min(50, read.unsure)
    assert insight.label_status(taught_by).waiting == read.queued
    shown = insight.sentiment(taught_by, since=ALL)
    assert shown.unsure == read.unsure
    assert shown.promise == done.statement
    said = insight.sentiment(taught_by, since=ALL, lang="zh").promise
    assert said is not None
    assert "教师模型" in said
    again = {one.task: one for one in insight.read(taught_by).tasks}["sentiment"]
    assert again.read == 0


@pytest.mark.slow
def test_the_unsure_go_to_the_model_as_far_as_is_allowed(taught_by: Shop) -> None:
    insight.teach(taught_by, count=400, since=ALL)
    read = {one.task: one for one in insight.read(taught_by, escalate=40).tasks}["sentiment"]
    assert read.escalated == 40
    assert read.unsure > 0
    rows = taught_by.query(lambda s: s.readings().filter(nw.col("task") == "sentiment")).to_pylist()
    by_teacher = [row for row in rows if row["answered_by"].startswith("teacher:scripted")]
    assert len(by_teacher) == 40


def test_a_cap_that_is_reached_keeps_what_was_paid_for(tmp_path: Path) -> None:
    script = tmp_path / "teacher.toml"
    script.write_text(SCRIPT.replace("[1.0, 1.0]", "[100.0, 100.0]"), "utf-8")
    settings = Settings(
        time_zone="Asia/Shanghai",
        currency="CNY",
        model=f"scripted:{script}",
        model_budget=3.0,
    )
    with Shop.create(tmp_path / "poor", settings) as shop:
        fill(shop, 400)
        done = insight.teach(shop, count=300, since=ALL)
        assert done.stopped
        assert 0 < done.labels < 300
        status = insight.label_status(shop)
        assert sum(status.labels.values()) == done.labels
        assert 0 < status.spent <= 3.0
        assert isinstance(done.cannot_say, CannotSay)  # too few to learn from


def test_a_label_in_no_known_form_is_an_abstention(taught_by: Shop) -> None:
    chance = Random(3)
    rows = [
        {
            "text_id": f"odd{n}",
            "kind": "review",
            "author_role": "customer",
            "customer_id": f"odd{n}",
            "time": datetime(2025, 6, 1, tzinfo=UTC),
            "day": date(2025, 6, 1),
            "body": f"不作判断 {review(chance)}",
            "source": "test",
        }
        for n in range(20)
    ]
    with taught_by.writer("test") as writer:
        writer.load(TEXTS.name, pa.Table.from_pylist(rows, schema=arrow_schema(TEXTS)))
    done = insight.teach(taught_by, count=20, since=Period("2025-06-01..2025-06-01"))
    assert done.labels == 0
    given = Labels(taught_by.database).of("sentiment")
    assert len(given) == 20
    assert all(one.value is None and one.reason for one in given)


def test_people_alone_can_teach_and_the_promise_is_about_people(shop: Shop) -> None:
    fill(shop, 600)
    rows = shop.query(lambda s: s.texts().select("text_id", "body")).to_pylist()
    labels = [
        Given(
            "sentiment", row["text_id"], "person:ann", "person",
            "train" if n % 2 else "audit",
            "negative" if negative(row["body"]) else "positive",
        )
        for n, row in enumerate(rows[:600])
    ]  # fmt: skip
    Labels(shop.database).add(labels)
    done = insight.teach(shop, count=0, since=ALL)
    assert done.version is not None, done
    assert (done.trained_on, done.proven_on) == (300, 300)
    assert done.statement is not None
    assert "people" in done.statement


def test_a_student_worse_than_the_shipped_reader_is_not_put_to_use(shop: Shop) -> None:
    fill(shop, 600)
    insight.read(shop)
    read = shop.query(lambda s: s.readings().filter(nw.col("task") == "sentiment")).to_pylist()
    chance = Random(5)
    labels = [
        Given(
            "sentiment", row["text_id"], "person:ann", "person",
            "train" if n % 2 else "audit",
            # What teaches is noise, what proves is what the shipped reader says.
            chance.choice(["negative", "positive"]) if n % 2 else row["label"],
        )
        for n, row in enumerate(read[:400])
    ]  # fmt: skip
    Labels(shop.database).add(labels)
    done = insight.teach(shop, count=0, since=ALL)
    assert done.version is None
    assert done.cannot_say is not None
    assert "stays in use" in done.cannot_say.reason
    assert insight.label_status(shop).reader == "house"


def test_labels_that_taught_do_not_correct_shares(shop: Shop) -> None:
    fill(shop, 200)
    insight.read(shop)
    rows = shop.query(lambda s: s.texts().select("text_id")).to_pylist()
    store = Labels(shop.database)
    ids = [row["text_id"] for row in rows[:100]]
    store.add([Given("sentiment", i, "person:ann", "person", "audit", "positive") for i in ids])
    before = insight.sentiment(shop, since=ALL).whole
    assert before is not None
    assert before.labels == 100
    store.add([Given("sentiment", i, "teacher:x", "teacher", "train", "positive") for i in ids])
    after = insight.sentiment(shop, since=ALL).whole
    assert after is not None
    assert after.labels == 0
    assert not after.corrected


def test_aspects_are_marked_word_for_word(shop: Shop) -> None:
    fill(shop, 30)
    ann = person(shop, "ann")
    insight.queue_labels(ann, task="aspects", since=ALL, count=10)
    card = insight.next_label(ann, task="aspects")
    assert (card.kind, card.text_id is not None) == ("spans", True)
    assert "delivery" in {one.name for one in card.labels}
    assert card.text is not None
    assert card.text_id is not None
    words = card.text.split("，")
    spans = [
        {"aspect": words[1], "opinion": words[2], "category": "quality", "polarity": "positive"},
        {"opinion": words[0], "category": "general", "polarity": "negative"},
    ]
    give = partial(insight.give_spans.run, ann)
    asked = {"task": "aspects", "text_id": card.text_id}
    for wrong, error in (
        ([spans[0] | {"aspect": "不在文中"}], BadInput),
        ([spans[0] | {"category": "delivry"}], UnknownName),
        ([spans[0] | {"start": 0}], BadInput),
        ([spans[0], spans[0]], Conflict),
        ([{"category": "general", "polarity": "neutral"}], BadInput),
        ([spans[0] | {"polarity": "bad"}], BadInput),
    ):
        with pytest.raises(error):
            give({**asked, "spans": wrong})
    assert Labels(shop.database).of("aspects") == []
    status = give({**asked, "spans": spans})
    assert (status.done, status.labels) == (1, {"person:ann": 1})
    [given] = Labels(shop.database).of("aspects", kind="person")
    start = card.text.index(words[1])
    assert given.value == [
        {"aspect": "", "category": "general", "opinion": words[0], "polarity": -1, "start": -1,
         "end": -1},
        {"aspect": words[1], "category": "quality", "opinion": words[2], "polarity": 1,
         "start": start, "end": start + len(words[1])},
    ]  # fmt: skip
    nothing = insight.next_label(ann, task="aspects")
    assert nothing.text_id not in (None, card.text_id)
    give({"task": "aspects", "text_id": nothing.text_id, "spans": []})  # it judges nothing
    assert insight.undo_label(ann, task="aspects").text_id == nothing.text_id
    assert [one.value for one in Labels(shop.database).of("aspects")] == [given.value]


def test_spans_and_labels_are_not_mixed_up(shop: Shop) -> None:
    fill(shop, 5)
    for task, name, given in (
        ("aspects", "give_label", {"label": "quality"}),
        ("sentiment", "give_spans", {"spans": []}),
    ):
        with pytest.raises(BadInput, match="give_"):
            find(f"insight.{name}").run(person(shop, "a"), {"task": task, "text_id": "t1", **given})
    with pytest.raises(UnknownName):
        insight.teach(shop, task="aspects", count=0)
