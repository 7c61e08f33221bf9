"""What is asked of a language model, what it answers, and what a model is."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, Protocol, runtime_checkable

from pydantic import BaseModel

Role = Literal["system", "user", "assistant"]

BILLIONTHS = 1_000_000_000
"""Amounts are counted in whole billionths of the shop's currency, so that sums are exact."""


@dataclass(frozen=True, slots=True)
class Message:
    """One turn. Untrusted text in it must be fenced: :mod:`shopkeeper.language.prompt`."""

    role: Role
    content: str


@dataclass(frozen=True, slots=True)
class Request:
    """One question.

    ``purpose`` is the name of the task, ``version`` that of the prompt. ``about`` are the ids of the
    customers whose texts are in the messages: consent is asked for them, and erasing one of them
    erases the answer; ids are never sent. ``schema`` is the form of the answer; without one it is text.
    ``max_tokens`` bounds what the model may write, ``timeout`` the seconds of one try.
    """

    messages: tuple[Message, ...]
    purpose: str
    schema: type[BaseModel] | None = None
    version: str = ""
    about: tuple[str, ...] = ()
    temperature: float = 0.0
    max_tokens: int = 512
    timeout: float = 60.0


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer: its text, and where a form was asked for the checked value.

    ``tokens_in`` and ``tokens_out`` are what it took, repairs included, ``cost`` what that costs in
    the shop's currency, ``seconds`` the wall time. A ``cached`` reply took and costs nothing. Where
    ``whole`` is False the text was cut at ``max_tokens``.
    """

    text: str
    value: BaseModel | None
    tokens_in: int
    tokens_out: int
    model: str
    seconds: float
    cost: float = 0.0
    cached: bool = False
    whole: bool = True


@dataclass(frozen=True, slots=True)
class Price:
    """What a million tokens cost, sent and written, in the shop's currency."""

    sent: float
    written: float

    @property
    def free(self) -> bool:
        return self.sent == 0 and self.written == 0

    def billionths(self, tokens_in: int, tokens_out: int) -> int:
        """What these tokens cost, rounded up to a billionth."""
        exact = Fraction(str(self.sent)) * tokens_in + Fraction(str(self.written)) * tokens_out
        return -(-exact.numerator * 1000 // exact.denominator)


FREE = Price(0.0, 0.0)


@runtime_checkable
class Backend(Protocol):
    """A language model, or a wrapper around one. Safe to use from several threads."""

    @property
    def name(self) -> str:
        """What it is opened by: ``openai:<model>``, ``transformers:<folder>`` and the like."""
        ...

    @property
    def remote(self) -> bool:
        """Whether what it is sent leaves this machine."""
        ...

    @property
    def price(self) -> Price | None:
        """What it costs; None where nobody has said."""
        ...

    def complete(self, request: Request) -> Reply:
        """The answer.

        Raises:
            ModelBusy: it may answer later.
            BadReply: it did not keep to the form, also when told so.
            ModelFailed: it will not answer this.
        """
        ...

    def close(self) -> None:
        """Give back connections and memory."""
        ...
