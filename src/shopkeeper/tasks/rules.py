"""Texts whose answer somebody has fixed: they are answered so, whatever a model would say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from shopkeeper.core.errors import BadInput
from shopkeeper.core.text import normalise
from shopkeeper.tasks import arrays
from shopkeeper.tasks.types import Answer, Task


class Rules:
    """Whole texts and their labels ("此用户没有填写评价": neutral); case, width and spaces do not count."""

    name = "rules"

    def __init__(self, task: Task, fixed: Mapping[str, str]) -> None:
        unknown = sorted(set(fixed.values()) - set(task.names))
        if unknown:
            known = ", ".join(task.names)
            raise BadInput(f"{task.name} has no label {unknown[0]!r}.", hint=f"Known: {known}.")
        self._fixed = {_key(text): label for text, label in fixed.items()}
        self.version = arrays.version(*(f"{k}={v}" for k, v in sorted(self._fixed.items())))

    def answer(self, texts: Sequence[str]) -> list[Answer]:
        """The fixed label with confidence 1, or an abstention."""
        return [self._of(self._fixed.get(_key(text))) for text in texts]

    def _of(self, label: str | None) -> Answer:
        if label is None:
            return Answer(None, 0.0, self.name, self.version, True, "no rule fits")
        return Answer(label, 1.0, self.name, self.version)


def _key(text: str) -> str:
    return normalise(text).casefold()
