"""What a built world reports."""

from __future__ import annotations

from shopkeeper.core.types import Value


class Built(Value):
    """A simulated shop has been written: how much of what, and where its truth lies."""

    scenario: str
    seed: int
    first_day: str
    last_day: str
    events: int
    orders: int
    revenue: float
    texts: int
    items: int
    facts: int
    customers: int
    identities: int
    happenings: tuple[str, ...]
    truth: str
    seconds: float


class Scenarios(Value):
    """The scenarios that come with Shopkeeper, by name, with what each is for."""

    scenarios: dict[str, str]
