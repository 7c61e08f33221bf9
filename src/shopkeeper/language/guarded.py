"""Personal data are masked before anything is stored or sent, and put back on this machine alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from pydantic import BaseModel, ValidationError

from shopkeeper.core.errors import BadReply, NotSent, TooLarge
from shopkeeper.language import tokens
from shopkeeper.language.types import Backend, Message, Price, Reply, Request
from shopkeeper.trust.personal import Masker, Patterns

MaySend = Callable[[Request], bool]
"""Whether the texts of a request may go to a model that is not on this machine, masked as they are."""


class Guarded:
    """A backend that sees masks such as ``<手机1>`` in place of personal data."""

    def __init__(
        self, backend: Backend, *, may_send: MaySend, patterns: Patterns, window: int
    ) -> None:
        """``window`` is about how many tokens a prompt may have: a longer one is refused."""
        self.backend = backend
        self._may_send = may_send
        self._patterns = patterns
        self._window = window

    @property
    def name(self) -> str:
        return self.backend.name

    @property
    def remote(self) -> bool:
        return self.backend.remote

    @property
    def price(self) -> Price | None:
        return self.backend.price

    def complete(self, request: Request) -> Reply:
        """The backend's reply to the masked request, with the masks in it undone.

        Raises:
            TooLarge: the prompt is longer than allowed; says how long.
            NotSent: whose texts they are did not agree, and the model is not on this machine.
            BadReply: with the masks undone the value no longer keeps to its form.
        """
        self._check_length(request)
        if self.remote and not self._may_send(request):
            raise NotSent(
                f"Texts for {request.purpose} may not be sent to {self.name}: not all customers whose "
                "texts they are agreed to it.",
                hint="Ask for their consent to the purpose `models`, or use a model on this machine.",
            )
        masker = Masker(self._patterns)
        masked = tuple(Message(m.role, masker.mask(m.content).text) for m in request.messages)
        reply = self.backend.complete(replace(request, messages=masked))
        value = None if reply.value is None else _restored(reply.value, masker)
        if value is None or reply.value == value:
            return replace(reply, text=masker.restore(reply.text), value=value)
        return replace(reply, text=value.model_dump_json(), value=value)

    def close(self) -> None:
        """Close the backend."""
        self.backend.close()

    def _check_length(self, request: Request) -> None:
        length = tokens.likely_prompt(request.messages)
        if length > self._window:
            raise TooLarge(
                f"The prompt for {request.purpose} has about {length:,} tokens; at most {self._window:,} are "
                "sent.",
                hint="Send fewer or shorter texts at once, or raise model_window in shopkeeper.toml.",
            )


def _restored(value: BaseModel, masker: Masker) -> BaseModel:
    try:
        return type(value).model_validate(_undone(value.model_dump(mode="json"), masker))
    except ValidationError as error:
        raise BadReply(
            "With personal data put back, a model's answer no longer keeps to its form.",
            hint="Allow longer texts in the form.",
        ) from error


def _undone(value: Any, masker: Masker) -> Any:
    if isinstance(value, str):
        return masker.restore(value)
    if isinstance(value, dict):
        return {masker.restore(key): _undone(one, masker) for key, one in value.items()}
    if isinstance(value, list):
        return [_undone(one, masker) for one in value]
    return value
