"""The shipped readers, opened by name: ``load("sentiment").answer(["很好用"])``."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from shopkeeper.core.discovery import names
from shopkeeper.core.errors import Corrupt, UnknownName
from shopkeeper.core.text import language as language_of
from shopkeeper.tasks.house import written
from shopkeeper.tasks.spans import SpanReader
from shopkeeper.tasks.student import Student
from shopkeeper.tasks.types import Answer, Solver, Span

MODELS = Path(__file__).parent / "models"
RECIPES = "shopkeeper.tasks.house.recipes"
NAME = "house"
DEFAULT = "zh"
"""Who reads a text without a letter of any language, such as one of emoji alone."""

_ENOUGH = 2_000
"""So many characters tell the language of a text."""

_LIKELY = 0.2
"""Least probability of an interest that is said."""

NONE = "none"
SPANS = "aspects"


class Model(Protocol):
    """One language's part of a reader."""

    version: str

    def answer(self, texts: Sequence[str]) -> list[Answer]:
        """One answer a text."""
        ...


class Reader:
    """Reads each text with the model of its language.

    Of a text without Han or Latin letters it reads one of signs alone (emoji) as of ``DEFAULT``; one in
    other letters (Cyrillic, Arabic …) abstains. With one model alone, every text is read by that.
    """

    name = NAME

    def __init__(self, task: str, models: dict[str, Model]) -> None:
        self.task = task
        self._models = models

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages it reads."""
        return tuple(self._models)

    @property
    def version(self) -> str:
        """The versions of its models, in the order of their languages."""
        return "+".join(model.version for model in self._models.values())

    def answer(self, texts: Sequence[str]) -> list[Answer]:
        """One answer a text, in their order."""
        foreign = Answer(None, 0.0, NAME, self.version, True, "a language it does not read")
        answers = [foreign] * len(texts)
        for language, places in self._by_language(texts).items():
            chosen = [texts[place] for place in places]
            for place, answer in zip(places, self._models[language].answer(chosen), strict=True):
                answers[place] = answer
        return answers

    def _by_language(self, texts: Sequence[str]) -> dict[str, list[int]]:
        places: dict[str, list[int]] = {}
        for place, text in enumerate(texts):
            language = self._language(text)
            if language is not None:
                places.setdefault(language, []).append(place)
        return places

    def _language(self, text: str) -> str | None:
        if len(self._models) == 1:
            return next(iter(self._models))
        beginning = text[:_ENOUGH]
        guessed = language_of(beginning)
        if guessed is None and any(map(str.isalpha, beginning)):
            return None
        return guessed if guessed in self._models else DEFAULT


class LabelReader(Reader):
    """A reader whose answer is one label; it can tell the probability of each."""

    def __init__(self, task: str, students: dict[str, Student]) -> None:
        super().__init__(task, dict(students))
        self._students = students
        self.labels = next(iter(students.values())).labels

    def probabilities(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """The calibrated probability of each of ``labels``, (n, k), rows adding to 1.

        Of a text in a language that it does not read all are alike.
        """
        table = np.full((len(texts), len(self.labels)), 1 / len(self.labels), np.float32)
        for language, places in self._by_language(texts).items():
            chosen = [texts[place] for place in places]
            table[places] = self._students[language].probabilities(chosen)
        return table


class Several:
    """A student read as one of several labels: each label that is likely enough is a span of the whole."""

    def __init__(self, student: Student) -> None:
        self.student = student
        self.version = student.version
        self._none = student.labels.index(NONE)

    def answer(self, texts: Sequence[str]) -> list[Answer]:
        """Spans whose ``category`` is a label, the likeliest first; an empty tuple where none is."""
        single = self.student.answer(texts)
        readable = [
            "" if answer.abstained else text for text, answer in zip(texts, single, strict=True)
        ]
        table = self.student.probabilities(readable)
        return [
            answer if answer.abstained else self._several(text, row, answer)
            for text, row, answer in zip(texts, table, single, strict=True)
        ]

    def _several(self, text: str, row: NDArray[np.float32], answer: Answer) -> Answer:
        order = np.argsort(-row, kind="stable")
        labels = self.student.labels
        spans = tuple(
            Span("", labels[place], "", 0, 0, len(text), float(row[place]))
            for place in order
            if place != self._none and row[place] >= _LIKELY and answer.value != NONE
        )
        if not spans:
            return answer._replace(value=(), confidence=float(row[self._none]))
        return answer._replace(value=spans, confidence=min(1.0, sum(s.confidence for s in spans)))


def load(name: str, language: str | None = None) -> Solver:
    """The shipped reader ``name`` ("sentiment", "aspects", "interests", "intents"), of all its languages.

    With a ``language`` every text is read as of that one. ``sentiment`` and ``intents`` answer with a
    label; ``aspects`` with spans; ``interests`` with spans of the whole text, each a likely interest.

    Raises:
        UnknownName: there is no such reader, or it does not read this language.
        Corrupt: a model's files are damaged.
    """
    known = names(RECIPES)
    if name not in known:
        raise UnknownName("house reader", name, known)
    shipped = sorted(path.parent.name for path in (MODELS / name).glob("*/model.json"))
    if not shipped:
        raise Corrupt(f"The house reader {name!r} is not built.", hint="Run `make house`.")
    if language is not None and language not in shipped:
        raise UnknownName(f"language of the house reader {name!r}", language, shipped)
    return _opened(name, (language,) if language else tuple(shipped))


@cache
def _opened(name: str, languages: tuple[str, ...]) -> Solver:
    if name == SPANS:
        folders = {language: MODELS / name / language for language in languages}
        return Reader(name, {at: SpanReader.load(folder) for at, folder in folders.items()})
    students = {language: Student.load(MODELS / name / language) for language in languages}
    if NONE in next(iter(students.values())).labels:
        return Reader(name, {language: Several(student) for language, student in students.items()})
    return LabelReader(name, students)


def sensitive(name: str) -> frozenset[str]:
    """The reader's labels that are inferred only where an owner turned such inferences on."""
    return frozenset(
        label for label, about in written.labels(name).items() if about.get("sensitive")
    )
