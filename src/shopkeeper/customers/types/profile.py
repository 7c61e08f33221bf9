"""One customer: everything known of them, each with its evidence and date."""

from __future__ import annotations

from datetime import date, datetime

from pydantic import Field

from shopkeeper.core.types import CannotSay, Reason, Value


class KnownTrait(Value):
    """One trait of the customer; ``shown`` is the value as people read it."""

    name: str
    called: str
    value: str | float | int | None
    shown: str
    family: str
    evidence: str
    as_of: date


class ConsentState(Value):
    """What the customer said last of one purpose and channel."""

    purpose: str
    channel: str
    status: str
    time: datetime


class Opinion(Value):
    """One thing that the customer wrote of, in their own words, with the text it stands in."""

    task: str
    label: str
    called: str = Field(description="the label in words; of a theme its name")
    value: float | None
    span: str | None
    text_id: str
    day: date


class Prediction(Value):
    """One prediction, with its interval and reasons."""

    name: str
    called: str
    value: float
    low: float | None
    high: float | None
    shown: str = Field(description="the value as people read it, with its interval")
    reasons: tuple[Reason, ...]
    model_version: str
    since: datetime


class InOne(Value):
    """A segment that the customer is in, and why; ``changes_on`` is when that ends if nothing happens."""

    id: str
    name: str
    since: datetime | None = Field(description="null: entered since the last refresh")
    reasons: tuple[Reason, ...]
    changes_on: date | None


class Action(Value):
    """What to do next, and what it rests on."""

    code: str
    text: str
    evidence: str


class Profile(Value):
    """Everything known of one customer as of now, the events of the last second included."""

    customer_id: str
    as_of: date
    ids: tuple[str, ...]
    stage: str = Field(description="visitor, new, active, slowing, lapsed, lost or doubted")
    stage_words: str
    traits: tuple[KnownTrait, ...]
    consent: tuple[ConsentState, ...]
    opinions: tuple[Opinion, ...]
    predictions: tuple[Prediction, ...]
    no_predictions: CannotSay | None
    segments: tuple[InOne, ...]
    next_actions: tuple[Action, ...]
    flags: tuple[Reason, ...]
