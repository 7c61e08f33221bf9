from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from shopkeeper.core.errors import OverBudget
from shopkeeper.store.database import Database
from shopkeeper.store.language_tables import reservations
from shopkeeper.store.spending import Caps, Held, Spending

MINUTE = timedelta(minutes=1)
GONE = timedelta(microseconds=-1)


def _reserve(
    ledger: Spending,
    caps: Caps,
    money: int,
    tokens: int = 10,
    lasts: timedelta = MINUTE,
    **named: str,
) -> Held:
    held = {"month": "2026-11", "model": "m", "purpose": "p"} | named
    return ledger.reserve(caps, held, tokens=tokens, billionths=money, lasts=lasts)


def test_what_is_held_back_counts_against_the_cap_and_what_is_settled_frees_the_rest(
    database: Database,
) -> None:
    ledger, caps = Spending(database), Caps(100)
    first = _reserve(ledger, caps, 60)
    with pytest.raises(OverBudget, match="model") as raised:
        _reserve(ledger, caps, 41)
    assert raised.value.field == "model_budget"
    assert "model_budget" in raised.value.hint
    ledger.settle(first, tokens_in=3, tokens_out=4, billionths=7)
    _reserve(ledger, caps, 93)
    with pytest.raises(OverBudget):
        _reserve(ledger, caps, 1)
    (line,) = ledger.of("2026-11")
    assert (line.calls, line.tokens_in, line.tokens_out, line.billionths) == (1, 3, 4, 7)


def test_what_costs_nothing_is_never_over_a_budget_of_money(database: Database) -> None:
    ledger = Spending(database)
    assert _reserve(ledger, Caps(0), 0)
    with pytest.raises(OverBudget):
        _reserve(ledger, Caps(0), 1)


def test_tokens_have_a_cap_of_their_own(database: Database) -> None:
    ledger, caps = Spending(database), Caps(10**9, tokens=25)
    _reserve(ledger, caps, 1, tokens=20)
    with pytest.raises(OverBudget, match="tokens") as raised:
        _reserve(ledger, caps, 1, tokens=6)
    assert raised.value.field == "model_tokens"
    _reserve(ledger, caps, 1, tokens=5)


def test_each_month_has_its_own_budget(database: Database) -> None:
    ledger, caps = Spending(database), Caps(10)
    _reserve(ledger, caps, 10)
    _reserve(ledger, caps, 10, month="2026-12")


def test_what_a_crashed_process_held_back_is_free_again_and_is_told(database: Database) -> None:
    ledger, caps = Spending(database), Caps(100)
    crashed = _reserve(ledger, caps, 100, lasts=GONE)
    _reserve(ledger, caps, 100)
    lost = ledger.unsettled("2026-11")
    assert (lost.tries, lost.tokens, lost.billionths) == (1, 10, 100)
    ledger.settle(crashed, tokens_in=1, tokens_out=1, billionths=30)  # it only slept
    assert ledger.unsettled("2026-11").tries == 0
    assert ledger.of("2026-11")[0].billionths == 30


def test_a_released_reservation_leaves_nothing(database: Database) -> None:
    ledger = Spending(database)
    ledger.release(_reserve(ledger, Caps(5), 5))
    assert ledger.of("2026-11") == []
    with database.connect() as connection:
        assert connection.execute(select(reservations)).all() == []


def test_a_try_whose_end_is_not_known_is_booked_in_full_and_once(database: Database) -> None:
    ledger = Spending(database)
    held = _reserve(ledger, Caps(50), 50, tokens=30)
    ledger.settle_in_full(held, 20)
    ledger.settle_in_full(held, 20)
    (line,) = ledger.of("2026-11")
    assert (line.calls, line.tokens_in, line.tokens_out, line.billionths) == (1, 20, 10, 50)


def test_lines_are_by_model_and_purpose_and_sum_over_all_months(database: Database) -> None:
    ledger, caps = Spending(database), Caps(10**6)
    for month, purpose in (("2026-10", "p"), ("2026-11", "p"), ("2026-11", "q")):
        held = _reserve(ledger, caps, 5, month=month, purpose=purpose)
        ledger.settle(held, tokens_in=10, tokens_out=1, billionths=5)
    assert [line.purpose for line in ledger.of("2026-11")] == ["p", "q"]
    ever = ledger.ever("m", "p")
    assert ever is not None
    assert (ever.calls, ever.tokens_in, ever.billionths) == (2, 20, 10)
    assert ledger.ever("m", "r") is None


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60), st.booleans()), max_size=12))
def test_spent_and_held_back_never_pass_the_cap(
    database: Database, tries: list[tuple[int, int, bool]]
) -> None:
    ledger, caps = Spending(database), Caps(100)
    month = f"run-{id(tries)}-{len(tries)}-{hash(tuple(tries))}"
    spent = 0
    for asked, used, settled in tries:
        try:
            held = _reserve(ledger, caps, asked, month=month)
        except OverBudget:
            assert asked > 0
            continue
        if settled:
            real = min(asked, used)
            ledger.settle(held, tokens_in=1, tokens_out=1, billionths=real)
            spent += real
        else:
            ledger.release(held)
        assert sum(line.billionths for line in ledger.of(month)) == spent <= caps.money


def test_threads_that_reserve_at_once_do_not_pass_the_cap(database: Database) -> None:
    ledger, caps = Spending(database), Caps(100)
    taken: list[int] = []
    start = threading.Barrier(8)

    def reserve() -> None:
        start.wait()
        for _ in range(5):
            try:
                _reserve(ledger, caps, 9)
            except OverBudget:
                continue
            taken.append(9)

    threads = [threading.Thread(target=reserve) for _ in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sum(taken) == 99


def test_processes_that_reserve_at_once_do_not_pass_the_cap(
    database: Database, url: str, child: Callable[..., Any]
) -> None:
    both = [child("reserve", url), child("reserve", url)]
    assert [one.line() for one in both] == ["ready", "ready"]
    for one in both:
        one.send("go")
    taken = [int(one.line()) for one in both]
    assert sum(taken) == 33
    lost = Spending(database)
    with pytest.raises(OverBudget):
        _reserve(lost, Caps(100), 2)
