"""Who was given which variant, kept as it was given, and the share that is held out of everything."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert, select

from shopkeeper.store import tables
from shopkeeper.store.batches import batches
from shopkeeper.store.database import Database
from shopkeeper.store.experiment_tables import assignments, holdouts


@dataclass(frozen=True, slots=True)
class Given:
    """A unit's variant in one experiment, and the probability with which it was given."""

    experiment_id: str
    unit_id: str
    variant_id: str
    propensity: float
    time: datetime


@dataclass(frozen=True, slots=True)
class Holdout:
    """A share of all units that no campaign and no experiment touches, since when and why."""

    time: datetime
    actor: str
    share: float
    salt: str
    reason: str


class Assignments:
    """What was given. The first assignment of a unit in an experiment stays; a later one is ignored."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def known(self, experiment_id: str, unit_ids: Collection[str]) -> dict[str, Given]:
        """What these units have, by unit; those without are left out."""
        c = assignments.c
        found: dict[str, Given] = {}
        with self._database.connect() as connection:
            for page in batches(sorted(unit_ids), 900):
                query = select(assignments).where(
                    c.experiment_id == experiment_id, c.unit_id.in_(page)
                )
                for row in connection.execute(query).mappings():
                    one = Given(**{name: row[name] for name in Given.__slots__})
                    found[one.unit_id] = one
        return found

    def add(self, given: Sequence[Given]) -> None:
        """Keep these; where somebody was faster, theirs stays: ask :meth:`known` again."""
        with self._database.begin() as connection:
            upsert = tables.insert_new(connection, assignments)
            for page in batches(given, 5000):
                rows = [{name: getattr(g, name) for name in Given.__slots__} for g in page]
                connection.execute(upsert, rows)


class Holdouts:
    """The standing hold-out: its present share and its history."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def history(self) -> list[Holdout]:
        """Every change, the newest first."""
        names = [holdouts.c[name] for name in Holdout.__slots__]
        query = select(*names).order_by(holdouts.c.number.desc())
        with self._database.connect() as connection:
            return [Holdout(*row) for row in connection.execute(query)]

    def current(self) -> Holdout | None:
        """What holds now; None where nobody was ever held out."""
        history = self.history()
        return history[0] if history else None

    def set(self, actor: str, share: float, reason: str, salt: str) -> Holdout:
        """A new share. The first salt stays for good, so that a larger share keeps who was in it."""
        known = self.current()
        with self._database.begin() as connection:
            now = self._database.now(connection)
            made = Holdout(now, actor, share, known.salt if known else salt, reason)
            row = {name: getattr(made, name) for name in Holdout.__slots__}
            connection.execute(insert(holdouts).values(row))
        return made
