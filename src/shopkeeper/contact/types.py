"""What the operations of reaching customers answer with."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import Field

from shopkeeper.core.plan import Planned
from shopkeeper.core.types import Value


class Count(Value):
    """How many messages of a channel stand in a state, and why where that says something."""

    channel: str
    state: str
    reason: str
    messages: int


class Held(Value):
    """What holds messages up, by whom or what, and until when."""

    name: str
    state: str
    reason: str
    since: datetime
    until: datetime | None


class ChannelState(Value):
    """A channel: its kind of address, and whether a repetition reaches the customer once."""

    name: str
    address: str
    repeatable: bool
    ready: bool
    missing: str = Field(default="", description="what is not set up, where it is not ready")


class Status(Value):
    """How sending stands."""

    counts: tuple[Count, ...]
    oldest_due: datetime | None = Field(description="since when what waits the longest is due")
    sender: str | None = Field(description="who sends now; null: nobody")
    held: tuple[Held, ...]
    channels: tuple[ChannelState, ...]
    suppressed: dict[str, int]


class MessageRow(Value):
    """One message in a listing."""

    message_id: str
    customer_id: str
    step: str
    campaign_id: str
    channel: str
    purpose: str
    state: str
    reason: str
    tries: int
    due_at: datetime
    sent_at: datetime | None
    changed_at: datetime


class Messages(Value):
    """Messages, the newest first; ``before`` fetches the next page where there is one."""

    messages: tuple[MessageRow, ...]
    before: int | None = None


class Try(Value):
    """One try: what the provider answered; without an outcome nobody knows."""

    started_at: datetime
    finished_at: datetime | None
    outcome: str | None
    code: str | None
    answer: str | None


class Event(Value):
    """What happened to a message; ``why`` says why it does not count, where it does not."""

    kind: str
    time: datetime
    counted: bool
    why: str
    link: str | None


class MessageRecord(Value):
    """Everything that is known of one message."""

    message: MessageRow
    address: str | None
    content: dict[str, Any] | None
    labels: dict[str, Any]
    policy: int = Field(description="the version of the rules by which it was judged last")
    tries: tuple[Try, ...]
    events: tuple[Event, ...]


class Checked(Value):
    """How many customers would be reached now, and how many not for which reason."""

    customers: int
    reached: int
    reasons: dict[str, int]
    policy: int


class Suppressed(Value):
    """What stands against an address or a customer, or the newest entries."""

    entries: tuple[SuppressionRow, ...]


class SuppressionRow(Value):
    """One entry; an empty channel or purpose stands for all. The address is kept as a keyed hash alone."""

    channel: str
    purpose: str
    reason: str
    customer_id: str | None
    since: datetime
    by: str


class Changed(Value):
    """How many entries or messages were changed."""

    changed: int


class Sent(Planned):
    """What became of a call that reaches customers."""

    queued: int = 0
    outcome: str = ""
    code: str = ""
    answer: str = ""


class Rules(Value):
    """The rules that hold, and their version."""

    version: int
    policy: dict[str, Any]


Suppressed.model_rebuild()
