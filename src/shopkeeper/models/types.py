"""What the operations on models answer."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field

from shopkeeper.core.types import CannotSay, Value


class Model(Value):
    """A model, or a kind of model, and whether it could be asked from here.

    ``sent`` and ``written`` are what a million tokens cost, in the shop's currency; null: not known, so it
    will not be asked. ``calls`` and ``last_at`` say what it has answered this month.
    """

    name: str
    default: bool
    ready: bool
    says: str
    sent: float | None = None
    written: float | None = None
    calls: int = 0
    last_at: datetime | None = None


class ModelList(Value):
    """Every kind of model, the shop's own choice, and those that have a price or answered this month."""

    models: tuple[Model, ...]
    currency: str
    month: str


class Tried(Value):
    """What a model answered, who that was, and what it took. A ``cached`` answer cost nothing."""

    answer: str
    model: str
    tokens_in: int
    tokens_out: int
    cost: float
    currency: str
    seconds: float
    cached: bool
    whole: bool


class Used(Value):
    """What one model was used for in the month."""

    model: str
    purpose: str
    calls: int
    tokens_in: int
    tokens_out: int
    cost: float
    last_at: datetime


class Expected(Value):
    """What reading so many texts would take. ``most`` is what is held back for it, and cannot be passed."""

    model: str
    texts: int
    tokens_in: int
    tokens_out: int
    cost: float
    most: float
    fits: bool
    basis: str


class Cost(Value):
    """What models cost this month, against what they may.

    ``unsettled`` are tries whose end nobody heard of, because a process was killed; they may have cost up
    to ``unsettled_most`` more than ``spent``.
    """

    month: str
    currency: str
    budget: float
    spent: float
    left: float
    tokens: int
    tokens_cap: int | None
    used: tuple[Used, ...]
    unsettled: int
    unsettled_most: float
    kept_answers: int
    expected: Annotated[Expected | CannotSay, Field()] | None = None
