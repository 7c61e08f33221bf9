"""A shop's own students on disk, one folder per version, and which of them is in use."""

from __future__ import annotations

from pathlib import Path

from shopkeeper.core.errors import NotFound
from shopkeeper.store.models import Model, Models, Promotion
from shopkeeper.tasks.spans import SpanReader
from shopkeeper.tasks.student import Student

Reader = Student | SpanReader


class Registry:
    """Models in ``folder``/<name>/<version>, registered in the store."""

    def __init__(self, folder: Path, models: Models) -> None:
        self._folder = folder
        self._models = models

    def publish(self, reader: Reader, *, task: str, by: str, why: str) -> Promotion:
        """Save the reader, register it and put it into use, in this order."""
        reader.save(self._folder / reader.name / reader.version)
        kind = "spans" if isinstance(reader, SpanReader) else "student"
        self._models.add(Model(reader.name, reader.version, kind, task, reader.card))
        return self._models.promote(reader.name, reader.version, by=by, why=why)

    def current(self, name: str) -> Reader:
        """The reader in use; raises NotFound where there is none, Corrupt where it is damaged."""
        model = self._models.current(name)
        if model is None:
            raise NotFound(f"No model {name!r} is in use.", hint="Train one first.")
        return self.load(model)

    def load(self, model: Model) -> Reader:
        """The reader of one registered version."""
        folder = self._folder / model.name / model.version
        return SpanReader.load(folder) if model.kind == "spans" else Student.load(folder)
