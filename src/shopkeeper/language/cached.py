"""The same masked prompt is asked once: by any thread, process or later run."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from pydantic import ValidationError

from shopkeeper.core.errors import Corrupt, ModelBusy
from shopkeeper.language import prompt
from shopkeeper.language.types import Backend, Price, Reply, Request
from shopkeeper.store.prompts import Answer, Claim, Prompts

_LOOK_AGAIN = 0.05
_LONGEST_LOOK = 1.0


class Cached:
    """A backend whose answers are kept in the store. A kept answer takes no token and costs nothing."""

    def __init__(
        self,
        backend: Backend,
        cache: Prompts,
        *,
        lasts: timedelta,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """``lasts`` is how long one that asks is waited for: longer than all its tries can take."""
        self.backend = backend
        self._cache = cache
        self._lasts = lasts
        self._sleep = sleep

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
        """The kept reply, or the backend's, kept as soon as it is there."""
        began = time.perf_counter()
        key = self._cache.key(parts(self.name, request))
        found = self._claim(key, request)
        if isinstance(found, Answer):
            return _restored(found, request, time.perf_counter() - began)
        try:
            reply = self.backend.complete(request)
        except BaseException:
            self._cache.give_up(found)
            raise
        self._cache.keep(found, {"text": reply.text, "model": reply.model, "whole": reply.whole})
        return reply

    def close(self) -> None:
        """Close the backend."""
        self.backend.close()

    def _claim(self, key: str, request: Request) -> Claim | Answer:
        wait, waited = _LOOK_AGAIN, 0.0
        while True:
            found = self._cache.claim(
                key,
                model=self.name,
                purpose=request.purpose,
                about=request.about,
                lasts=self._lasts,
            )
            if found is not None:
                return found
            if waited > 2 * self._lasts.total_seconds():
                raise ModelBusy("Somebody else has asked the same and gets no answer.")
            self._sleep(wait)
            waited += wait
            wait = min(_LONGEST_LOOK, wait * 1.5)


def parts(name: str, request: Request) -> tuple[str, ...]:
    """All that an answer depends on: model, prompt, its version, form and parameters."""
    schema: dict[str, Any] | None = None
    if request.schema is not None:
        schema = request.schema.model_json_schema()
    return (
        name,
        request.purpose,
        request.version,
        json.dumps(schema, sort_keys=True),
        repr(request.temperature),
        str(request.max_tokens),
        *(f"{one.role}\n{prompt.canonical(one.content)}" for one in request.messages),
    )


def _restored(found: Answer, request: Request, seconds: float) -> Reply:
    kept = found.reply
    reply = Reply(
        text=kept["text"],
        value=None,
        tokens_in=0,
        tokens_out=0,
        model=kept["model"],
        seconds=seconds,
        cached=True,
        whole=kept["whole"],
    )
    if request.schema is None:
        return reply
    try:
        return replace(reply, value=request.schema.model_validate_json(reply.text))
    except ValidationError as error:
        raise Corrupt("A kept answer of a model is not of the form it was kept under.") from error
