from __future__ import annotations

import threading
from datetime import timedelta

import pytest

from shopkeeper.core.errors import Conflict, NotFound
from shopkeeper.core.subject import Held, Needles, Subject
from shopkeeper.stats.summary import Proportion
from shopkeeper.store import erase
from shopkeeper.store.database import Database
from shopkeeper.store.labelling import Labelling, Waiting
from shopkeeper.store.labels import Given, Kind, Labels
from shopkeeper.store.models import Model, Models


def given(
    text_id: str,
    value: object,
    labeller: str = "teacher:m",
    *,
    customer_id: str | None = None,
    reason: str = "",
    billionths: int = 0,
) -> Given:
    kind: Kind = "person" if labeller.startswith("person") else "teacher"
    return Given("mood", text_id, labeller, kind, "train", value, customer_id, reason, billionths)


def test_labels_come_back_and_a_second_one_of_the_same_labeller_is_ignored(
    database: Database,
) -> None:
    labels = Labels(database)
    assert labels.add([given("t1", "good", billionths=5), given("t2", None, reason="no form")]) == 2
    assert labels.add([given("t1", "bad"), given("t1", "bad", "person:ann")]) == 1
    assert [(one.text_id, one.value) for one in labels.of("mood")] == [
        ("t1", "good"),
        ("t2", None),
        ("t1", "bad"),
    ]
    assert labels.known("mood", "teacher:m", ["t1", "t2", "t3"]) == {"t1", "t2"}
    assert labels.spent("mood") == 5
    assert labels.counts("mood") == {"person:ann": 1, "teacher:m": 1}
    assert labels.of("mood", kind="person")[0].labeller == "person:ann"
    assert labels.add([]) == 0


def test_an_undone_label_can_be_given_again(database: Database) -> None:
    labels = Labels(database)
    labels.add([given("t1", "good")])
    assert labels.undo("mood", "t1", "teacher:m").value == "good"
    assert labels.of("mood") == []
    assert labels.add([given("t1", "bad")]) == 1
    with pytest.raises(NotFound):
        labels.undo("mood", "t9", "teacher:m")


def test_agreement_counts_texts_that_people_labelled_too(database: Database) -> None:
    labels = Labels(database)
    labels.add([given(f"t{n}", "good") for n in range(4)])
    labels.add([given(f"t{n}", "good" if n else "bad", "person:ann") for n in range(3)])
    assert labels.agreement("mood", "teacher:m") == Proportion(3, 2)


def test_two_people_never_get_the_same_text(database: Database) -> None:
    queue = Labelling(database)
    assert queue.add([Waiting("mood", f"t{n}") for n in range(30)]) == 30
    assert queue.add([Waiting("mood", "t3")]) == 0
    got: dict[str, list[str]] = {who: [] for who in ("ann", "bob", "cyd")}

    def work(who: str) -> None:
        while (waiting := queue.claim("mood", who)) is not None:
            got[who].append(waiting.text_id)
            queue.label("mood", waiting.text_id, who, "good")

    threads = [threading.Thread(target=work, args=(who,)) for who in got]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    every = [text_id for texts in got.values() for text_id in texts]
    assert sorted(every) == sorted(f"t{n}" for n in range(30))
    assert queue.counts("mood") == {"waiting": 0, "done": 30, "skipped": 0}
    assert len(Labels(database).of("mood", kind="person")) == 30


def test_a_claim_holds_for_its_holder_and_ends_with_its_lease(database: Database) -> None:
    queue = Labelling(database)
    queue.add([Waiting("mood", "low"), Waiting("mood", "high", priority=2, why="unsure")])
    first = queue.claim("mood", "ann")
    assert first is not None
    assert (first.text_id, first.why) == ("high", "unsure")
    assert queue.claim("mood", "ann") == first
    other = queue.claim("mood", "bob")
    assert other is not None
    assert other.text_id == "low"
    with pytest.raises(Conflict, match="not held by bob"):
        queue.label("mood", "high", "bob", "good")
    short = Labelling(database, lasts=timedelta(seconds=-1))
    short.add([Waiting("mood", "slow", priority=9)])
    assert short.claim("mood", "ann")
    with pytest.raises(Conflict):
        short.label("mood", "slow", "ann", "good")
    taken = queue.claim("mood", "cyd")
    assert taken is not None
    assert taken.text_id == "slow"


def test_skip_and_undo_go_back_one_by_one(database: Database) -> None:
    queue, labels = Labelling(database), Labels(database)
    queue.add(
        [Waiting("mood", "a", priority=2, customer_id="c1"), Waiting("mood", "b", priority=1)]
    )
    queue.claim("mood", "ann")
    assert queue.label("mood", "a", "ann", "good").customer_id == "c1"
    queue.claim("mood", "ann")
    queue.skip("mood", "b", "ann")
    assert queue.counts("mood")["skipped"] == 1
    assert queue.claim("mood", "ann") is None
    assert queue.undo("mood", "ann").text_id == "b"
    assert queue.undo("mood", "ann").text_id == "a"
    assert labels.of("mood") == []
    with pytest.raises(NotFound):
        queue.undo("mood", "ann")
    queue.label("mood", "a", "ann", "bad")
    assert labels.of("mood")[0].value == "bad"


def test_models_are_promoted_and_rolled_back_further_each_time(database: Database) -> None:
    models = Models(database)
    for version in ("v1", "v2", "v3"):
        models.add(Model("mood", version, "student", "mood", {"accuracy": 0.9}))
        models.add(Model("mood", version, "student", "mood", {"accuracy": 0.1}))
        models.promote("mood", version, by="ann")
    assert models.current("mood") == models.get("mood", "v3")
    assert models.get("mood", "v1").card == {"accuracy": 0.9}
    assert models.rollback("mood", by="bob", why="worse").version == "v2"
    assert models.rollback("mood", by="bob", why="still").version == "v1"
    with pytest.raises(Conflict, match="no earlier version"):
        models.rollback("mood", by="bob", why="again")
    assert [one.version for one in models.history("mood")] == ["v1", "v2", "v3", "v2", "v1"]
    models.promote("mood", "v3", by="ann")
    assert models.rollback("mood", by="ann", why="").version == "v1"
    assert models.names() == ["mood"]
    assert len(models.versions("mood")) == 3
    assert models.current("other") is None
    with pytest.raises(NotFound):
        models.promote("mood", "v9", by="ann")


def test_erasing_a_customer_removes_their_labels_and_waiting_texts(database: Database) -> None:
    labels, queue = Labels(database), Labelling(database)
    labels.add([given("t1", "good", customer_id="cust-4711"), given("t2", "good", customer_id="x")])
    queue.add([Waiting("mood", "t1", customer_id="cust-4711"), Waiting("mood", "t2")])
    someone = Subject("cust-4711", "retained-1", (Held("cust-4711"),))
    assert erase.found(database, Needles.of(someone))
    erase.erase(database, [someone], 0)
    assert erase.found(database, Needles.of(someone)) == {}
    assert [one.text_id for one in labels.of("mood")] == ["t2"]
    assert queue.counts("mood")["waiting"] == 1
