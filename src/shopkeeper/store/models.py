"""The registry of models: their versions and cards, which one is in use since when, and the way back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, select

from shopkeeper.core.errors import Conflict, NotFound
from shopkeeper.store import tables
from shopkeeper.store.database import Database
from shopkeeper.store.tasks_tables import model_promotions, models


@dataclass(frozen=True, slots=True)
class Model:
    """One version of a model. ``card`` says what it was made of and how good it is."""

    name: str
    version: str
    kind: str
    task: str
    card: Mapping[str, Any]
    made_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Promotion:
    """Which version of a model was put into use, when, by whom and why."""

    name: str
    version: str
    since: datetime
    by: str
    why: str


class Models:
    """The shop's models. What was in use is never forgotten: a rollback is a promotion too."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, model: Model) -> None:
        """Register a version; registering the same again changes nothing."""
        with self._database.begin() as connection:
            row = {name: getattr(model, name) for name in Model.__slots__}
            row["card"] = dict(model.card)
            row["made_at"] = model.made_at or self._database.now(connection)
            connection.execute(tables.insert_new(connection, models), row)

    def get(self, name: str, version: str) -> Model:
        """One version, or :class:`NotFound`."""
        query = select(models).where(models.c.name == name, models.c.version == version)
        with self._database.connect() as connection:
            row = connection.execute(query).mappings().first()
        if row is None:
            hint = "List its versions."
            raise NotFound(f"There is no version {version!r} of {name!r}.", hint=hint)
        return _model(row)

    def versions(self, name: str) -> Sequence[Model]:
        """Every version of the model, the newest first."""
        query = select(models).where(models.c.name == name)
        order = query.order_by(models.c.made_at.desc(), models.c.version)
        with self._database.connect() as connection:
            return [_model(row) for row in connection.execute(order).mappings()]

    def names(self) -> list[str]:
        """The names of all models."""
        query = select(models.c.name).distinct().order_by(models.c.name)
        with self._database.connect() as connection:
            return list(connection.scalars(query))

    def promote(self, name: str, version: str, *, by: str, why: str = "") -> Promotion:
        """Put a version into use; :class:`NotFound` when it is not registered."""
        self.get(name, version)
        with self._database.begin() as connection:
            since = self._database.now(connection)
            promotion = Promotion(name, version, since, by, why)
            row = {field: getattr(promotion, field) for field in Promotion.__slots__}
            connection.execute(model_promotions.insert(), row)
        return promotion

    def current(self, name: str) -> Model | None:
        """The version in use; None when none was ever promoted."""
        history = self.history(name, limit=1)
        return self.get(name, history[0].version) if history else None

    def history(self, name: str, limit: int = 50) -> Sequence[Promotion]:
        """What was put into use, the latest first."""
        p = model_promotions.c
        query = select(model_promotions).where(p.name == name).order_by(p.number.desc())
        with self._database.connect() as connection:
            rows = connection.execute(query.limit(limit)).mappings()
            return [Promotion(**{f: row[f] for f in Promotion.__slots__}) for row in rows]

    def rollback(self, name: str, *, by: str, why: str) -> Promotion:
        """Put the version back into use that was before the one in use now.

        Two rollbacks in a row go two versions back, not to and fro. :class:`Conflict` when there is none.
        """
        line: list[str] = []
        for promotion in reversed(self.history(name, limit=10_000)):
            if promotion.why.startswith(_BACK) and len(line) > 1:
                line.pop()
            elif not line or line[-1] != promotion.version:
                line.append(promotion.version)
        if len(line) < 2:
            raise Conflict(f"{name!r} has no earlier version to go back to.", hint="Train one.")
        return self.promote(name, line[-2], by=by, why=f"{_BACK} from {line[-1]}: {why}")


_BACK = "rolled back"


def _model(row: RowMapping) -> Model:
    return Model(**{name: row[name] for name in Model.__slots__})
