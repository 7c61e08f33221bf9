"""What is handed to a channel, and what it says came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from pydantic import Field

from shopkeeper.core.types import Value


class Content(Value):
    """What one customer gets, every variable filled in: words, or an approved template's variables."""

    subject: str = Field(default="", max_length=998)
    text: str = Field(default="", max_length=200_000)
    html: str = Field(default="", max_length=500_000)
    template_id: str = Field(default="", max_length=200, description="approved by the provider")
    variables: Mapping[str, str] = Field(default={})


@dataclass(frozen=True, slots=True)
class Letter:
    """One message on its way out; ``message_id`` is the same at every try of the same message."""

    message_id: str
    address: str
    content: Content
    step: str = ""
    purpose: str = ""
    campaign_id: str = ""
    unsubscribe_url: str = ""


class Outcome(StrEnum):
    """What came of a try."""

    ACCEPTED = "accepted"
    """The provider has taken it over."""
    REFUSED = "refused"
    """It will never take this message."""
    LATER = "later"
    """Not now: nothing left, and another try may succeed."""
    UNSURE = "unsure"
    """The connection broke when it may have left already."""
    DISABLED = "disabled"
    """The provider takes nothing more from us."""


@dataclass(frozen=True, slots=True)
class Result:
    """How a try went: a short code for machines, the provider's own words for people.

    ``wait_s`` is how long the provider asks to wait; ``fault`` says whether the provider itself failed
    (which opens its breaker) and not just this message; ``bad_address`` that nobody is there.
    """

    outcome: Outcome
    code: str = ""
    answer: str = ""
    reference: str | None = None
    wait_s: float | None = None
    fault: bool = False
    bad_address: bool = False
