"""Labels that were paid for, by teachers and by people: stored as they come, none paid for twice."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, RowMapping, and_, func, select, update

from shopkeeper.core.errors import NotFound
from shopkeeper.stats.summary import Proportion
from shopkeeper.store import tables
from shopkeeper.store.batches import batches
from shopkeeper.store.database import Database
from shopkeeper.store.tasks_tables import labels

Kind = Literal["teacher", "person"]
Purpose = Literal["train", "calibration", "audit"]
"""What a label may be used for. Only texts drawn at random may calibrate or audit."""


@dataclass(frozen=True, slots=True)
class Given:
    """One label. ``value`` is a label's name, a list of spans as JSON, or None: abstained, with a reason."""

    task: str
    text_id: str
    labeller: str
    kind: Kind
    purpose: Purpose
    value: Any
    customer_id: str | None = None
    reason: str = ""
    billionths: int = 0
    time: datetime | None = None


class Labels:
    """The shop's labels. Nothing is overwritten: who corrects a label undoes it and gives another."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, given: Sequence[Given]) -> int:
        """Store labels durably; how many were new. A labeller's second label of a text is ignored."""
        if not given:
            return 0
        new = 0
        with self._database.begin() as connection:
            now = self._database.now(connection)
            for one in given:
                row = {name: getattr(one, name) for name in Given.__slots__}
                row["time"] = one.time or now
                new += connection.execute(tables.insert_new(connection, labels), row).rowcount
        return new

    def of(
        self,
        task: str,
        *,
        purpose: Purpose | None = None,
        kind: Kind | None = None,
        labeller: str | None = None,
    ) -> list[Given]:
        """The task's labels in the order in which they came, those undone left out."""
        query = select(labels).where(_current(task, purpose, kind, labeller))
        with self._database.connect() as connection:
            rows = connection.execute(query.order_by(labels.c.number)).mappings()
            return [_given(row) for row in rows]

    def known(self, task: str, labeller: str, text_ids: Collection[str]) -> set[str]:
        """Which of the texts this labeller has labelled, or tried to: they need not be paid for again."""
        found: set[str] = set()
        test = _current(task, None, None, labeller)
        with self._database.connect() as connection:
            for page in batches(sorted(text_ids), 900):
                query = select(labels.c.text_id).where(test, labels.c.text_id.in_(page))
                found.update(connection.scalars(query))
        return found

    def undo(self, task: str, text_id: str, labeller: str) -> Given:
        """Take a label back; :class:`NotFound` when there is none. Its row stays, marked."""
        test = and_(_current(task, None, None, labeller), labels.c.text_id == text_id)
        with self._database.begin() as connection:
            row = connection.execute(select(labels).where(test)).mappings().first()
            if row is None:
                raise NotFound(f"{labeller} gave text {text_id!r} no label.", hint="Check the id.")
            gone = update(labels).where(labels.c.number == row["number"])
            connection.execute(gone.values(undone_at=self._database.now(connection)))
            return _given(row)

    def agreement(self, task: str, labeller: str) -> Proportion:
        """How often people, where they labelled the same text, said what ``labeller`` says."""
        mine, theirs = labels.alias("mine"), labels.alias("theirs")
        same = and_(mine.c.task == theirs.c.task, mine.c.text_id == theirs.c.text_id)
        query = (
            select(mine.c.value, theirs.c.value)
            .select_from(mine.join(theirs, same))
            .where(
                mine.c.task == task,
                mine.c.labeller == labeller,
                theirs.c.kind == "person",
                theirs.c.labeller != labeller,
                mine.c.undone_at.is_(None),
                theirs.c.undone_at.is_(None),
                mine.c.value.is_not(None),
                theirs.c.value.is_not(None),
            )
        )
        with self._database.connect() as connection:
            pairs = [(a, b) for a, b in connection.execute(query)]
        return Proportion(len(pairs), sum(a == b for a, b in pairs))

    def counts(self, task: str) -> dict[str, int]:
        """How many labels each labeller gave, abstentions left out."""
        query = (
            select(labels.c.labeller, func.count())
            .where(_current(task, None, None, None), labels.c.value.is_not(None))
            .group_by(labels.c.labeller)
            .order_by(labels.c.labeller)
        )
        with self._database.connect() as connection:
            return {str(labeller): int(count) for labeller, count in connection.execute(query)}

    def spent(self, task: str) -> int:
        """What the task's labels cost, in billionths of the shop's currency."""
        query = select(func.coalesce(func.sum(labels.c.billionths), 0)).where(labels.c.task == task)
        with self._database.connect() as connection:
            return int(connection.scalar(query) or 0)


def _current(
    task: str, purpose: str | None, kind: str | None, labeller: str | None
) -> ColumnElement[bool]:
    tests = [labels.c.task == task, labels.c.undone_at.is_(None)]
    for column, value in (
        (labels.c.purpose, purpose),
        (labels.c.kind, kind),
        (labels.c.labeller, labeller),
    ):
        if value is not None:
            tests.append(column == value)
    return and_(*tests)


def _given(row: RowMapping) -> Given:
    return Given(**{name: row[name] for name in Given.__slots__})
