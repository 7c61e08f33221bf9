"""What the operations of `campaigns` take and answer with."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, model_validator

from shopkeeper.core.plan import Planned
from shopkeeper.core.types import CannotSay, EstimateOrCannotSay, Reason, Value

Status = Literal["draft", "confirmed", "sending", "paused", "stopped", "done"]
Outcome = Literal["better", "worse", "harm", "no_difference"]
Membership = Literal["at_start", "at_confirm"]
Name = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)
]  # fmt: skip
Money = Annotated[float, Field(ge=0, le=1e12, allow_inf_nan=False)]


class Choice(Value):
    """A template that the campaign sends; without a version the newest approved one when it is confirmed."""

    template_id: Name
    version: int | None = Field(default=None, ge=1, le=1_000_000)


class Design(Value):
    """Whom, what, when, held against whom, and for how much.

    With several templates each is a variant, and customers get one of them at random in equal shares.
    """

    name: Name
    segment_id: Name = Field(description="whom: S12; see customers segments")
    membership: Membership = Field(
        default="at_start", description="who is in the segment then: when it starts, or now"
    )
    templates: tuple[Choice, ...] = Field(min_length=1, max_length=5)
    hold_out: float = Field(
        default=0.1, ge=0, le=0.5, description="share who get nothing, to be compared with"
    )
    starts_at: datetime | None = Field(default=None, description="none: as soon as confirmed")
    local_time: bool = Field(
        default=False, description="when each customer's own clock shows what the shop's does then"
    )
    ends_at: datetime | None = Field(default=None, description="nothing leaves from then on")
    budget: Money | None = Field(default=None, description="the most that messages may cost")
    cost_per_message: Money | None = Field(default=None, description="in the shop's money")
    primary: str = Field(default="conversion", description="see experiments metrics")
    window_days: int = Field(default=7, ge=1, le=90, description="days after it was due")

    @model_validator(mode="after")
    def _whole(self) -> Design:
        if self.budget is not None and not self.cost_per_message:
            raise ValueError("a budget needs `cost_per_message`")
        if self.local_time and self.starts_at is None:
            raise ValueError("`local_time` needs `starts_at`")
        for name in ("starts_at", "ends_at"):
            one = getattr(self, name)
            if one is not None and one.tzinfo is None:
                raise ValueError(f"`{name}` needs a time zone: 2026-03-04T10:00:00+08:00")
        if self.starts_at and self.ends_at and self.starts_at >= self.ends_at:
            raise ValueError("`ends_at` is not after `starts_at`")
        if len({one.template_id for one in self.templates}) < len(self.templates):
            raise ValueError("a template is named twice")
        return self


class Arm(Value):
    """What one share of the audience gets; ``template_id`` is null for those held out."""

    variant_id: str
    share: float
    template_id: str | None
    version: int | None


class Reckoned(Value):
    """How many customers for one reason."""

    reason: str
    customers: int


class Campaign(Value):
    """A campaign, where it stands, and what was done with its audience so far."""

    campaign_id: str
    name: str
    status: Status
    why: str = Field(description="what holds it up, or why it ended; empty where nothing does")
    design: Design
    revision: int = Field(description="grows with each change of the draft")
    advice: str = Field(description="the suggestion it came from, if any")
    channel: str
    purpose: str
    segment_version: int | None = Field(description="null before it is confirmed")
    arms: tuple[Arm, ...]
    experiment_id: str | None
    plan_hash: str | None
    created_by: str
    created_at: datetime
    confirmed_by: str | None
    confirmed_at: datetime | None
    launched_at: datetime | None
    finished_at: datetime | None
    audience: int | None = Field(description="customers of the segment; null before it starts")
    handled: int
    counts: tuple[Reckoned, ...] = Field(description="of those handled; they add up to `handled`")


class Campaigns(Value):
    """All campaigns, the newest first."""

    campaigns: tuple[Campaign, ...]


class Change(Value):
    """What was done to a campaign, when and by whom."""

    time: datetime
    actor: str
    change: str
    details: dict[str, Any]


class Delivery(Value):
    """How many messages stand in a state, and why where that says something."""

    state: str
    reason: str
    messages: int


class Live(Value):
    """How sending goes: messages by state, how many left in the last minute, how long the rest takes."""

    deliveries: tuple[Delivery, ...]
    messages: int
    left: int = Field(description="messages that have left")
    waiting: int
    per_minute: int
    minutes_left: float | None = Field(description="at the present pace; null: none to go by")
    held_by: str = Field(description="what holds sending up: a pause, a provider; empty: nothing")


class Shown(Value):
    """A campaign with its history and its sending."""

    campaign: Campaign
    changes: tuple[Change, ...]
    live: Live


class Sample(Value):
    """What one customer would get."""

    variant_id: str
    customer_id: str
    language: str
    content: dict[str, Any]


class Problem(Value):
    """Why some customers have no letter, with an example: the variable, or the item and the two values."""

    content_id: str
    reason: str
    detail: str


class Power(Value):
    """What the campaign's hold-out can show: the least relative effect that it finds with that power."""

    kind: Literal["power"] = "power"
    metric: str
    power: float
    compared: int = Field(description="customers who would be compared")
    least_effect: float
    wanted_effect: float
    needed: int = Field(description="customers it takes to find `wanted_effect`")
    days: int = Field(description="until the result: sending apart")


class DryRun(Value):
    """What would happen if it started now. Counts add up to the audience; nothing was sent."""

    campaign: Campaign
    as_of: datetime
    audience: int
    reached: int = Field(description="messages: at once, or when quiet hours end")
    counts: tuple[Reckoned, ...]
    estimated: bool = Field(
        description="whether missing variables were counted in a random sample, and scaled up"
    )
    samples: tuple[Sample, ...]
    problems: tuple[Problem, ...]
    cost: EstimateOrCannotSay
    power: Annotated[Power | CannotSay, Field(discriminator="kind")]
    policy: int


class Confirmed(Planned):
    """The plan, or the campaign once a person has confirmed it."""

    campaign: Campaign | None = None


class Response(Value):
    """How many customers opened or clicked; machines are counted apart."""

    kind: str
    people: int
    machines: int


class ArmResult(Value):
    """What a variant did beside those who were held out, all customers who were meant to get it counted.

    ``revenue``, ``margin`` and ``cost`` are of one customer; the totals are of all customers of the arm.
    """

    variant_id: str
    template_id: str | None
    version: int | None
    meant: int = Field(description="customers who were meant to get it")
    sent: int = Field(description="messages that left")
    counted: int = Field(description="customers whose window is over")
    lift: EstimateOrCannotSay = Field(description="relative change of the primary measure")
    difference: EstimateOrCannotSay = Field(description="of the primary measure")
    revenue: EstimateOrCannotSay
    margin: EstimateOrCannotSay
    cost: EstimateOrCannotSay
    revenue_total: EstimateOrCannotSay
    margin_total: EstimateOrCannotSay
    cost_total: EstimateOrCannotSay
    opened: int
    clicked: int


class Verdict(Value):
    """What came of it, in words."""

    kind: Literal["verdict"] = "verdict"
    outcome: Outcome
    headline: str
    reasons: tuple[Reason, ...]


class Results(Value):
    """What a campaign did, against those who were held out."""

    campaign: Campaign
    as_of: datetime
    held_out: int = Field(description="customers in the hold-out of this campaign")
    control_counted: int
    due: datetime | None = Field(description="when the last window ends; null before sending ends")
    deliveries: tuple[Delivery, ...]
    responses: tuple[Response, ...]
    arms: tuple[ArmResult, ...]
    verdict: Annotated[Verdict | CannotSay, Field(discriminator="kind")]
    method: str = Field(description="what the figures are of, in a sentence or two")


class Measured(Value):
    """The campaigns whose results were worked out."""

    campaign_ids: tuple[str, ...]
