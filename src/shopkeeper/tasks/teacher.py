"""The teacher: a language model that answers a task, slowly and for money, and whose labels teach."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from shopkeeper.core.errors import BadReply, ModelFailed, OverBudget
from shopkeeper.language.many import Failed, complete_each
from shopkeeper.language.types import BILLIONTHS, Backend, Reply, Request
from shopkeeper.stats.summary import Proportion
from shopkeeper.store.labels import Given, Labels, Purpose
from shopkeeper.tasks.asking import request, value
from shopkeeper.tasks.readable import refusal
from shopkeeper.tasks.types import Answer, Task

_AT_ONCE = 4
_GIVE_UP = 5


class Asked(NamedTuple):
    """One text to be answered, and whose it is (for consent, and for erasing what came of it)."""

    text: str
    text_id: str = ""
    customer_id: str | None = None


class Taught(NamedTuple):
    """What came of one text, and what it cost in the shop's currency."""

    asked: Asked
    answer: Answer
    cost: float


class Teacher:
    """Answers by asking ``backend``, one text a request, so that no text can change another's label.

    ``agreement`` is how often people said the same where they labelled the same texts
    (``Labels.agreement``). The confidence of each answer is that share by Laplace's rule of
    succession: one half until somebody has checked.
    """

    def __init__(
        self,
        backend: Backend,
        task: Task,
        agreement: Proportion | None = None,
        at_once: int = _AT_ONCE,
    ) -> None:
        checked = agreement or Proportion()
        self.task = task
        self.confidence = (checked.hits + 1) / (checked.n + 2)
        self._backend = backend
        self._at_once = at_once

    @property
    def name(self) -> str:
        """Who labels, as labels and readings say it."""
        return f"teacher:{self._backend.name}"

    def answer(self, texts: Sequence[str]) -> list[Answer]:
        """One answer a text; one that could not be had, or paid for, abstains with the reason."""
        return [taught.answer for taught in self.read([Asked(text) for text in texts])]

    def read(self, asked: Sequence[Asked]) -> list[Taught]:
        """The same for texts that belong to somebody."""
        answered, left = _until_over_budget(self._each(asked))
        return [
            answered.get(place) or self._abstained(one, left) for place, one in enumerate(asked)
        ]

    def label(self, asked: Sequence[Asked], labels: Labels, purpose: Purpose) -> Iterator[Taught]:
        """Label texts for ``purpose`` and store each label as it comes; what is known is not asked again.

        Take the items one by one, in no order: each was stored before it is handed out, so a death, a
        cancelled job or an empty purse half-way loses nothing that was paid for. A text whose label was
        in no known form is stored as an abstention; one that failed for another reason is not stored.

        Raises:
            OverBudget: the cap is reached; the labels so far are stored.
            ModelFailed: several texts in a row failed; likewise.
        """
        known = labels.known(self.task.name, self.name, [one.text_id for one in asked])
        failures = 0
        for _, taught, error in self._each([one for one in asked if one.text_id not in known]):
            failed = isinstance(error, ModelFailed) and not isinstance(error, BadReply)
            failures = failures + 1 if failed else 0
            if error is not None and failures >= _GIVE_UP:
                raise error
            if not failed:
                labels.add([self._given(taught, purpose)])
            yield taught

    def _each(self, asked: Sequence[Asked]) -> Iterator[tuple[int, Taught, Failed | None]]:
        places = []
        for place, one in enumerate(asked):
            reason = refusal(one.text)
            if reason:
                yield place, self._abstained(one, reason), None
            else:
                places.append(place)
        requests = (self._request(asked[place]) for place in places)
        for position, outcome in complete_each(self._backend, requests, at_once=self._at_once):
            place = places[position]
            if isinstance(outcome, Reply):
                yield place, self._taught(asked[place], outcome), None
            else:
                again = "no known label, also when asked again: "
                reason = f"{again if isinstance(outcome, BadReply) else ''}{outcome.message}"
                yield place, self._abstained(asked[place], reason), outcome

    def _request(self, asked: Asked) -> Request:
        about = () if asked.customer_id is None else (asked.customer_id,)
        return request(self.task, asked.text, about)

    def _taught(self, asked: Asked, reply: Reply) -> Taught:
        found = value(self.task, asked.text, reply.value, self.confidence)
        return Taught(asked, Answer(found, self.confidence, self.name, reply.model), reply.cost)

    def _abstained(self, asked: Asked, reason: str) -> Taught:
        return Taught(asked, Answer(None, 0.0, self.name, self._backend.name, True, reason), 0.0)

    def _given(self, taught: Taught, purpose: Purpose) -> Given:
        found = taught.answer.value
        spans = [span._asdict() for span in found] if isinstance(found, tuple) else found
        return Given(
            task=self.task.name,
            text_id=taught.asked.text_id,
            labeller=self.name,
            kind="teacher",
            purpose=purpose,
            value=spans,
            customer_id=taught.asked.customer_id,
            reason=taught.answer.reason,
            billionths=round(taught.cost * BILLIONTHS),
        )


def _until_over_budget(
    each: Iterator[tuple[int, Taught, Failed | None]],
) -> tuple[dict[int, Taught], str]:
    answered: dict[int, Taught] = {}
    try:
        answered.update((place, taught) for place, taught, _ in each)
    except OverBudget as error:
        return answered, error.message
    return answered, ""
