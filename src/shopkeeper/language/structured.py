"""An answer in the form that was asked for: read leniently, checked strictly, repaired once."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice

from pydantic import BaseModel, ValidationError

from shopkeeper.core.errors import BadReply, ModelFailed
from shopkeeper.language import prompt
from shopkeeper.language.types import Message, Reply, Request

LONGEST = 200_000
"""Characters of an answer that are looked at: a longer one is refused."""

_THOUGHT = re.compile(r"\A\s*<think>.*?</think>", re.DOTALL)
_FENCE = re.compile(r"```(?:json)?\s*\n(.*?)```", re.DOTALL)
_SAID = 1200
_PLACES = 32  # at which an answer is tried for JSON: a hostile one is all brackets


@dataclass(frozen=True, slots=True)
class Raw:
    """What came out of one turn. ``whole`` is False where it was cut at the limit of tokens."""

    text: str
    tokens_in: int
    tokens_out: int
    whole: bool = True


Ask = Callable[[tuple[Message, ...], bool], Raw]
"""Put these messages to the model; the flag says that they ask for a repair."""


class NotTheForm(ValueError):
    """The text does not hold a value of the form; says why, in words for the model."""


def answer(name: str, request: Request, ask: Ask) -> Reply:
    """The model's reply, asked a second time with the error shown if the first breaks the form.

    Raises:
        BadReply: the second did so as well; it says what both cost.
    """
    began = time.perf_counter()
    first = _kept_short(ask(request.messages, False))
    if request.schema is None:
        return _reply(name, first, None, began)
    try:
        return _reply(name, first, read(first.text, request.schema), began)
    except NotTheForm as wrong:
        messages = (
            *request.messages,
            Message("assistant", first.text),
            Message("user", prompt.repair(str(wrong), request.schema)),
        )
    second = _second(ask, messages, first)
    try:
        value = read(second.text, request.schema)
    except NotTheForm as wrong:
        cut = "" if second.whole else f" It was cut at {request.max_tokens} tokens."
        raise BadReply(
            f"{name} did not answer {request.purpose} in the form asked: {_brief(str(wrong))}{cut}",
            hint="Allow more tokens." if cut else "Try a larger model, or a simpler form.",
            tokens_in=second.tokens_in,
            tokens_out=second.tokens_out,
        ) from None
    return _reply(name, second, value, began)


def read(text: str, schema: type[BaseModel]) -> BaseModel:
    """The value of the form that stands in a text, with or without words and marks around it.

    Raises:
        NotTheForm: there is none.
    """
    bare = _THOUGHT.sub("", text, count=1).strip()
    fenced = _FENCE.search(bare)
    first: NotTheForm | None = None
    for candidate in (bare, fenced[1].strip() if fenced else "", _object(bare)):
        if not candidate:
            continue
        try:
            value = schema.model_validate_json(candidate)
            # Numbers beyond all bounds are read, and cannot be written as JSON again.
            return schema.model_validate_json(value.model_dump_json())
        except ValidationError as error:
            first = first or NotTheForm(_words(error))
    raise first or NotTheForm("there is no JSON in the answer")


def _second(ask: Ask, messages: tuple[Message, ...], first: Raw) -> Raw:
    try:
        raw = ask(messages, True)
    except ModelFailed as error:  # the first turn was paid for too
        if error.tokens_in is not None and error.tokens_out is not None:
            error.tokens_in += first.tokens_in
            error.tokens_out += first.tokens_out
        raise
    sent, written = first.tokens_in + raw.tokens_in, first.tokens_out + raw.tokens_out
    return _kept_short(Raw(raw.text, sent, written, raw.whole))


def _kept_short(raw: Raw) -> Raw:
    if len(raw.text) <= LONGEST:
        return raw
    raise BadReply(
        f"The model wrote {len(raw.text):,} characters; more than {LONGEST:,} are refused.",
        hint="Ask for less, or use a model that keeps to max_tokens.",
        tokens_in=raw.tokens_in,
        tokens_out=raw.tokens_out,
    )


def _reply(name: str, raw: Raw, value: BaseModel | None, began: float) -> Reply:
    return Reply(
        text=raw.text if value is None else value.model_dump_json(),
        value=value,
        tokens_in=raw.tokens_in,
        tokens_out=raw.tokens_out,
        model=name,
        seconds=time.perf_counter() - began,
        whole=raw.whole,
    )


def _object(text: str) -> str:
    """The first whole JSON object in a text."""
    decoder = json.JSONDecoder()
    for found in islice(re.finditer(r"[{\[]", text), _PLACES):
        try:
            _, end = decoder.raw_decode(text, found.start())
        except (json.JSONDecodeError, RecursionError):
            continue
        return text[found.start() : end]
    return ""


def _words(error: ValidationError) -> str:
    """What is wrong, without what was given: the model sees its own answer above."""
    lines: list[str] = []
    for one in error.errors(include_url=False, include_input=False, include_context=False):
        where = ".".join(map(str, one["loc"]))
        lines.append(f"{where}: {one['msg']}" if where else one["msg"])
    return _brief("; ".join(lines))


def _brief(text: str) -> str:
    return text if len(text) <= _SAID else f"{text[:_SAID]} …"
