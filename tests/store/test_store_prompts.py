from __future__ import annotations

import threading
from datetime import timedelta

from sqlalchemy import select

from shopkeeper.core.subject import Held, Needles, Subject
from shopkeeper.store import erase
from shopkeeper.store.database import Database
from shopkeeper.store.language_tables import prompts
from shopkeeper.store.prompts import Answer, Claim, Prompts

MINUTE = timedelta(minutes=1)
GONE = timedelta(microseconds=-1)


def _claim(
    cache: Prompts, key: str, about: tuple[str, ...] = (), lasts: timedelta = MINUTE
) -> Claim | Answer | None:
    return cache.claim(key, model="m", purpose="p", about=about, lasts=lasts)


def _ask(cache: Prompts, key: str, text: str, about: tuple[str, ...] = ()) -> None:
    claim = _claim(cache, key, about)
    assert isinstance(claim, Claim)
    cache.keep(claim, {"text": text})


def test_an_answer_is_kept_and_found_by_another_process(database: Database, url: str) -> None:
    _ask(Prompts(database), "k", "好 \ud800 \x00")
    other = Database(url)
    found = _claim(Prompts(other), "k")
    assert isinstance(found, Answer)
    assert found.reply["text"].startswith("好 ")
    assert Prompts(other).count() == 1
    other.close()


def test_the_key_is_the_shops_own_and_the_prompt_is_not_kept(
    database: Database, tmp_path: object
) -> None:
    cache = Prompts(database)
    key = cache.key(["m", "call 13800138000"])
    assert key == Prompts(database).key(["m", "call 13800138000"])
    assert key != cache.key(["m", "call 13800138001"])
    assert cache.key(["a", "b"]) != cache.key(["ab", ""])
    _ask(cache, key, "ok")
    with database.connect() as connection:
        row = connection.execute(select(prompts)).one()
    assert "13800138000" not in str(row)


def test_only_one_asks_while_the_others_wait(database: Database) -> None:
    cache = Prompts(database)
    asked: list[object] = []
    start = threading.Barrier(6)

    def claim() -> None:
        start.wait()
        asked.append(_claim(Prompts(database), "k"))

    threads = [threading.Thread(target=claim) for _ in range(6)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    claims = [one for one in asked if isinstance(one, Claim)]
    assert len(claims) == 1
    assert asked.count(None) == 5
    cache.keep(claims[0], {"text": "a"})
    assert isinstance(_claim(cache, "k"), Answer)


def test_a_claim_that_was_given_up_or_ran_out_is_free(database: Database) -> None:
    cache = Prompts(database)
    first = _claim(cache, "k")
    assert isinstance(first, Claim)
    cache.give_up(first)
    crashed = _claim(cache, "k", lasts=GONE)
    assert isinstance(crashed, Claim)
    second = _claim(cache, "k")
    assert isinstance(second, Claim)
    cache.give_up(crashed)  # wakes late: the second's claim is not its own
    assert _claim(cache, "k") is None
    cache.keep(crashed, {"text": "paid for, late"})
    found = _claim(cache, "k")
    assert isinstance(found, Answer)
    cache.keep(second, {"text": "later"})
    again = _claim(cache, "k")
    assert isinstance(again, Answer)
    assert again.reply == found.reply == {"text": "paid for, late"}


def test_answers_about_an_erased_customer_or_naming_them_are_removed_and_not_kept_again(
    database: Database,
) -> None:
    cache = Prompts(database)
    _ask(cache, "about", "fine", about=("customer-ann", "customer-bob"))
    _ask(cache, "named", "王小明 (ann.li@example.cn) says it broke")
    _ask(cache, "other", "all well", about=("customer-bob",))
    waiting = _claim(cache, "waiting", about=("customer-ann",))
    assert isinstance(waiting, Claim)
    ann = Subject(
        "customer-ann", "retained-1", (Held("customer-ann"),), words=("ann.li@example.cn",)
    )
    needles = Needles.of(ann)
    found = erase.found(database, needles)
    assert found["prompts.about"] == 2
    assert found["prompts.reply"] == 1
    erase.erase(database, [ann], 0)
    assert not any(name.startswith("prompts") for name in erase.found(database, needles))
    cache.keep(waiting, {"text": "it came after the erasure"})
    with database.connect() as connection:
        assert connection.scalars(select(prompts.c.key)).all() == ["other"]
