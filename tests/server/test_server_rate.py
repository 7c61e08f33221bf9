"""The sliding window of calls: what it lets through, and when it says that there is room again."""

from __future__ import annotations

import threading

import pytest

from shopkeeper.server import limits
from shopkeeper.server.limits import Rate, TooManyCalls


class Clock:
    def __init__(self) -> None:
        self.now = 6_000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(limits, "time", made)
    return made


def _let_through(rate: Rate, name: str, tries: int) -> int:
    count = 0
    for _ in range(tries):
        try:
            rate.count(name)
        except TooManyCalls:
            continue
        count += 1
    return count


def test_the_minute_before_counts_by_the_share_of_it_that_is_left(clock: Clock) -> None:
    rate = Rate("calls", 100)
    assert _let_through(rate, "a", 150) == 100
    clock.now += 60
    assert _let_through(rate, "a", 150) == 0
    clock.now += 30  # half of the hundred still counts
    assert _let_through(rate, "a", 150) == 50
    assert _let_through(rate, "b", 150) == 100
    clock.now += 120
    assert _let_through(rate, "a", 150) == 100


def test_who_waits_as_long_as_told_is_let_through(clock: Clock) -> None:
    rate = Rate("calls", 50)
    _let_through(rate, "a", 50)
    clock.now += 61
    _let_through(rate, "a", 1)
    _let_through(rate, "a", 50)
    with pytest.raises(TooManyCalls) as refused:
        rate.check("a")
    clock.now += refused.value.retry_after - 1.5
    with pytest.raises(TooManyCalls):
        rate.check("a")
    clock.now += 1.5
    rate.count("a")


def test_refused_calls_are_not_counted_and_no_thread_is_left(clock: Clock) -> None:
    rate, before = Rate("calls", 3), threading.active_count()
    assert _let_through(rate, "a", 1000) == 3
    assert threading.active_count() == before
    clock.now += 60 + 41
    assert _let_through(rate, "a", 10) == 2
