"""What a task asks, and what an answer is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple, Protocol

from pydantic import Field, model_validator

from shopkeeper.core.types import Value

TaskKind = Literal["label", "spans"]


class Label(Value):
    """One possible answer, with the words a teacher or a person is shown."""

    name: str = Field(min_length=1, max_length=80)
    meaning: str = ""


class Task(Value):
    """A typed question about one text.

    ``kind`` "label": exactly one of ``labels``. "spans": a list of :class:`Span`, whose ``category``
    is one of ``labels`` (none given: any). ``guidelines`` are for whoever labels, word by word.
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9_]{0,59}$")
    question: str
    labels: tuple[Label, ...] = ()
    kind: TaskKind = "label"
    languages: tuple[str, ...] = ("zh", "en")
    guidelines: str = ""

    @model_validator(mode="after")
    def _answerable(self) -> Task:
        names = self.names
        if self.kind == "label" and len(names) < 2:
            raise ValueError("a task that asks for a label needs at least two labels")
        if len(set(names)) < len(names):
            raise ValueError("two labels have the same name")
        return self

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the labels, in their order."""
        return tuple(label.name for label in self.labels)


class Span(NamedTuple):
    """What a text says about one thing: ``start``/``end`` are characters of the text as given.

    ``aspect`` is empty and ``start`` -1 where the opinion names no thing ("很惊艳。"); ``opinion`` is
    empty where none was found. ``polarity`` is -1, 0 or 1.
    """

    aspect: str
    category: str
    opinion: str
    polarity: int
    start: int
    end: int
    confidence: float = 1.0


class Answer(NamedTuple):
    """One text's answer. ``confidence`` is the calibrated chance that ``value`` is right.

    ``value`` is a label, a tuple of spans, or None where ``abstained``; ``reason`` then says why.
    """

    value: str | tuple[Span, ...] | None
    confidence: float
    answered_by: str
    model_version: str
    abstained: bool = False
    reason: str = ""


class Solver(Protocol):
    """Whatever answers a task's question: a student, a teacher, a cascade, rules."""

    @property
    def name(self) -> str:
        """Who it is, as answers and readings say it."""
        ...

    def answer(self, texts: Sequence[str]) -> list[Answer]:
        """One answer per text, in their order; a text that cannot be read abstains by itself."""
        ...
