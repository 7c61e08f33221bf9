"""What the operations on consent answer."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from shopkeeper.core.types import Value

Said = Literal["GRANT", "DENY", "REVOKED"]


class Statement(Value):
    """What a customer said at one time. ``proof`` says where and on what text: it may hold their words."""

    number: int = Field(description="in the order of recording, within this answer")
    purpose: str
    channel: str
    status: Said
    time: datetime
    recorded_at: datetime
    proof: dict[str, str]


class Standing(Value):
    """What holds now for one purpose and channel. Without ``status`` the customer has said nothing."""

    purpose: str
    channel: str
    status: Said | None
    since: datetime | None
    allowed: bool


class Consents(Value):
    """What a customer allows now, for every purpose, and all they ever said, the newest first."""

    customer_id: str
    standing: tuple[Standing, ...]
    statements: tuple[Statement, ...]


class Recorded(Consents):
    """The same after a statement; ``new`` is false where it had been recorded before."""

    new: bool
