"""The shop's rules of reaching customers: quiet hours, caps, rates, and when to try again."""

from __future__ import annotations

from datetime import time

from pydantic import Field, field_validator, model_validator

from shopkeeper.core.types import Value
from shopkeeper.store.contact_policies import ContactPolicies
from shopkeeper.store.database import Database


class Cap(Value):
    """At most so many messages to one customer within the last ``days`` × 24 hours, over all campaigns."""

    most: int = Field(ge=1, description="messages")
    days: int = Field(ge=1, le=366)
    channel: str = Field(default="", description="empty: on all channels together")


class Quiet(Value):
    """Hours in which nobody is reached, by the customer's clock; the end is not quiet any more."""

    start: time = time(22)
    end: time = time(8)

    @model_validator(mode="after")
    def _has_a_length(self) -> Quiet:
        if self.start == self.end:
            raise ValueError("quiet hours must end at another time than they start")
        if self.start.tzinfo or self.end.tzinfo:
            raise ValueError("quiet hours are by the customer's clock: give no time zone")
        return self


class Pace(Value):
    """How fast a channel may send, and to one domain of addresses."""

    channel: str
    per_minute: int = Field(ge=1)
    per_domain: int = Field(default=0, ge=0, description="per minute; 0: as the channel")


class Policy(Value):
    """What holds for every message of the shop.

    ``service_purposes`` (an order that was shipped, a password) need no consent and have no caps or quiet
    hours; a suppression or restriction holds for them too.
    """

    quiet: Quiet | None = Quiet()
    caps: tuple[Cap, ...] = (Cap(most=1, days=1), Cap(most=3, days=7))
    service_purposes: tuple[str, ...] = ("service",)
    paces: tuple[Pace, ...] = ()
    retry_seconds: tuple[float, ...] = Field(
        default=(60, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400),
        description="how long to wait before each further try; after the last the message has failed",
    )
    rest_seconds: float = Field(
        default=10,
        gt=0,
        le=3_600,
        description="how long a provider that fails is left alone at first; doubled each further time",
    )
    track: bool = Field(
        default=False, description="whether opens and clicks of e-mails are told apart by customer"
    )

    @field_validator("retry_seconds")
    @classmethod
    def _are_waits(cls, waits: tuple[float, ...]) -> tuple[float, ...]:
        if not all(0 <= wait <= 7 * 86_400 for wait in waits):
            raise ValueError("each wait must be between 0 s and a week")
        return waits

    def is_service(self, purpose: str) -> bool:
        return purpose in self.service_purposes

    def pace(self, channel: str) -> Pace | None:
        """The rate of a channel, where one is set."""
        return next((one for one in self.paces if one.channel == channel), None)

    def caps_on(self, channel: str) -> tuple[Cap, ...]:
        """The caps under which a message on this channel stands."""
        return tuple(cap for cap in self.caps if cap.channel in ("", channel))


def current(database: Database) -> tuple[int, Policy]:
    """The number and the rules of the version that holds."""
    version, told = ContactPolicies(database).current()
    return version, Policy.model_validate(told)
