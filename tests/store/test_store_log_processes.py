from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from shopkeeper.store.database import Database
from shopkeeper.store.log import IntakeLog

Start = Callable[..., Any]


def test_a_reader_that_follows_the_log_misses_nothing(
    database: Database, url: str, child: Start
) -> None:
    """Two processes append while this one reads on from the last number it saw.

    They append by turns of five, both at once, so that neither is done before the other begins.
    """
    log = IntakeLog(database)
    turns, turn = 12, 5
    writers = [child("append", url, name, str(turns * turn), str(turn)) for name in "ab"]
    for writer in writers:
        assert writer.line() == "ready"
    seen: list[tuple[int, str, bytes]] = []
    deadline = time.monotonic() + 30
    for done in range(1, turns + 1):
        for writer in writers:
            writer.send("go")
        while len(seen) < 2 * 3 * turn * done and time.monotonic() < deadline:
            seen += log.read(seen[-1][0] if seen else 0, 50)
    assert seen == log.read(0, 10_000)
    assert len({payload for _, _, payload in seen}) == 2 * 3 * turns * turn
    for name in "ab":  # each writer's own order is kept, and its transactions are not torn
        mine = [p.decode() for _, _, p in seen if p.decode().startswith(f"{name}-")]
        assert mine == [f"{name}-{n}-{row}" for n in range(turns * turn) for row in range(3)]


def test_kill_9_loses_no_acknowledged_row_and_doubles_none(
    database: Database, url: str, child: Start
) -> None:
    writer = child("append", url, "w", "100000")
    assert writer.line() == "ready"
    writer.send("go")
    said = [writer.line() for _ in range(10)]
    writer.kill()
    said += [line for line in writer.lines() if line.isdigit()]
    stored = [payload.decode() for _, _, payload in IntakeLog(database).read(0, 1_000_000)]
    promised = [f"w-{number}-{row}" for number in said for row in range(3)]
    assert stored[: len(promised)] == promised
    assert len(stored) == len(set(stored))
    assert len(stored) % 3 == 0  # a transaction is there whole or not at all

    again = child("append", url, "w", str(len(said) + 1))  # the sender repeats what it is unsure of
    assert again.line() == "ready"
    again.send("go")
    assert again.lines() == [str(number) for number in range(len(said) + 1)]
    stored = [payload.decode() for _, _, payload in IntakeLog(database).read(0, 1_000_000)]
    assert len(stored) == len(set(stored)) >= 3 * (len(said) + 1)
