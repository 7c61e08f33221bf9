"""Rules, then the student where it is sure enough, then the teacher within a budget, then a person."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from shopkeeper.tasks.rules import Rules
from shopkeeper.tasks.teacher import Asked, Taught, Teacher
from shopkeeper.tasks.types import Answer, Solver


class Read(NamedTuple):
    """What came of some texts: ``answers`` in their order.

    ``local`` were answered by rules or the student, ``escalated`` by the teacher; ``waiting`` are the
    places of the texts that nobody could answer surely and that may be queued for a person. ``cost`` is
    in the shop's currency. ``stopped`` says why the teacher was not asked about all of them.
    """

    answers: list[Answer]
    local: int
    escalated: int
    waiting: list[int]
    cost: float
    stopped: str = ""


class Cascade:
    """``student`` answers alone from confidence ``threshold`` on (see ``guarantee``; above 1: never).

    At most ``budget`` different texts of one call go to ``teacher``, the least sure first; the same
    text twice is asked once. What is left abstains, with the student's confidence.
    """

    def __init__(
        self,
        student: Solver,
        threshold: float,
        *,
        rules: Rules | None = None,
        teacher: Teacher | None = None,
        budget: int = 0,
    ) -> None:
        self._student = student
        self._threshold = threshold
        self._rules = rules
        self._teacher = teacher
        self._budget = budget

    @property
    def name(self) -> str:
        """Who it is; each answer names the part that gave it."""
        return f"cascade:{self._student.name}"

    def answer(self, texts: Sequence[str]) -> list[Answer]:
        """One answer a text."""
        return self.read([Asked(text) for text in texts]).answers

    def read(self, asked: Sequence[Asked]) -> Read:
        """The same, with who answered how much and what waits for a person."""
        texts = [one.text for one in asked]
        answers = self._student.answer(texts)
        for place, ruled in enumerate(self._rules.answer(texts) if self._rules else ()):
            if not ruled.abstained:
                answers[place] = ruled
        unsure = [place for place, one in enumerate(answers) if self._unsure(one)]
        unread = sum(one.abstained for one in answers)
        local = len(asked) - len(unsure) - unread
        taught, stopped = self._escalated([asked[place] for place in self._order(unsure, answers)])
        known = {(one.asked.text, one.asked.customer_id): one for one in taught}
        waiting = []
        for place in unsure:
            found = known.get((asked[place].text, asked[place].customer_id))
            if found is not None and not found.answer.abstained:
                answers[place] = found.answer
                continue
            waiting.append(place)
            why = found.answer.reason if found else stopped
            answers[place] = self._left(answers[place], why)
        cost = sum(one.cost for one in taught)
        return Read(answers, local, len(unsure) - len(waiting), waiting, cost, stopped)

    def _unsure(self, answer: Answer) -> bool:
        return not answer.abstained and answer.confidence < self._threshold

    def _order(self, unsure: Sequence[int], answers: Sequence[Answer]) -> list[int]:
        return sorted(unsure, key=lambda place: answers[place].confidence)

    def _escalated(self, asked: Sequence[Asked]) -> tuple[list[Taught], str]:
        different = list({(one.text, one.customer_id): one for one in asked}.values())
        if self._teacher is None or not different:
            return [], ""
        stopped = ""
        if len(different) > self._budget:
            stopped = f"the teacher may be asked about {self._budget} texts"
        return self._teacher.read(different[: self._budget]), stopped

    def _left(self, answer: Answer, why: str) -> Answer:
        reason = f"not sure enough: {answer.confidence:.3f}, needed {self._threshold:.3f}"
        return answer._replace(
            value=None, abstained=True, reason=f"{reason}; {why}" if why else reason
        )
