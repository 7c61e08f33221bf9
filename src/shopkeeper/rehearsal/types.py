"""What a rehearsal answers."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import Field

from shopkeeper.core.types import EstimateOrCannotSay, Value

Act = Literal[
    "advice", "segment", "insight", "template", "approval", "campaign", "dry_run", "confirmation", "sending",
    "reaction",
]  # fmt: skip


class TrueEffect(Value):
    """What a variant's message truly does to one measure of a customer who was drawn, on average."""

    variant_id: str
    measure: str
    without: float = Field(description="of a customer without the message")
    lift: float = Field(description="what the message adds to it")
    error: float = Field(description="standard error of the lift as the copies know it")


class Played(Value):
    """One step of the loop with its figures. ``before``: an earlier rehearsal has done it."""

    act: Act
    what: str
    figures: dict[str, int | float | str]
    before: bool = False


class Beside(Value):
    """One measure as the campaign reports it, beside the truth; ``holds`` is null where it cannot say."""

    variant_id: str
    measure: str
    reported: EstimateOrCannotSay
    truth: float
    holds: bool | None = Field(description="whether the interval holds the truth")


class Loop(Value):
    """The whole loop as it was played, and what it found beside what is true."""

    campaign_id: str
    today: date = Field(description="the shop's simulated day when the rehearsal ended")
    steps: tuple[Played, ...]
    beside: tuple[Beside, ...]
    headline: str


class Truth(Value):
    """The true effect of a campaign on a simulated shop; empty elsewhere."""

    campaign_id: str
    effects: tuple[TrueEffect, ...]
