"""Group commit: durable before answered, one transaction for many, a failure only for its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence

import pytest

from shopkeeper.core.errors import BadInput, Unavailable
from shopkeeper.server.commit import Committer


def _submit(committer: Committer[Sequence[str]], rows: Sequence[str]) -> asyncio.Future[int]:
    return committer.submit(rows, len(rows))


class Book:
    """An append-only list that fails for rows called ``bad`` and can be held up."""

    def __init__(self) -> None:
        self.calls: list[list[list[str]]] = []
        self.rows: list[str] = []
        self.open = threading.Event()
        self.open.set()

    def append(self, groups: Sequence[Sequence[str]]) -> list[int]:
        self.open.wait(5)
        self.calls.append([list(group) for group in groups])
        if any(row == "bad" for group in groups for row in group):
            raise BadInput("no")
        if any(row == "broken" for group in groups for row in group):
            raise RuntimeError("secret path /home/x")
        new = []
        for group in groups:
            fresh = [row for row in group if row not in self.rows]
            self.rows += fresh
            new.append(len(fresh))
        return new


def test_waiting_requests_share_one_transaction() -> None:
    book = Book()

    async def go() -> list[int]:
        committer = Committer(book.append, most_waiting=100)
        book.open.clear()
        first = _submit(committer, ["a"])
        await asyncio.sleep(0.05)  # the committer holds the first transaction now
        rest = [_submit(committer, [f"b{n}", f"c{n}"]) for n in range(10)]
        book.open.set()
        results = list(await asyncio.gather(first, *rest))
        committer.close()
        return results

    assert asyncio.run(go()) == [1] + [2] * 10
    assert [len(call) for call in book.calls] == [1, 10]


def test_a_failed_commit_fails_exactly_its_requests() -> None:
    book = Book()

    async def go() -> list[int | BaseException]:
        committer = Committer(book.append, most_waiting=100)
        book.open.clear()
        first = _submit(committer, ["x"])
        await asyncio.sleep(0.05)
        rest = [_submit(committer, [name]) for name in ("good", "bad", "broken", "fine")]
        book.open.set()
        results = list(await asyncio.gather(first, *rest, return_exceptions=True))
        committer.close()
        return results

    results = asyncio.run(go())
    assert results[0] == 1
    assert results[1] == 1
    assert isinstance(results[2], BadInput)
    assert isinstance(results[3], Unavailable)
    assert "secret" not in str(results[3])
    assert results[4] == 1
    assert sorted(book.rows) == ["fine", "good", "x"]


def test_a_full_queue_answers_unavailable_and_takes_events_again_later() -> None:
    book = Book()

    async def go() -> None:
        committer = Committer(book.append, most_waiting=5)
        book.open.clear()
        held = _submit(committer, ["held"])
        await asyncio.sleep(0.05)
        waits = _submit(committer, ["1", "2", "3", "4", "5"])
        assert committer.full
        with pytest.raises(Unavailable) as refused:
            _submit(committer, ["6"])
        assert refused.value.retryable
        book.open.set()
        assert await held == 1
        assert await waits == 5
        assert not committer.full
        assert await _submit(committer, ["6"]) == 1
        committer.close()

    asyncio.run(go())


def test_closing_writes_what_waits_and_refuses_more() -> None:
    book = Book()

    async def go() -> None:
        committer = Committer(book.append, most_waiting=100)
        waiting = [_submit(committer, [str(n)]) for n in range(20)]
        await asyncio.to_thread(committer.close)
        assert sum(await asyncio.gather(*waiting)) == 20
        with pytest.raises(Unavailable):
            _submit(committer, ["late"])

    asyncio.run(go())
    assert len(book.rows) == 20


def test_a_client_that_went_away_does_not_disturb_the_others() -> None:
    book = Book()

    async def go() -> int:
        committer = Committer(book.append, most_waiting=100)
        book.open.clear()
        gone, stays = _submit(committer, ["gone"]), _submit(committer, ["stays"])
        gone.cancel()
        book.open.set()
        new = await stays
        committer.close()
        return new

    assert asyncio.run(go()) == 1
    assert sorted(book.rows) == ["gone", "stays"]  # accepted rows are kept even when nobody waits
