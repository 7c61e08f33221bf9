"""Values that capabilities hand to each other."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field


class Value(BaseModel):
    """A frozen record that refuses unknown fields: the base of every request and reply."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Estimate(Value):
    """A figure that could have come out otherwise, with its interval.

    ``low`` and ``high`` bound it with probability ``level``; ``n`` is the number of units behind it.
    """

    kind: Literal["estimate"] = "estimate"
    value: float
    low: float
    high: float
    n: int
    level: float = 0.95


class CannotSay(Value):
    """The data do not allow an answer; says why and what would.

    ``code`` and ``values`` say the same to who tells it in another language; empty where nobody does.
    """

    kind: Literal["cannot_say"] = "cannot_say"
    reason: str
    needed: str = ""
    code: str = ""
    values: dict[str, str | float | int] = {}


EstimateOrCannotSay = Annotated[Estimate | CannotSay, Field(discriminator="kind")]


class Reason(Value):
    """Why something is so: a code for machines, words for people, and what it rests on."""

    code: str
    text: str
    weight: float = 1.0
    evidence: dict[str, str | float | int | None] = {}


class Audience(Value):
    """Who is meant: a named set of customers at one time."""

    name: str
    customer_ids: tuple[str, ...]
    as_of: date
    definition: str = ""
