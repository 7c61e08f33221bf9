"""What the operations of `recommend` answer with."""

from __future__ import annotations

from datetime import date
from typing import Final

from pydantic import Field

from shopkeeper.core.types import CannotSay, EstimateOrCannotSay, Reason, Value

DEFAULTS: Final = "defaults"


class Slot(Value):
    """One recommended item; slots of one list are in order, best first."""

    rank: int
    item_id: str
    title: str | None
    price: float | None
    head: str = Field(description="the model that says most for it")
    score: float = Field(
        description="comparable within one head only; the probability if there is one"
    )
    probability: float | None = Field(
        default=None,
        description="that this is what the customer chooses next; null without a mixture",
    )
    reasons: tuple[Reason, ...]


class Slate(Value):
    """The list for one customer, by the fitted mixture, or by the models that need no fitting."""

    customer_id: str
    as_of: date | None
    currency: str
    history: int = Field(description="items of this customer that were looked at, newest first")
    personalised: bool = Field(
        default=True, description="false where the customer refuses it: then it is what is popular"
    )
    model: str = Field(default=DEFAULTS, description="the version of the mixture, or `defaults`")
    why_defaults: CannotSay | None = Field(default=None, description="why no mixture made it")
    slots: tuple[Slot, ...]
    missing: CannotSay | None = Field(description="why the list is shorter than asked for")


class Head(Value):
    """One head of a fitted mixture: its share by length of history (0, 1, 2, 4, 8, 16, 64 and more)."""

    name: str
    sharpness: float
    by_history: tuple[float, ...]


class Fit(Value):
    """A mixture that was fitted and serves from now on, or why there is none."""

    version: str | None
    items: int
    validated: int = Field(description="choices that the weights were fitted on")
    window_days: int = Field(description="the days at the end that they come from")
    heads: tuple[Head, ...]
    missing: CannotSay | None


class Popular(Value):
    """The items most wanted lately. ``basis`` is the event counted: purchases where there are any."""

    as_of: date | None
    basis: str
    half_life_days: float
    slots: tuple[Slot, ...]
    missing: CannotSay | None


class Related(Value):
    """What the same customers chose together with, or after, one item."""

    item_id: str
    title: str | None
    as_of: date | None
    slots: tuple[Slot, ...]
    missing: CannotSay | None


class Score(Value):
    """One model's lists of ten."""

    model: str
    hr10: EstimateOrCannotSay = Field(description="share of choices that were in the list")
    ndcg10: EstimateOrCannotSay = Field(description="the same, places nearer the top counting more")
    log_loss: float | None = Field(
        description="nats; null for a model that says nothing about some choices"
    )
    coverage: float = Field(description="share of the items that stood in some list")
    novelty: float = Field(description="bits: how seldom the items shown are chosen")
    gini: float = Field(description="0: all items are shown as often; 1: one alone is")


class Gain(Value):
    """The mixture against what is popular in the last seven days."""

    over: str
    ndcg10: EstimateOrCannotSay = Field(description="difference, customer by customer")
    log_loss_ratio: float = Field(
        description="to the better of both popularities; below 1: the mixture is the better probability"
    )


class Group(Value):
    """The mixture for some of the choices."""

    name: str
    cases: int
    hr10: EstimateOrCannotSay
    ndcg10: EstimateOrCannotSay
    ndcg10_popular: EstimateOrCannotSay


class Bin(Value):
    """Slots to which the mixture gave a like probability, and how often they were chosen."""

    slots: int
    claimed: float
    happened: float


class Protocol(Value):
    """One way of holding choices back."""

    name: str
    cases: int
    customers: int
    left_out: int = Field(description="choices of items that could not be shown: owned already")
    scores: tuple[Score, ...]
    gain: Gain
    groups: tuple[Group, ...]
    reliability: tuple[Bin, ...]
    weights: tuple[Head, ...] = Field(description="of the latest split")


class Evaluation(Value):
    """How good the shop's lists would have been; each protocol, or why it cannot be said."""

    as_of: date | None
    customers: int
    items: int
    leave_one_out: Protocol | CannotSay
    by_week: Protocol | CannotSay
