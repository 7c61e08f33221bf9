"""A teacher that dies half-way loses no label that was paid for, and holds no money for ever."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from tests.language.doubles import Echo, Served, ask, said

from shopkeeper.core.errors import ModelBusy, OverBudget
from shopkeeper.language.guard import Rules, guard
from shopkeeper.language.many import complete_each
from shopkeeper.language.scripted_server import Order
from shopkeeper.language.types import Price, Reply, Request
from shopkeeper.store.database import Database
from shopkeeper.store.spending import Caps, Spending

TEXTS = 20


def _start(folder: Path) -> subprocess.Popen[str]:
    command = [
        sys.executable,
        str(Path(__file__).with_name("labeller.py")),
        str(folder),
        str(TEXTS),
    ]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_a_killed_run_repeats_only_what_it_had_no_answer_for(
    served: Served, tmp_path: Path
) -> None:
    served.order(*[Order(do="stall", seconds=0.02)] * TEXTS)
    run = _start(tmp_path)
    assert run.stdout is not None
    kept = {int(run.stdout.readline().split()[0]) for _ in range(10)}
    run.kill()
    run.communicate()
    assert len(kept) == 10
    served.endpoint.orders.clear()
    before = _asked(served)
    served.asked.clear()
    again = _start(tmp_path)
    out, errors = again.communicate(timeout=120)
    assert again.returncode == 0, errors
    lines = dict(line.split() for line in out.splitlines())
    assert len(lines) == TEXTS
    assert all(lines[str(n)] == "kept" for n in kept)
    repeated = set(before) & set(_asked(served))
    assert not repeated & {f"text {n}" for n in kept}
    assert len(repeated) <= 2  # what was on its way when it was killed
    database = Database(tmp_path / "state.db")
    assert Spending(database).of("2026-11")[0].calls >= TEXTS - 2
    database.close()


def _asked(served: Served) -> Counter[str]:
    return Counter(body["messages"][-1]["content"] for body in served.asked)


def test_a_spent_budget_ends_the_run_and_keeps_what_was_answered(rules: Rules) -> None:
    backend = Echo(lambda _: said(tokens_in=10, tokens_out=600), price=Price(0, 1.0))
    poor = Rules(**{**vars(rules), "caps": Caps(512_000 + 5 * 600_000)})
    seen: dict[int, Reply] = {}

    def run() -> None:
        for position, reply in complete_each(
            guard(backend, poor), map(ask, "abcdefghijkl"), at_once=1
        ):
            assert isinstance(reply, Reply)
            seen[position] = reply

    with pytest.raises(OverBudget):
        run()
    assert 1 <= len(seen) < 12
    rich = Rules(**{**vars(rules), "caps": Caps(10**12)})
    again = dict(complete_each(guard(backend, rich), map(ask, "abcdefghijkl"), at_once=3))
    assert sum(1 for one in again.values() if isinstance(one, Reply) and one.cached) >= len(seen)
    assert len(backend.asked) == 12


def test_one_question_that_fails_does_not_hold_up_the_others(rules: Rules) -> None:
    def answer(request: Request) -> Reply | ModelBusy:
        return ModelBusy("wait") if request.messages[-1].content == "b" else said()

    found = dict(complete_each(guard(Echo(answer), rules), map(ask, ["x", "b", "y"]), at_once=3))
    assert isinstance(found[1], ModelBusy)
    assert isinstance(found[0], Reply)
    assert isinstance(found[2], Reply)
