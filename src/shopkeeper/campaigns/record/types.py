"""What a decision record consists of. What is not known is null, and ``unknown`` says why."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from shopkeeper.contact.types import Event, Try
from shopkeeper.content.types import Check, Fact, Withdrawal
from shopkeeper.core.types import Reason, Value

About = Literal["message", "nothing", "recommendation"]


class Membership(Value):
    """The segment that meant the customer: its version, since when they were in, and why."""

    segment_id: str
    name: str
    version: int | None = Field(description="of the definition that let them in")
    definition: str
    note: str
    since: datetime | None
    until: datetime | None
    at: datetime = Field(description="when the campaign looked who is in")
    reasons: tuple[Reason, ...]


class Words(Value):
    """What was sent: the approved version, whose words they are, who let them pass, and their facts."""

    content_id: str
    name: str
    written_by: str
    author: str
    editors: tuple[str, ...]
    approver: str
    approved_at: datetime
    checks: tuple[Check, ...]
    facts: tuple[Fact, ...]
    label: dict[str, str]
    digest: str
    withdrawn: Withdrawal | None = Field(
        description="who took the approval back since; null: nobody"
    )
    content: dict[str, Any] | None = Field(description="as sent to this customer")


class Draw(Value):
    """The chance with which this customer got what they got."""

    experiment_id: str
    variant_id: str
    propensity: float
    at: datetime
    shares: dict[str, float]


class Statement(Value):
    """One thing the customer said about being reached, and what proves it."""

    purpose: str
    channel: str
    status: str
    time: datetime
    recorded_at: datetime
    proof: dict[str, Any]


class Consent(Value):
    """What held then: the last statement before it, and all of this purpose and channel."""

    at: datetime
    needed: bool = Field(description="false for service messages")
    held: Statement | None
    history: tuple[Statement, ...]


class Rules(Value):
    """The rules of reaching that it was judged by, and what had reached the customer within their windows."""

    version: int
    policy: dict[str, Any]
    messages_before: int


class Approval(Value):
    """Who made the campaign and who let it go."""

    campaign_id: str
    name: str
    status: str
    created_by: str
    created_at: datetime
    confirmed_by: str | None
    confirmed_at: datetime | None
    plan_hash: str | None
    suggestion: str = Field(description="the advice it came from; empty: none")


class Sending(Value):
    """Every try, every answer and every report."""

    message_id: str
    channel: str
    state: str
    reason: str
    address: str | None
    created_at: datetime
    sent_at: datetime | None
    tries: tuple[Try, ...]
    events: tuple[Event, ...]


class Outcome(Value):
    """What the customer did in the window; what the campaign did is told by ``campaigns results``."""

    since: datetime
    until: datetime
    whole: bool = Field(description="whether the window is over")
    events: int
    views: int
    orders: int
    revenue: float
    order_ids: tuple[str, ...]


class Shown(Value):
    """One place of a list of recommendations."""

    position: int
    chosen: str
    title: str
    propensity: float
    candidates: dict[str, float]


class Listed(Value):
    """A list of recommendations as it was decided."""

    decision_id: str
    kind: str
    time: datetime
    policy: str
    rules: tuple[str, ...]
    context: dict[str, str]
    personalised: bool
    places: tuple[Shown, ...]


class Record(Value):
    """Why somebody got this, or nothing, and what came of it."""

    about: About
    code: str = Field(description="sent, waiting, held_out, no_consent, not_in_segment …")
    answer: str = Field(description="in a sentence")
    certain: bool = Field(
        description="whether it was written down then; false: worked out now from what is kept"
    )
    customer_id: str | None
    erased: bool
    message_id: str | None
    approval: Approval | None
    membership: Membership | None
    words: Words | None
    draw: Draw | None
    consent: Consent | None
    rules: Rules | None
    sending: Sending | None
    listed: Listed | None
    outcome: Outcome | None
    withheld: tuple[str, ...] = Field(description="parts that need the right to read customers")
    unknown: tuple[str, ...] = Field(description="what is not known, and why")
