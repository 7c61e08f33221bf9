"""A message to a customer as the store tells it: its states, on its way in, as it stands, and after a try."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final


class State(StrEnum):
    """Where a message stands."""

    QUEUED = "queued"
    LEASED = "leased"
    SENDING = "sending"
    ACCEPTED = "accepted"
    DELIVERED = "delivered"
    BOUNCED = "bounced"
    COMPLAINED = "complained"
    FAILED = "failed"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"


ERASED: Final = "erased-"
"""How the name begins that stands in the place of an erased customer's."""

WAITING: Final = (State.QUEUED.value, State.LEASED.value)


@dataclass(frozen=True, slots=True)
class Draft:
    """A message on its way into the outbox; ``labels`` go with it to the events of what came of it."""

    step: str
    customer_id: str
    channel: str
    purpose: str
    content: Mapping[str, Any]
    due_at: datetime
    not_after: datetime | None = None
    campaign_id: str = ""
    labels: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Message:
    """One message as it stands in the outbox."""

    number: int
    message_id: str
    step: str
    customer_id: str
    channel: str
    purpose: str
    campaign_id: str
    labels: Mapping[str, Any]
    content: Mapping[str, Any] | None
    state: str
    reason: str
    due_at: datetime
    not_after: datetime | None
    address: str | None
    policy: int
    tries: int
    reference: str | None
    owner: str | None
    lease_until: datetime | None
    created_at: datetime
    sent_at: datetime | None
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class Finished:
    """What a try came to: the message's next state, and when it is due again where that is ``queued``."""

    message: Message
    attempt: int
    state: State
    reason: str
    outcome: str
    code: str = ""
    answer: str = ""
    reference: str | None = None
    due_at: datetime | None = None
