"""No generative model: the shop's own readers answer tasks, and nothing writes texts."""

from __future__ import annotations

from shopkeeper.core.errors import CannotAnswer
from shopkeeper.language.backends.base import Ready
from shopkeeper.language.types import FREE, Backend, Price, Reply, Request

NEEDS = ""


class House:
    """The default. Tasks that have a shipped reader never come here: the layer of tasks asks the reader."""

    name = "house"
    remote = False
    price = FREE

    def complete(self, request: Request) -> Reply:
        """Nothing.

        Raises:
            CannotAnswer: always; says what would answer.
        """
        raise CannotAnswer(
            f"The house has no model that writes, so nobody answers {request.purpose!r}.",
            hint="Set `model` in shopkeeper.toml: openai:<model>, or transformers:<folder>.",
            field="model",
        )

    def close(self) -> None:
        """Nothing to give back."""


def ready(model: str) -> Ready:  # noqa: ARG001 - as every backend
    """Always."""
    return Ready(True, "the shipped readers answer tasks; nothing writes texts")


def price(model: str, declared: Price | None) -> Price | None:  # noqa: ARG001 - as every backend
    """Nothing."""
    return FREE


def open(model: str, price: Price | None) -> Backend:  # noqa: A001, ARG001 - as every backend
    """The house."""
    return House()
