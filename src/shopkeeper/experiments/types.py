"""What the operations of `experiments` take and answer with."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import Field, model_validator

from shopkeeper.core.types import CannotSay, EstimateOrCannotSay, Reason, Value

Rule = Literal["fixed", "obrien_fleming", "pocock", "anytime"]
Role = Literal["primary", "guardrail", "secondary"]
Status = Literal["draft", "running", "stopped"]
Outcome = Literal["better", "worse", "harm", "no_difference"]
Name = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[\w.\-]+$")]


class Counted(Value):
    """What is added up for a customer: events of a name, their values, quantities, margins, or orders.

    The margin of a line is its value less its cost; a line whose cost is not known adds nothing.
    """

    event: str = Field(description="the event's name; * for any but exposures")
    of: Literal["events", "value", "quantity", "margin", "orders"] = "events"


class Metric(Value):
    """A measure of each customer, from their first exposure on.

    The window begins `from_day` days after the exposure (24 hours each) and is `days` long; a customer
    counts when it is over. `before_days` before the exposure take known differences out (CUPED); 0: none.
    """

    name: Name
    kind: Literal["mean", "proportion", "ratio", "retention"]
    what: Counted
    over: Counted | None = Field(default=None, description="the denominator of a ratio")
    from_day: int = Field(default=0, ge=0, le=365)
    days: int = Field(default=7, ge=1, le=365)
    before_days: int = Field(default=0, ge=0, le=365)
    good: Literal["up", "down"] = "up"
    unit: Literal["share", "count", "money"] = "count"
    label_zh: str = ""
    label_en: str = ""

    @model_validator(mode="after")
    def _whole(self) -> Metric:
        if (self.kind == "ratio") != (self.over is not None):
            raise ValueError("a ratio, and nothing else, needs `over`")
        if self.kind == "retention" and self.from_day < 1:
            raise ValueError("retention begins a day after the exposure at the earliest")
        return self


class Variant(Value):
    """One arm; the first of an experiment is what the others are compared with."""

    variant_id: Name
    share: float = Field(default=0.5, gt=0, le=1)
    what: str = Field(default="", max_length=500, description="what the customer gets")


_TWO = (Variant(variant_id="control"), Variant(variant_id="treatment"))


class Design(Value):
    """What is tried, on whom, how it is measured and when it may end."""

    name: str = Field(min_length=1, max_length=200)
    hypothesis: str = Field(default="", max_length=2000)
    variants: tuple[Variant, ...] = Field(default=_TWO, min_length=2, max_length=10)
    primary: str = "conversion"
    guardrails: tuple[str, ...] = Field(default=(), max_length=20)
    secondary: tuple[str, ...] = Field(default=(), max_length=20)
    metrics: tuple[Metric, ...] = Field(
        default=(), description="measures of one's own", max_length=20
    )
    days: int | None = Field(
        default=None, ge=1, le=365, description="each measure's window; none: its own"
    )
    rule: Rule = "obrien_fleming"
    units: int = Field(ge=20, description="customers of all arms at the planned end")
    alpha: float = Field(default=0.05, gt=0.0005, le=0.2)
    look_days: int = Field(default=1, ge=1, le=90, description="days between looks")
    layer: Name = "default"
    traffic: float = Field(default=1.0, gt=0, le=1)
    segment: str = Field(default="", description="only customers of this segment; none: all")

    @model_validator(mode="after")
    def _whole(self) -> Design:
        names = [v.variant_id for v in self.variants]
        if len(set(names)) < len(names):
            raise ValueError("two variants have the same id")
        asked = [self.primary, *self.guardrails, *self.secondary]
        if len(set(asked)) < len(asked):
            raise ValueError("a metric is named twice")
        return self


class Experiment(Value):
    """An experiment as it was designed, and where it stands."""

    experiment_id: str
    status: Status
    design: Design
    created_by: str
    created_at: datetime
    started_at: datetime | None
    stopped_at: datetime | None
    stop_reason: str
    assigned: dict[str, int] = Field(description="customers by variant, also those never exposed")


class Holdout(Value):
    """The share of customers that no experiment and no campaign touches, to see what all of it does."""

    share: float
    since: datetime | None
    by: str = ""
    reason: str = ""


class Experiments(Value):
    """All experiments, the newest first, and the standing hold-out."""

    experiments: tuple[Experiment, ...]
    holdout: Holdout


class Metrics(Value):
    """Measures that can be named without being defined."""

    metrics: tuple[Metric, ...]


class Changed(Value):
    """What was done to an experiment, when and by whom."""

    time: datetime
    actor: str
    change: str


class Shown(Value):
    """An experiment, its measures as they are worked out, and what was done to it."""

    experiment: Experiment
    metrics: tuple[Metric, ...]
    changes: tuple[Changed, ...]


class Price(Value):
    """What one way of ending costs: customers in all arms, and days at the shop's present traffic.

    `units` give the wished power; `if_true` are expected until it ends with the hoped effect, `if_none`
    without any. Days include the wait for the last customer's window.
    """

    rule: Rule
    units: int
    if_true: int
    if_none: int
    days: int | None
    days_if_true: int | None
    days_if_none: int | None
    needs_end: bool = Field(description="whether its end must be known before it starts")
    least_effect: float | None = Field(
        description="the relative effect that it finds in four weeks with that power"
    )
    what: str


class Planning(Value):
    """What an experiment would cost, by each way of ending it."""

    metric: Metric
    base: EstimateOrCannotSay = Field(description="the measure without the change, lately")
    saved: float = Field(description="share of the variance that what was before takes away")
    arrivals: float | None = Field(description="customers a day that would enter")
    effect: float
    power: float
    alpha: float
    question: str
    prices: tuple[Price, ...]
    recommended: Rule | None = Field(description="by the answer to the question; null without one")
    why: str
    cannot_say: CannotSay | None


class Drawn(Value):
    """What one customer gets; `variant_id` is null where `why` says so."""

    unit_id: str
    variant_id: str | None
    propensity: float | None
    why: str


class Assigned(Value):
    """What each customer asked about gets, in order."""

    experiment_id: str
    units: tuple[Drawn, ...]
    exposed: int = Field(description="exposures that were recorded")


class Arm(Value):
    """One arm: planned share, customers assigned, exposed, and counted in the primary measure."""

    variant_id: str
    what: str
    share: float
    assigned: int
    exposed: int
    counted: int


class SampleRatio(Value):
    """Whether customers came to the arms as planned; `p_value` holds however often it is looked at."""

    p_value: float
    chi_square: float
    alarm: float
    ok: bool


class Look(Value):
    """One look: what was known then, and how far z had to be from 0."""

    day: date
    units: int
    value: float
    low: float | None = Field(description="null while the rule says nothing yet")
    high: float | None
    z: float
    bound: float | None


class Comparison(Value):
    """One measure of one variant beside the control; intervals are those of the rule.

    `found` is whether a difference is shown, with the error shared among the measures of its role.
    """

    metric: Metric
    role: Role
    variant_id: str
    control: float | None
    treatment: float | None
    difference: EstimateOrCannotSay
    relative: EstimateOrCannotSay
    found: bool
    good: bool | None = Field(
        description="whether the difference is for the better; null: not found"
    )
    found_on: date | None
    saved: float = Field(description="share of the variance that CUPED took away")
    looks: tuple[Look, ...]


class Verdict(Value):
    """What the experiment says, and why."""

    kind: Literal["verdict"] = "verdict"
    outcome: Outcome
    variant_id: str | None
    decided_on: date | None
    headline: str
    reasons: tuple[Reason, ...]


VerdictOrCannotSay = Annotated[Verdict | CannotSay, Field(discriminator="kind")]


class Result(Value):
    """The experiment's result by its own rule, from sums of whole windows that add by day."""

    experiment: Experiment
    as_of: date | None = Field(description="the last day that is counted")
    arms: tuple[Arm, ...]
    mixed: int = Field(description="customers who saw two variants: left out")
    earlier: int = Field(description="customers assigned under earlier shares: left out")
    waiting: int = Field(description="exposed customers whose window is not over")
    sample_ratio: SampleRatio | None
    comparisons: tuple[Comparison, ...]
    verdict: VerdictOrCannotSay
