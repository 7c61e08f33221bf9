"""What a segment is, as data: conditions on one customer, joined by and, or and not.

A condition that cannot be answered for a customer (a trait that is not known) does not hold, and its
negation does: every condition is either true or false.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from shopkeeper.core.types import Value

Op = Literal["=", "!=", "<", "<=", ">", ">="]
Count = Literal["at least", "at most", "exactly"]
Scalar = (
    Annotated[float, Field(strict=True, allow_inf_nan=False)]
    | Annotated[str, Field(strict=True, max_length=400)]
)
Days = Annotated[int, Field(ge=1, le=3650)]
Name = Annotated[str, Field(min_length=1, max_length=80)]
ITEM_FIELDS = ("item", "category", "brand")
FIELDS = (*ITEM_FIELDS, "value", "channel")
DEEPEST = 12


class Filter(Value):
    """What one event must be: its item, the item's category or brand, its value or its channel."""

    field: Literal["item", "category", "brand", "value", "channel"]
    op: Op = "="
    value: Scalar

    @model_validator(mode="after")
    def _fits(self) -> Filter:
        if (self.field == "value") != isinstance(self.value, float):
            raise ValueError(
                f"{self.field} is compared with a {'number' if self.field == 'value' else 'text'}"
            )
        if self.field != "value" and self.op not in ("=", "!="):
            raise ValueError(f"{self.field} can only be = or !=")
        return self


class Step(Value):
    """An event by name, with what must be true of it."""

    event: Name
    where: tuple[Filter, ...] = ()


class Trait(Value):
    """A trait compared with a value; ``is known`` asks whether there is one."""

    kind: Literal["trait"] = "trait"
    name: Name
    op: Literal["=", "!=", "<", "<=", ">", ">=", "in", "known"]
    values: tuple[Scalar, ...] = ()

    @model_validator(mode="after")
    def _has_values(self) -> Trait:
        wanted = {"known": self.values == (), "in": bool(self.values)}
        if not wanted.get(self.op, len(self.values) == 1):
            raise ValueError(f"{self.name} {self.op} has a wrong number of values")
        return self


class Did(Value):
    """An event that happened at least, at most or exactly ``times``, in the last ``within`` days or ever."""

    kind: Literal["did"] = "did"
    step: Step
    count: Count = "at least"
    times: int = Field(default=1, ge=0, le=100_000)
    within: Days | None = None


class Sequence(Value):
    """Events one after the other, each at most ``within`` days after the one before it.

    The last of them must have happened in the last ``during`` days.
    """

    kind: Literal["sequence"] = "sequence"
    steps: tuple[Step, ...] = Field(min_length=2, max_length=5)
    within: Days
    during: Days = 90


class Said(Value):
    """What the customer's own texts say: an aspect, a theme, a judgement, so often, so recently."""

    kind: Literal["said"] = "said"
    aspect: Name | None = None
    theme: Name | None = None
    mood: Literal["positive", "negative", "neutral"] | None = None
    times: int = Field(default=1, ge=1, le=10_000)
    within: Days | None = None

    @model_validator(mode="after")
    def _asks(self) -> Said:
        if self.theme is not None and (self.aspect is not None or self.mood is not None):
            raise ValueError("a theme is asked for alone")
        if self.theme is None and self.aspect is None and self.mood is None:
            raise ValueError("said needs an aspect, a theme or a judgement")
        return self


class Score(Value):
    """A prediction, from the newest scores."""

    kind: Literal["score"] = "score"
    name: Name
    op: Op
    value: Annotated[float, Field(allow_inf_nan=False)]


class Told(Value):
    """What the shop or the customer told: city, plan and so on."""

    kind: Literal["told"] = "told"
    name: Name
    op: Literal["=", "!=", "known"]
    value: str | None = None

    @model_validator(mode="after")
    def _has_value(self) -> Told:
        if (self.op == "known") != (self.value is None):
            raise ValueError(f"told {self.name} {self.op} has a wrong number of values")
        return self


class InSegment(Value):
    """Whoever another segment's definition holds for."""

    kind: Literal["segment"] = "segment"
    id: Annotated[str, Field(pattern=r"^S[1-9][0-9]{0,8}$")]


class OnList(Value):
    """Whoever is on a list that people keep."""

    kind: Literal["list"] = "list"
    name: Name


class Bucket(Value):
    """A random share of all customers, from ``start`` to ``end`` of a hundred; the salt makes it its own."""

    kind: Literal["bucket"] = "bucket"
    salt: Name
    start: float = Field(ge=0, le=100)
    end: float = Field(ge=0, le=100)

    @model_validator(mode="after")
    def _rises(self) -> Bucket:
        if self.end <= self.start:
            raise ValueError("a bucket ends above its start")
        return self


class Everyone(Value):
    """Every customer."""

    kind: Literal["everyone"] = "everyone"


class Not(Value):
    """Whoever the condition does not hold for."""

    kind: Literal["not"] = "not"
    of: Definition


class All(Value):
    """Whoever every condition holds for."""

    kind: Literal["all"] = "all"
    of: tuple[Definition, ...] = Field(min_length=2, max_length=40)


class Any(Value):
    """Whoever one of the conditions holds for."""

    kind: Literal["any"] = "any"
    of: tuple[Definition, ...] = Field(min_length=2, max_length=40)


Leaf = Trait | Did | Sequence | Said | Score | Told | InSegment | OnList | Bucket | Everyone
Definition = Annotated[
    Trait
    | Did
    | Sequence
    | Said
    | Score
    | Told
    | InSegment
    | OnList
    | Bucket
    | Everyone
    | Not
    | All
    | Any,
    Field(discriminator="kind"),
]

for _model in (Not, All, Any):
    _model.model_rebuild()


def leaves(definition: Definition) -> list[Leaf]:
    """Its conditions, in the order in which they are written."""
    if isinstance(definition, Not):
        return leaves(definition.of)
    if isinstance(definition, All | Any):
        return [leaf for part in definition.of for leaf in leaves(part)]
    return [definition]


def depth(definition: Definition) -> int:
    """How deep and, or and not are nested; 1 for a single condition."""
    if isinstance(definition, Not):
        return 1 + depth(definition.of)
    if isinstance(definition, All | Any):
        return 1 + max(depth(part) for part in definition.of)
    return 1
