"""Backends, time and an endpoint that do in a test what they are told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from shopkeeper.language.retried import Patience
from shopkeeper.language.scripted_server import Endpoint, Order
from shopkeeper.language.types import FREE, Message, Price, Reply, Request
from shopkeeper.store.spending import Caps

QUICK = Patience(tries=4, overall=20.0, first=0.01, longest=0.05, breaks=50, rest=0.2)
RICH = Caps(10**15)


def ask(text: str = "good?", purpose: str = "reading", **more: Any) -> Request:
    """A request of one message."""
    return Request((Message("user", text),), purpose, **more)


@dataclass
class Echo:
    """A backend that answers by a function and remembers what it was asked."""

    answer: Callable[[Request], Reply | BaseException]
    name: str = "echo:1"
    remote: bool = True
    price: Price | None = FREE
    asked: list[Request] = field(default_factory=list)
    closed: bool = False

    def complete(self, request: Request) -> Reply:
        self.asked.append(request)
        answer = self.answer(request)
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def close(self) -> None:
        self.closed = True


def said(text: str = "yes", **more: Any) -> Reply:
    """A reply of one token each way."""
    given: dict[str, Any] = {"tokens_in": 1, "tokens_out": 1} | more
    return Reply(text=text, value=given.pop("value", None), model="echo:1", seconds=0.0, **given)


@dataclass
class Clock:
    """Time that passes only when somebody sleeps."""

    now: float = 0.0
    slept: list[float] = field(default_factory=list)

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@dataclass
class Served:
    """A scripted endpoint on loopback."""

    endpoint: Endpoint
    url: str

    def order(self, *orders: str | Order) -> None:
        made = [
            one if isinstance(one, Order) else Order.model_validate({"do": one}) for one in orders
        ]
        self.endpoint.orders.extend(made)

    @property
    def asked(self) -> list[dict[str, Any]]:
        return self.endpoint.asked
