"""What is predicted of customers, and how good that is."""

from __future__ import annotations

from datetime import date, datetime

from pydantic import Field

from shopkeeper.core.types import CannotSay, Estimate, EstimateOrCannotSay, Reason, Value


class Bin(Value):
    """Customers with like chances: what was said of them, and what came, with its interval."""

    said: float
    came: float
    low: float
    high: float
    customers: int


class ChurnHealth(Value):
    """How good the chances of staying away for ``horizon`` days would have been, on days held out."""

    horizon: int
    customers: int = 0
    stayed_away: float | None = Field(default=None, description="the share that did")
    auc: float | None = Field(
        default=None, description="how often who stayed away had the greater chance"
    )
    auc_rfm: float | None = Field(
        default=None,
        description="the same of a logistic regression on recency, frequency and money",
    )
    gain_low: float | None = Field(default=None, description="95 % interval of the difference")
    gain_high: float | None = None
    ece: float | None = Field(
        default=None, description="mean gap between what was said and what came"
    )
    bins: tuple[Bin, ...] = ()
    missing: CannotSay | None = None


class PredictionRun(Value):
    """What a run predicted, and how good it would have been on the shop's own past."""

    as_of: date | None = None
    version: str = ""
    customers: int = 0
    refused: int = Field(
        default=0, description="who refuses personalisation: nothing is predicted of them"
    )
    predictions: tuple[str, ...] = ()
    health: tuple[ChurnHealth, ...] = ()
    missing: CannotSay | None = None


class CustomerPrediction(Value):
    """One prediction of one customer. A chance is of staying away; money is in the shop's currency."""

    prediction: str
    name: str
    value: float | None
    low: float | None
    high: float | None
    reasons: tuple[Reason, ...]
    since: datetime
    model_version: str


class CustomerPredictions(Value):
    """Everything that is predicted of one customer now."""

    customer_id: str
    forecasts: tuple[CustomerPrediction, ...]
    missing: CannotSay | None = None


class Score(Value):
    """One customer with a prediction."""

    customer_id: str
    value: float
    low: float | None
    high: float | None
    reasons: tuple[Reason, ...]


class Scores(Value):
    """One page of the customers by a prediction."""

    prediction: str
    name: str
    total: int
    offset: int
    rows: tuple[Score, ...]
    missing: CannotSay | None = None


class Cluster(Value):
    """Customers who are alike, named by what sets them apart."""

    id: str
    name: str
    customers: int
    share: float
    reasons: tuple[Reason, ...]


class Dot(Value):
    """One customer on the map; near ones are alike."""

    customer_id: str
    cluster: str
    x: float
    y: float


class ClusterMap(Value):
    """The clusters of the newest run, or why there are none."""

    by: str
    version: str = ""
    customers: int = 0
    stability: float | None = Field(
        default=None,
        description="how alike the clusters of two halves of the customers are; 1: the same",
    )
    clusters: tuple[Cluster, ...] = ()
    dots: tuple[Dot, ...] = ()
    missing: CannotSay | None = None


class LiftFigure(Value):
    """How many times more of a held-out half of a list was found in the top tenth than by chance."""

    value: float
    low: float
    high: float
    rfm: float = Field(description="the same by nearness in recency, frequency and money")
    gain_low: float = Field(description="95 % interval of the difference")
    gain_high: float


class LookAlikes(Value):
    """Customers who are like those on a list, most alike first; a value of .9: more so than 90 %."""

    name: str
    given: int
    seeds: int = Field(description="of those given, who has bought")
    lift: LiftFigure | None = None
    missing: CannotSay | None = None
    total: int = 0
    offset: int = 0
    rows: tuple[Score, ...] = ()


class PrivateCount(Value):
    """A segment's size with noise; the true one is within the interval with the probability told."""

    segment: str
    name: str
    count: int
    low: int
    high: int


class PrivacyReport(Value):
    """One report that was made under differential privacy."""

    time: datetime
    purpose: str
    epsilon: float
    segments: tuple[str, ...]


class PrivacyBudget(Value):
    """What may be spent in any 365 days, what is spent, and on what, newest first."""

    epsilon: float
    spent: float
    left: float
    reports: tuple[PrivacyReport, ...] = ()


class PrivateCounts(Value):
    """Sizes of segments under ε-differential privacy, and what it cost."""

    epsilon: float
    purpose: str
    level: float
    counts: tuple[PrivateCount, ...]
    budget: PrivacyBudget


class GroupFairness(Value):
    """How one group fares: its rate, that against the group with the greatest, and how true it came."""

    group: str = Field(description="the trait's value; empty where it is not known")
    customers: int
    rate: Estimate
    ratio: EstimateOrCannotSay
    said: float | None = Field(default=None, description="the mean chance that was said")
    came: Estimate | None = Field(default=None, description="the share that did stay away")
    auc: float | None = None


class Fairness(Value):
    """Groups by a trait, those chosen most first; flagged: surely below four fifths of the first."""

    of: str
    trait: str
    least: int = Field(description="groups of fewer customers are left out")
    left_out: int = 0
    groups: tuple[GroupFairness, ...] = ()
    flagged: tuple[str, ...] = ()
    missing: CannotSay | None = None
