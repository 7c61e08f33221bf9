"""What creatives and personas answer with."""

from __future__ import annotations

from pydantic import Field

from shopkeeper.core.types import CannotSay, EstimateOrCannotSay, Value
from shopkeeper.insight.types.themes import Quote


class Element(Value):
    """One element of creatives. ``effect``: click rate with it less that without, within tests."""

    element: str
    creatives: int = Field(description="how many creatives have it")
    tests: int = Field(description="tests that have variants with and without it")
    rate: float | None = Field(description="click rate without it in those tests")
    effect: EstimateOrCannotSay


class Creatives(Value):
    """How the elements of creatives go with their click-through rate, the strongest first.

    ``level`` is that of each interval, widened for the number of elements looked at, so that all of them
    hold at once with 95 %. It says what goes together in tests, not that writing so will do the same.
    """

    creatives: int
    tests: int
    impressions: int
    elements: tuple[Element, ...]
    level: float
    cannot_say: CannotSay | None = None


class Trait(Value):
    """What sets a group apart: its mean beside that of all customers, and how far apart they are."""

    feature: str
    mean: float
    of_all: float
    distance: float = Field(
        description="standard deviations of all customers between the two means"
    )
    names: dict[str, str] = Field(description="the feature in words, by language")


class Persona(Value):
    """One group of customers, with what sets it apart and what its members say.

    Its name by language is made of what sets it apart: ``named_by`` says ``traits``, or which model.
    """

    persona: int
    names: dict[str, str]
    named_by: str
    customers: int
    share: float
    traits: tuple[Trait, ...]
    examples: tuple[str, ...] = Field(description="the members nearest to its middle")
    quotes: tuple[Quote, ...]


class Personas(Value):
    """Groups of customers by what they do and say, largest first; none where there are no clear ones.

    ``separation`` is the mean silhouette of the groups, ``by_chance`` the best that customers without any
    groups, but with the same spread of each feature, would have.
    """

    customers: int
    personas: tuple[Persona, ...]
    separation: float | None
    by_chance: float | None
    cannot_say: CannotSay | None = None
