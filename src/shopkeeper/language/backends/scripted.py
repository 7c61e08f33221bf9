"""A model that answers by a script, for tests and dry runs: the same request, the same answer.

The script is a TOML or JSON file::

    price = [0.5, 1.5]              # optional: for a million tokens sent and written

    [[rule]]                        # the first rule that fits answers
    purpose = "sentiment"           # optional
    match = "broke|坏了"             # optional: a regular expression, looked for in the last message
    reply = { label = "negative" }  # a text, or a table that is answered as JSON

    [[rule]]
    match = "wait"
    error = "busy"                  # in place of a reply: busy or failed
"""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, field_validator, model_validator

from shopkeeper.core.errors import BadInput, ModelBusy, ModelFailed, NotFound
from shopkeeper.core.types import Value
from shopkeeper.language import structured, tokens
from shopkeeper.language.backends.base import Ready
from shopkeeper.language.structured import Raw
from shopkeeper.language.types import FREE, Backend, Message, Price, Reply, Request

NEEDS = "file"

_Amount = Annotated[float, Field(ge=0)]


class Rule(Value):
    """What to answer to which request."""

    purpose: str = ""
    match: str = ""
    reply: str | dict[str, Any] | None = None
    error: Literal["busy", "failed"] | None = None

    @field_validator("match")
    @classmethod
    def _is_a_pattern(cls, text: str) -> str:
        try:
            re.compile(text)
        except re.error as error:
            raise ValueError(f"{text!r} is not a regular expression: {error}") from None
        return text

    @model_validator(mode="after")
    def _answers(self) -> Rule:
        if (self.reply is None) == (self.error is None):
            raise ValueError("a rule has either a reply or an error")
        return self

    def fits(self, purpose: str, text: str) -> bool:
        """Whether it answers this."""
        return self.purpose in ("", purpose) and re.search(self.match, text) is not None


class Script(Value):
    """Rules, and the price that is pretended."""

    rule: tuple[Rule, ...] = Field(min_length=1)
    price: tuple[_Amount, _Amount] = (0.0, 0.0)


@dataclass(frozen=True)
class Scripted:
    """A model that follows a script."""

    name: str
    script: Script
    price: Price | None
    remote: bool = False

    def complete(self, request: Request) -> Reply:
        """What the first rule that fits says.

        Raises:
            ModelFailed: no rule fits, or the rule says so.
        """

        def ask(messages: tuple[Message, ...], repairing: bool) -> Raw:  # noqa: ARG001
            return self._turn(request, messages)

        return structured.answer(self.name, request, ask)

    def close(self) -> None:
        """Nothing to give back."""

    def _turn(self, request: Request, messages: tuple[Message, ...]) -> Raw:
        last = messages[-1].content
        rule = next((one for one in self.script.rule if one.fits(request.purpose, last)), None)
        if rule is None:
            raise ModelFailed(
                f"No rule of {self.name} fits a request for {request.purpose!r}.",
                hint="Add a [[rule]] without `match` at the end of the script.",
            )
        if rule.error == "busy":
            raise ModelBusy(f"{self.name} is busy, says its script.")
        if rule.reply is None:
            raise ModelFailed(f"{self.name} failed, says its script.")
        text = (
            rule.reply
            if isinstance(rule.reply, str)
            else json.dumps(rule.reply, ensure_ascii=False)
        )
        sent = tokens.likely_prompt(messages)
        return Raw(text, sent, min(tokens.likely(text), request.max_tokens))


def read(path: Path) -> Script:
    """The script in a file.

    Raises:
        NotFound: there is no such file.
        BadInput: it is no script; says where.
    """
    try:
        text = path.read_text("utf-8")
    except OSError as error:
        raise NotFound(f"The script {path} cannot be read.", hint="Check its name.") from error
    except UnicodeDecodeError as error:
        raise BadInput(f"{path.name} is not UTF-8.", hint="Save it as UTF-8.") from error
    try:
        told = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
        return Script.model_validate(told)
    except (json.JSONDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadInput(
            f"{path.name} cannot be read: {error}.", hint="Correct that line."
        ) from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise BadInput(
            f"{path.name} is not a script: {where}: {first['msg']}.",
            field=where,
            hint="Correct it.",
        ) from error


def ready(model: str) -> Ready:
    """Whether the script is there."""
    if not model:
        return Ready(True, "answers by a script: scripted:<file>")
    found = Path(model).expanduser().is_file()
    return Ready(found, f"the script {model}" if found else f"there is no file {model}")


def price(model: str, declared: Price | None) -> Price | None:
    """What the owner declared, otherwise what the script pretends."""
    if declared is not None:
        return declared
    return Price(*read(Path(model).expanduser()).price) if model else FREE


def open(model: str, price: Price | None) -> Backend:  # noqa: A001 - as every backend
    """The script as a model."""
    return Scripted(f"scripted:{model}", read(Path(model).expanduser()), price)
