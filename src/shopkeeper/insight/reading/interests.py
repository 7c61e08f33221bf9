"""What customers' own words say that they care for, without what nobody may infer unasked."""

from __future__ import annotations

from collections.abc import Sequence

from shopkeeper.tasks.house import readers
from shopkeeper.tasks.types import Answer, Solver, Span

TASK = "interests"


class Permitted:
    """A reader of interests whose sensitive answers (health, family, age) are dropped, not stored."""

    def __init__(self, solver: Solver) -> None:
        self._solver = solver
        self.name = solver.name
        self.version = str(getattr(solver, "version", "")) or solver.name
        self._kept_back = readers.sensitive(TASK)

    def answer(self, texts: Sequence[str]) -> list[Answer]:
        """One answer a text, in their order."""
        return [self._permitted(answer) for answer in self._solver.answer(texts)]

    def _permitted(self, answer: Answer) -> Answer:
        if isinstance(answer.value, str):
            return answer._replace(value=None if answer.value in self._kept_back else answer.value)
        if answer.value is None:
            return answer
        spans = (span for span in answer.value if isinstance(span, Span))
        return answer._replace(value=tuple(s for s in spans if s.category not in self._kept_back))
