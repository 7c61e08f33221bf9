"""What keeps fifty pages quick: one version of the events for all, and each question worked out once."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

import pytest
from nicegui import helpers

from shopkeeper.collect.accept import prepare, rules
from shopkeeper.console import signatures
from shopkeeper.console.calls import Calls
from shopkeeper.console.options import ConsoleOptions
from shopkeeper.console.sessions import Sessions
from shopkeeper.core import discovery, operation
from shopkeeper.core.operation import OWNER
from shopkeeper.governance.operations import restrict
from shopkeeper.shop.shop import Shop


def _send(shop: Shop, number: int) -> None:
    call = {"type": "track", "messageId": f"m{number}", "userId": "u1", "event": "Product Viewed"}
    made = prepare({"batch": [call]}, rules(shop, OWNER, browser=False), shop.now(), kind="batch")
    shop.log.append([made.entries])
    with shop.writer("test") as writer:
        writer.drain()


@pytest.fixture
def calls(shop: Shop) -> Calls:
    sessions = Sessions(b"secret", idle_seconds=60, longest_seconds=60)
    return Calls(shop, sessions, ConsoleOptions(stamp_seconds=0))


def test_the_version_of_the_events_is_held_the_longer_the_more_it_costs(
    shop: Shop, calls: Calls
) -> None:
    _send(shop, 1)
    first = calls.stamp()
    _send(shop, 2)
    second = calls.stamp()
    assert second != first  # nothing was worked out yet: what is new shows at once
    calls._took(30.0)
    _send(shop, 3)
    assert calls.stamp() == second
    calls.renew()  # a job has ended
    assert calls.stamp() != second


def test_who_is_restricted_leaves_held_figures_at_once(shop: Shop, calls: Calls) -> None:
    _send(shop, 1)
    before = calls.stamp()
    calls._took(30.0)
    restrict(shop, "u1")
    assert calls.stamp()[0] == before[0]
    assert calls.stamp() != before


def test_a_question_is_worked_out_once_for_all_who_ask(
    shop: Shop, calls: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    _send(shop, 1)
    shop.persons.add("viewer@example.com", "correct horse battery staple", "viewer")
    session = calls.sessions.find(calls.sessions.open("viewer@example.com"))
    worked: list[float] = []
    monkeypatch.setattr(calls, "_took", worked.append)

    async def asked() -> list[Any]:
        ask = partial(calls.run, session, "metrics.overview", since="30d")
        return await asyncio.gather(*(ask() for _ in range(20)))

    replies = asyncio.run(asked())
    assert all(one is replies[0] for one in replies)
    assert len(worked) == 1
    calls.close()


def _none() -> None: ...


def _one(argument: int) -> int:
    return argument


class _Handlers:
    def none(self) -> None: ...

    def one(self, _event: object) -> None: ...

    def some(self, *_events: object, lang: str = "en") -> None: ...

    @classmethod
    def of_class(cls, _event: object) -> None: ...


@pytest.mark.parametrize(
    "handler",
    [_none, _one, partial(_one, 1), lambda: None, lambda _: None, _Handlers().none,
     _Handlers().one, _Handlers().some, _Handlers.of_class, [].append],
    ids=["none", "one", "partial", "lambda0", "lambda1", "m0", "m1", "m*", "class", "builtin"],
)  # fmt: skip
def test_handlers_are_asked_for_their_arguments_as_nicegui_does(handler: Any) -> None:
    for _ in range(2):
        assert signatures.expects_arguments(handler) is signatures._asked(handler)
    assert helpers.expects_arguments is not None


def test_operations_are_looked_for_once() -> None:
    assert operation.find("metrics.overview") is operation.find("metrics.overview")
    known = discovery.capabilities()
    known["foreign"] = "nowhere"  # a copy: nobody can add to what is found
    assert "foreign" not in discovery.capabilities()
    declared = operation.of("metrics")
    declared.clear()
    assert operation.of("metrics")
