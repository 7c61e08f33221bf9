"""The language of rules for lists: what may be shown to whom, where and how much of it.

A rule is JSON with a ``kind``. What removes items goes before what puts them in: a pinned or promoted
item that may not be shown is not shown.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, Field, model_validator

from shopkeeper.core.types import Value

Name = Annotated[str, Field(min_length=1, max_length=80)]
Ids = Annotated[tuple[str, ...], Field(max_length=10_000)]


class Match(Value):
    """Which items: all conditions that are given must hold; of a list one value suffices."""

    items: Ids = ()
    kinds: Ids = Field(default=(), description="product, article, video, fund")
    brands: Ids = ()
    categories: Ids = Field(default=(), description="paths or their beginnings: 'Food > Tea'")
    attributes: dict[str, tuple[str, ...]] = Field(default={}, description="values by name")
    price_from: float | None = Field(default=None, ge=0)
    price_to: float | None = Field(default=None, ge=0, description="inclusive")
    new_days: int | None = Field(
        default=None,
        ge=1,
        description="on offer, or first chosen, within so many days; not known: not new",
    )

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self == Match.model_construct():
            raise ValueError("where is empty: name items, brands, categories, a price …")
        low, high = self.price_from, self.price_to
        if low is not None and high is not None and low > high:
            raise ValueError(f"price_from {low} is above price_to {high}")
        return self


class Scope(Value):
    """Where, for whom and when a rule holds; what is not given holds everywhere, for all, always.

    Rules for some customers alone do not touch lists of those who refuse personalisation.
    """

    pages: Ids = Field(default=(), description="placements as the caller names them: home, cart")
    customers: Ids = ()
    segment: str | None = Field(default=None, description="members of a saved segment")
    valid_from: AwareDatetime | None = None
    valid_to: AwareDatetime | None = Field(default=None, description="first instant without it")

    @property
    def personal(self) -> bool:
        """Whether it holds for some customers alone."""
        return bool(self.customers) or self.segment is not None


class _Rule(Value):
    name: Name
    scope: Scope = Scope()


class Hide(_Rule):
    """Such items are not shown."""

    kind: Literal["hide"] = "hide"
    where: Match


class Only(_Rule):
    """Nothing but such items is shown."""

    kind: Literal["only"] = "only"
    where: Match


class Stock(_Rule):
    """Items with fewer units at hand are not shown; none left is never shown, with or without it."""

    kind: Literal["stock"] = "stock"
    least: float = Field(gt=0)


class NeverAgain(_Rule):
    """What the customer has bought is not shown again: ever, or within so many days."""

    kind: Literal["never_again"] = "never_again"
    where: Match | None = None
    days: int | None = Field(default=None, ge=1)


class Pin(_Rule):
    """One item stands at this place, 1 being the first."""

    kind: Literal["pin"] = "pin"
    item_id: str
    place: int = Field(ge=1, le=100)


class Promote(_Rule):
    """This share of all places, counted over requests, goes to such items; no other place does."""

    kind: Literal["promote"] = "promote"
    where: Match
    share: float = Field(gt=0, le=1)


class Limit(_Rule):
    """At most so many items of one list are alike: ``by`` brand, category, title or an attribute's name.

    With ``most`` 1 and the attribute that variants of a product share, it shows one variant of each.
    """

    kind: Literal["limit"] = "limit"
    by: Name
    most: int = Field(default=1, ge=1, le=100)


class Diversify(_Rule):
    """Items unlike those above them are preferred: 0 changes nothing, 1 looks at nothing else."""

    kind: Literal["diversify"] = "diversify"
    strength: float = Field(gt=0, le=1)


class Explore(_Rule):
    """This share of places is drawn from the 20 likeliest items, with known chances, to learn from.

    Item i with chance proportional to P(i) ** (1 / temperature). Only in lists that are recorded.
    """

    kind: Literal["explore"] = "explore"
    share: float = Field(gt=0, le=0.5)
    temperature: float = Field(default=1.0, ge=0.1, le=10)


Rule = Annotated[
    Hide | Only | Stock | NeverAgain | Pin | Promote | Limit | Diversify | Explore,
    Field(discriminator="kind"),
]
Rules = Annotated[tuple[Rule, ...], Field(max_length=200)]
