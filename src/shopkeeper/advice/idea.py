"""What a rule answers with: whom it means, with what, and its own evidence, before anything is counted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from types import ModuleType

from shopkeeper.advice.types import Figure, Line, Opens
from shopkeeper.core import discovery
from shopkeeper.core.period import Days
from shopkeeper.customers.segmenting.definition import (
    All,
    Any,
    Definition,
    Did,
    Filter,
    Not,
    Said,
    Step,
    Trait,
)

_RULES = "shopkeeper.advice.rules"


@dataclass(frozen=True)
class Idea:
    """A suggestion in the making.

    ``subject`` tells ideas of one rule apart and stays the same from day to day; ``names`` go into the
    words of title and text. With ``care`` it is a matter for people, and no message is proposed.
    """

    rule: str
    group: Definition
    lines: Sequence[Line]
    occasion: str = ""
    subject: str = ""
    item_ids: tuple[str, ...] = ()
    category: str = ""
    names: Mapping[str, Figure] = field(default_factory=dict)
    care: bool = False

    @property
    def key(self) -> tuple[str, str]:
        return self.rule, self.subject


@cache
def rules() -> Mapping[str, ModuleType]:
    """Every rule by name: a file whose function ``ideas`` looks at a View and answers with ideas."""
    names = discovery.names(_RULES)
    return {name: discovery.load(_RULES, name, what="rule of advice") for name in names}


def line(code: str, days: Days | None, opens: Opens | None, /, **figures: Figure) -> Line:
    """One line of evidence of these days."""
    return Line(
        code=code,
        figures=figures,
        first_day=days.start if days else None,
        last_day=days.end if days else None,
        opens=opens,
    )


def events_of(days: Days, names: Sequence[str], item_ids: Sequence[str] = ()) -> Opens:
    """The rows of these events."""
    return Opens(
        what="events",
        names=tuple(names),
        item_ids=tuple(item_ids),
        first_day=days.start,
        last_day=days.end,
    )


def count(value: float) -> Figure:
    """A number of things."""
    return Figure(unit="count", value=value)


def money(value: float) -> Figure:
    """An amount in the shop's currency."""
    return Figure(unit="money", value=value)


def share(value: float, low: float | None = None, high: float | None = None) -> Figure:
    """A share, 1 being all, with its interval where it has one."""
    return Figure(unit="share", value=value, low=low, high=high)


def number_of_days(value: float) -> Figure:
    """A length of time."""
    return Figure(unit="days", value=value)


def text(value: str) -> Figure:
    """A name."""
    return Figure(unit="text", value=value)


def every(*parts: Definition) -> Definition:
    """Whoever all of these hold for."""
    return All(of=parts) if len(parts) > 1 else parts[0]


def either(*parts: Definition) -> Definition:
    """Whoever one of these holds for."""
    return Any(of=parts) if len(parts) > 1 else parts[0]


def never(part: Definition) -> Definition:
    """Whoever it does not hold for."""
    return Not(of=part)


def did(
    event: str, within: int | None = None, *, item: str = "", category: str = "", times: int = 1
) -> Definition:
    """Whoever did it so often within the last days."""
    wanted = {"item": item, "category": category}
    where = tuple(Filter(field=k, value=v) for k, v in wanted.items() if v)  # type: ignore[arg-type]
    return Did(step=Step(event=event, where=where), times=times, within=within)


def complained(within: int) -> Definition:
    """Whoever wrote something negative within the last days."""
    return Said(mood="negative", within=within)


def known(name: str, op: str, *values: float | str) -> Definition:
    """Whoever a trait is so for."""
    given = tuple(float(v) if isinstance(v, int | float) else v for v in values)
    return Trait(name=name, op=op, values=given)  # type: ignore[arg-type]
