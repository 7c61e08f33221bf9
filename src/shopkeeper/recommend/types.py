"""What the operations of `recommend` answer with."""

from __future__ import annotations

from datetime import date, datetime
from typing import Final, Literal

from pydantic import Field

from shopkeeper.core.types import CannotSay, Estimate, EstimateOrCannotSay, Reason, Value
from shopkeeper.recommend.rules.language import Rule

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


class Removed(Value):
    """How many items that could be offered a rule took away."""

    rule: str
    items: int


class Price(Value):
    """What the order of a list costs: shares of the probability of the likeliest list."""

    given_up: float = Field(default=0.0, description="by pins, promotions, limits and the rest")
    diversity: float = Field(default=0.0, description="by diversity alone")


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
    rules_version: int = Field(default=0, description="of the shop's rules; 0: none published")
    rules: tuple[str, ...] = Field(default=(), description="rules that changed this list")
    removed: tuple[Removed, ...] = ()
    price: Price = Price()
    decision_id: str | None = Field(default=None, description="where the list was recorded")
    missing: CannotSay | None = Field(description="why the list is shorter than asked for")


class Conflict(Value):
    """Two rules in each other's way, or one (``second`` null) that means nothing."""

    first: str
    second: str | None
    code: str = Field(description="what is wrong, for machines: nothing_left, same_place …")
    why: str
    wins: str = Field(description="the rule that has its way; empty where neither does")


class RuleBook(Value):
    """One version of the rules; version 0 is a shop without any."""

    version: int
    note: str
    rules: tuple[Rule, ...]
    conflicts: tuple[Conflict, ...]


class RuleVersion(Value):
    """One line of the history of the rules."""

    version: int
    status: str = Field(description="draft, published or retired")
    rules: int
    note: str
    made_at: datetime
    published_at: datetime | None


class RuleBooks(Value):
    """The rules that hold, the draft, and the versions, newest first."""

    published: RuleBook
    draft: RuleBook | None
    versions: tuple[RuleVersion, ...]


class Moved(Value):
    """An item that stands in another number of lists."""

    item_id: str
    title: str | None
    now: int
    then: int


class WhatIf(Value):
    """What a draft of the rules would change in the lists of a sample of customers."""

    draft: int
    published: int
    customers: int
    changed: EstimateOrCannotSay = Field(description="share of a list's places with another item")
    gained: tuple[Moved, ...]
    lost: tuple[Moved, ...]
    coverage_now: int = Field(description="different items in all lists together")
    coverage_then: int
    shorter: int = Field(description="customers whose list would be shorter")
    empty: int = Field(description="customers whose list would be empty")
    probability: EstimateOrCannotSay = Field(
        description="change of a list's summed probability, before any rule; below 0: given up"
    )
    revenue: EstimateOrCannotSay = Field(description="the same times the price, in shop currency")
    fired: dict[str, int] = Field(description="in how many lists each rule left a trace")
    example: CannotSay | None = Field(description="why a list would be shorter, for one of them")


class Head(Value):
    """One head of a fitted mixture: its share by length of history (0, 1, 2, 4, 8, 16, 64 and more)."""

    name: str
    sharpness: float
    by_history: tuple[float, ...]
    behaviours: dict[str, float] = Field(
        default_factory=dict,
        description="what a look, a wish, a cart and a purchase weigh; empty: it does not tell them apart",
    )
    when_sure: float = Field(
        default=1.0,
        description="what its share is multiplied by where it is surer than usual, by one standard deviation",
    )


class Fit(Value):
    """A mixture that was fitted and serves from now on, or why there is none."""

    version: str | None
    items: int
    validated: int = Field(description="choices that the weights were fitted on")
    window_days: int = Field(description="the days at the end that they come from")
    heads: tuple[Head, ...]
    missing: CannotSay | None
    serves: bool = Field(default=False, description="whether it makes the lists from now on")
    gain: Estimate | None = Field(
        default=None,
        description="NDCG@10 less that of the version that served, on choices held back",
    )
    why: str = Field(default="", description="what the gate says")
    text_by: str = Field(
        default="words", description="what says whose texts are alike: words, or an embedding model"
    )
    text_why: str | None = Field(default=None, description="why it is not the model that is set")


class Comparison(Value):
    """A candidate beside the version that serves: their lists of ten for the same customers."""

    serving: str
    candidate: str
    customers: int
    agreement: EstimateOrCannotSay = Field(description="share of a list's items that both show")
    gain_by_serving: EstimateOrCannotSay = Field(
        description="probability of the candidate's list less that of the other, as the serving one sees it"
    )
    gain_by_candidate: EstimateOrCannotSay = Field(description="the same, as the candidate sees it")


class Replay(Value):
    """How much more a candidate would have earned at recorded places that were open to chance."""

    gain: EstimateOrCannotSay = Field(description="per place, doubly robust")
    reward: str
    places: int
    effective: float = Field(description="how many places of its own the log is worth (Kish)")


class LiveShadow(Value):
    """What a candidate did beside live requests, unseen; means are null before there are any."""

    requests: int
    errors: int
    dropped: int = Field(description="drawn requests that it did not keep up with")
    overlap: float | None = Field(description="mean share of places whose item is in both lists")
    tau: float | None = Field(description="mean rank correlation (Kendall) of items in both lists")
    ms: float | None = Field(description="CPU of one list, mean")
    serving_ms: float | None = Field(description="the same of what was shown")


class Version(Value):
    """One fitted version; ``status`` is serving, before (it served last) or candidate."""

    version: str
    status: str
    fitted_at: datetime
    heads: tuple[str, ...]
    ndcg10: float | None = Field(description="on the choices that its weights were fitted on")
    passed: bool | None = Field(description="the gate's verdict; null: it was never asked")
    gain: Estimate | None
    paired: bool = Field(description="whether both were judged on the same choices")
    why: str
    shadow: Comparison | None
    replay: Replay | None = Field(default=None, description="by the log of decisions, at the gate")
    live: LiveShadow | None = Field(default=None, description="beside live requests, 30 days")


class Trial(Value):
    """A version on trial: in the shadow of a share of requests, or in an experiment."""

    kind: Literal["shadow", "experiment"]
    version: str
    share: float | None = Field(default=None, description="of live requests")
    experiment_id: str | None = None
    variant_id: str | None = Field(default=None, description="whose customers see its lists")


class Versions(Value):
    """The versions that are kept, newest first."""

    serving: str | None
    versions: tuple[Version, ...]
    trials: tuple[Trial, ...] = ()


class Batch(Value):
    """The file with the lists of all customers, in the shop's folder."""

    file: str | None
    customers: int
    rows: int
    seconds: float
    model: str | None
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


class Claim(Value):
    """Words that say something about an item, and the facts that they rest on."""

    text: str
    facts: tuple[str, ...] = Field(description="fact_id, or name=value of the catalogue")


class Phrase(Value):
    """A title and a text for one item and one customer; each claim has its fact."""

    item_id: str
    title: str
    text: str
    claims: tuple[Claim, ...]
    by: str = Field(description="the model that wrote it, or `grammar`")
    personalised: bool = Field(description="whether it begins with what the customer cares for")
    why: str = Field(default="", description="why the model's words were not taken")


class PolicyValue(Value):
    """What a way of choosing earns at a place, by each estimator that the log allows."""

    policy: str = Field(
        description="logged, greedy, half_explored or uniform (over the candidates)"
    )
    effective: float = Field(description="how many places of its own the log is worth (Kish)")
    estimates: dict[str, EstimateOrCannotSay] = Field(
        description="ips, snips, dr, switch: the chance that a place earns the reward"
    )


class ShownValue(Value):
    """What recorded lists earned, and would have earned, within so many days of being shown."""

    reward: str = Field(description="the event counted, of the same customer and item")
    days: int
    places: int
    explored: float = Field(description="share of places that were open to chance")
    policies: tuple[PolicyValue, ...]
    missing: CannotSay | None


class Shelf(Value):
    """Items in order, each with its reason."""

    as_of: date | None
    slots: tuple[Slot, ...]
    missing: CannotSay | None


class Again(Value):
    """An item that the customer buys again and again; ``due`` may lie in the past."""

    slot: Slot
    last: date
    due: date
    times: int


class BuyAgain(Value):
    """What is due to be bought again, soonest first."""

    customer_id: str
    as_of: date
    items: tuple[Again, ...]
    missing: CannotSay | None


class NextAction(Value):
    """What to do for a customer: recommend, remind (of the cart), reorder, or nothing."""

    customer_id: str
    as_of: date
    action: Literal["recommend", "remind", "reorder", "nothing"]
    slots: tuple[Slot, ...]
    reasons: tuple[Reason, ...]


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
    report: str | None = Field(
        default=None, description="the page with plots, in the shop's folder"
    )
