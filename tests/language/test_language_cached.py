from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from pydantic import BaseModel
from tests.language.doubles import Echo, ask, said

from shopkeeper.core.errors import ModelBusy
from shopkeeper.language import prompt
from shopkeeper.language.cached import Cached
from shopkeeper.language.types import Reply, Request
from shopkeeper.store.database import Database
from shopkeeper.store.prompts import Prompts

MINUTE = timedelta(minutes=1)


class Form(BaseModel):
    label: str


class Wider(BaseModel):
    label: str
    more: int = 0


def _cached(
    database: Database, backend: Echo, sleep: Callable[[float], None] = time.sleep
) -> Cached:
    return Cached(backend, Prompts(database), lasts=MINUTE, sleep=sleep)


def _count(_request: Request) -> Reply:
    return said("again", tokens_in=9, tokens_out=9, cost=0.5)


def test_a_second_question_costs_nothing_and_survives_a_restart(database: Database) -> None:
    backend = Echo(_count)
    first = _cached(database, backend).complete(ask())
    second = _cached(database, backend).complete(ask())
    assert len(backend.asked) == 1
    assert not first.cached
    assert (second.text, second.cached) == ("again", True)
    assert (second.tokens_in, second.tokens_out, second.cost) == (0, 0, 0.0)


def test_a_value_comes_back_as_it_was(database: Database) -> None:
    value = Form(label='好\n"x"')
    backend = Echo(lambda _: said(value.model_dump_json(), value=value))
    replies = [_cached(database, backend).complete(ask(schema=Form)) for _ in range(2)]
    assert [one.value for one in replies] == [value, value]
    assert len(backend.asked) == 1


@pytest.mark.parametrize(
    "changed",
    [
        ask("better?"),
        ask(purpose="other"),
        ask(temperature=0.5),
        ask(max_tokens=9),
        ask(version="2"),
        ask(schema=Wider),
    ],
    ids=["text", "purpose", "temperature", "max_tokens", "version", "form"],
)
def test_whatever_an_answer_depends_on_is_part_of_the_key(
    database: Database, changed: Request
) -> None:
    def answer(request: Request) -> Reply:
        value = request.schema.model_validate({"label": "x"}) if request.schema else None
        return said('{"label": "x"}', value=value)

    backend = Echo(answer)
    cached = _cached(database, backend)
    cached.complete(ask())
    assert not cached.complete(changed).cached
    other = Cached(replace(backend, name="echo:2"), Prompts(database), lasts=MINUTE)
    assert not other.complete(ask()).cached


def test_the_random_letters_of_a_fence_and_the_ids_are_not_part_of_the_key(
    database: Database,
) -> None:
    backend = Echo(_count)
    cached = _cached(database, backend)
    for customer in ("a", "b"):
        cached.complete(ask(prompt.fence("the same text"), about=(customer,), timeout=9.0))
    assert len(backend.asked) == 1


def test_a_failure_is_not_kept(database: Database) -> None:
    answers: Iterator[Reply | ModelBusy] = iter([ModelBusy("wait"), said("at last")])
    cached = _cached(database, Echo(lambda _: next(answers)))
    with pytest.raises(ModelBusy):
        cached.complete(ask())
    assert cached.complete(ask()).text == "at last"


def test_many_who_ask_the_same_at_once_ask_once(database: Database) -> None:
    def slow(_request: Request) -> Reply:
        time.sleep(0.3)
        return said("one answer")

    backend = Echo(slow)
    start = threading.Barrier(6)
    found: list[Reply] = []

    def go() -> None:
        start.wait()
        found.append(_cached(database, backend).complete(ask()))

    threads = [threading.Thread(target=go) for _ in range(6)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len(backend.asked) == 1
    assert sorted(one.cached for one in found) == [False] + [True] * 5
    assert {one.text for one in found} == {"one answer"}


def test_one_that_waits_for_a_failure_asks_itself(database: Database) -> None:
    first = threading.Event()
    second = threading.Event()

    def answer(_request: Request) -> Reply | ModelBusy:
        if not first.is_set():
            first.set()
            second.wait(10)
            return ModelBusy("wait")
        return said("mine")

    backend = Echo(answer)

    def go() -> None:
        with pytest.raises(ModelBusy):
            _cached(database, backend).complete(ask())

    thread = threading.Thread(target=go)
    thread.start()
    first.wait(10)

    def sleep(_seconds: float) -> None:
        second.set()
        time.sleep(0.01)

    assert _cached(database, backend, sleep).complete(ask()).text == "mine"
    thread.join()


def test_nobody_waits_for_ever(database: Database) -> None:
    cache = Prompts(database)
    backend = Echo(_count)
    stuck = Cached(backend, cache, lasts=timedelta(days=1))
    key = cache.key(("other",))
    cache.claim(key, model="m", purpose="p", about=(), lasts=timedelta(days=1))
    waiting = Cached(backend, cache, lasts=timedelta(seconds=5), sleep=lambda _s: None)
    with pytest.raises(ModelBusy, match="Somebody else"):
        waiting._claim(key, ask())
    assert stuck.complete(ask()).text == "again"
