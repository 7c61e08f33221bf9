from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
from tests.language.doubles import Clock, Echo, ask, said

from shopkeeper.core.errors import (
    BadReply,
    ModelBusy,
    ModelFailed,
    NotSent,
    OverBudget,
    ShopkeeperError,
)
from shopkeeper.language.retried import Patience, Retried
from shopkeeper.language.types import Reply, Request


def _busy(after: float | None = None) -> ModelBusy:
    error = ModelBusy("wait")
    error.after = after
    return error


def _answers(*given: Reply | BaseException) -> Echo:
    left: Iterator[Reply | BaseException] = iter(given)
    return Echo(lambda _request: next(left))


def _retried(backend: Echo, clock: Clock, patience: Patience | None = None) -> Retried:
    return Retried(backend, patience, clock=clock, sleep=clock.sleep, chance=random.Random(1))


def test_a_busy_model_is_asked_again_after_growing_waits(clock: Clock) -> None:
    backend = _answers(_busy(), _busy(), _busy(), said())
    assert _retried(backend, clock).complete(ask()).text == "yes"
    assert len(backend.asked) == 4
    for number, wait in enumerate(clock.slept):
        assert 0.25 * 2**number <= wait <= 0.5 * 2**number


def test_a_model_that_says_when_to_come_back_is_believed(clock: Clock) -> None:
    _retried(_answers(_busy(17.0), said()), clock).complete(ask())
    assert clock.slept == [17.0]


def test_a_wait_beyond_the_patience_is_not_waited_for(clock: Clock) -> None:
    with pytest.raises(ModelBusy) as raised:
        _retried(_answers(_busy(3600.0)), clock).complete(ask())
    assert clock.slept == []
    assert raised.value.after == 3600.0
    assert raised.value.retryable


def test_tries_end(clock: Clock) -> None:
    backend = _answers(*(_busy() for _ in range(9)))
    with pytest.raises(ModelBusy, match="4 times"):
        _retried(backend, clock).complete(ask())
    assert len(backend.asked) == 4


def test_the_last_try_gets_only_the_time_that_is_left(clock: Clock) -> None:
    def slow(request: Request) -> ModelBusy:
        clock.now += request.timeout
        return _busy()

    backend = Echo(slow)
    with pytest.raises(ModelBusy):
        _retried(backend, clock, Patience(tries=9, overall=100)).complete(ask(timeout=60.0))
    assert [round(one.timeout) for one in backend.asked] == [60, 40]


@pytest.mark.parametrize(
    "error",
    [ModelFailed("no"), BadReply("no"), OverBudget("no"), NotSent("no")],
    ids=lambda error: type(error).__name__,
)
def test_what_waiting_does_not_mend_is_not_tried_again(
    clock: Clock, error: ShopkeeperError
) -> None:
    backend = _answers(error, said())
    with pytest.raises(type(error)):
        _retried(backend, clock).complete(ask())
    assert len(backend.asked) == 1


def test_the_breaker_opens_rests_lets_one_try_and_closes(clock: Clock) -> None:
    patience = Patience(tries=1, breaks=3, rest=30)
    backend = _answers(_busy(), _busy(), _busy(), _busy(), said(), said())
    retried = _retried(backend, clock, patience)
    for _ in range(3):
        with pytest.raises(ModelBusy):
            retried.complete(ask())
    assert retried.breaker.state == "open"
    with pytest.raises(ModelBusy, match="not asked now") as raised:
        retried.complete(ask())
    assert raised.value.after == 30
    assert len(backend.asked) == 3
    clock.now += 30
    assert retried.breaker.state == "half open"
    with pytest.raises(ModelBusy, match="wait"):
        retried.complete(ask())
    assert retried.breaker.state == "open"  # the one try failed: another rest
    clock.now += 30
    assert retried.complete(ask()).text == "yes"
    assert retried.breaker.state == "closed"
    assert retried.complete(ask()).text == "yes"


def test_while_one_tries_a_broken_model_the_others_wait(clock: Clock) -> None:
    refused: list[ModelBusy] = []

    def second(_request: Request) -> Reply:
        with pytest.raises(ModelBusy) as raised:
            retried.complete(ask())
        refused.append(raised.value)
        return said()

    failures = iter([_busy()])
    backend = Echo(lambda request: next(failures, None) or second(request))
    retried = _retried(backend, clock, Patience(tries=1, breaks=1, rest=5))
    with pytest.raises(ModelBusy):
        retried.complete(ask())
    clock.now += 5
    retried.complete(ask())
    assert len(refused) == 1
    assert len(backend.asked) == 2


def test_a_wrong_answer_shows_that_the_model_works(clock: Clock) -> None:
    backend = _answers(_busy(), BadReply("no"), _busy(), said())
    retried = _retried(backend, clock, Patience(tries=1, breaks=2))
    for kind in (ModelBusy, BadReply, ModelBusy):
        with pytest.raises(kind):
            retried.complete(ask())
    assert retried.breaker.state == "closed"
