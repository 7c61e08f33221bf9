"""What the operations of `recommend` answer with."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import Field

from shopkeeper.core.types import CannotSay, Reason, Value


class Slot(Value):
    """One recommended item; slots of one list are in order, best first."""

    rank: int
    item_id: str
    title: str | None
    price: float | None
    head: Literal["covisit", "popular"] = Field(description="which model chose it")
    score: float = Field(description="comparable within one head only")
    reasons: tuple[Reason, ...]


class Slate(Value):
    """The list for one customer: what goes with their own history, then what is popular."""

    customer_id: str
    as_of: date | None
    currency: str
    history: int = Field(description="items of this customer that were looked at, newest first")
    slots: tuple[Slot, ...]
    missing: CannotSay | None = Field(description="why the list is shorter than asked for")


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
