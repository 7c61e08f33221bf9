"""The texts that wait for a person's label: each is handed to one person at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, RowMapping, and_, func, or_, select, update

from shopkeeper.core.errors import Conflict, NotFound
from shopkeeper.store import tables
from shopkeeper.store.database import Database
from shopkeeper.store.labels import Given, Purpose
from shopkeeper.store.tasks_tables import label_queue, labels

LASTS = timedelta(minutes=10)
"""How long a claimed text is kept for who claimed it."""

_WAITING, _DONE, _SKIPPED = "waiting", "done", "skipped"


@dataclass(frozen=True, slots=True)
class Waiting:
    """A text that waits. ``why`` says why it was chosen; the highest ``priority`` is handed out first."""

    task: str
    text_id: str
    purpose: Purpose = "train"
    customer_id: str | None = None
    priority: float = 0.0
    why: str = ""


class Labelling:
    """The queue. A person's labels bear the name ``person:<who>``."""

    def __init__(self, database: Database, lasts: timedelta = LASTS) -> None:
        self._database = database
        self._lasts = lasts

    def add(self, waiting: Sequence[Waiting]) -> int:
        """Queue texts; how many were new. A text is queued once per task, whatever became of it."""
        new = 0
        with self._database.begin() as connection:
            now = self._database.now(connection)
            for one in waiting:
                row: dict[str, Any] = {name: getattr(one, name) for name in Waiting.__slots__}
                row |= {"state": _WAITING, "added_at": now}
                new += connection.execute(tables.insert_new(connection, label_queue), row).rowcount
        return new

    def claim(self, task: str, who: str) -> Waiting | None:
        """The next text for this person, theirs for ten minutes; None when none waits.

        Whoever holds one already gets the same again; nobody else gets it meanwhile.
        """
        q = label_queue.c
        with self._database.begin() as connection:
            now = self._database.now(connection)
            mine = and_(q.claimed_by == who, q.claimed_until > now)
            free = or_(q.claimed_by.is_(None), q.claimed_until <= now)
            for test in (mine, free):
                query = (
                    select(label_queue)
                    .where(q.task == task, q.state == _WAITING, test)
                    .order_by(q.priority.desc(), q.number)
                    .limit(1)
                    .with_for_update(skip_locked=True)  # PostgreSQL; SQLite writes one at a time
                )
                row = connection.execute(query).mappings().first()
                if row is not None:
                    held = {"claimed_by": who, "claimed_until": now + self._lasts}
                    one = update(label_queue).where(q.number == row["number"])
                    connection.execute(one.values(held))
                    return _waiting(row)
        return None

    def label(self, task: str, text_id: str, who: str, value: Any) -> Given:
        """Store the person's label of a text they hold.

        Raises:
            Conflict: they do not hold it (any more): somebody else may have it.
        """
        with self._database.begin() as connection:
            row = self._held(connection, task, text_id, who)
            given = Given(
                task=task,
                text_id=text_id,
                labeller=person(who),
                kind="person",
                purpose=row["purpose"],
                value=value,
                customer_id=row["customer_id"],
                time=self._database.now(connection),
            )
            values = {name: getattr(given, name) for name in Given.__slots__}
            connection.execute(tables.insert_new(connection, labels), values)
            self._close(connection, row, _DONE)
        return given

    def skip(self, task: str, text_id: str, who: str) -> None:
        """Put a held text aside, for nobody: it cannot be labelled. :class:`Conflict` when not held."""
        with self._database.begin() as connection:
            self._close(connection, self._held(connection, task, text_id, who), _SKIPPED)

    def undo(self, task: str, who: str) -> Waiting:
        """Take back what this person last labelled or skipped, and hand it to them again.

        Raises:
            NotFound: they have done nothing yet.
        """
        q = label_queue.c
        with self._database.begin() as connection:
            now = self._database.now(connection)
            mine = and_(q.task == task, q.claimed_by == who, q.state != _WAITING)
            last = select(label_queue).where(mine).order_by(q.closed_at.desc(), q.number.desc())
            row = connection.execute(last.limit(1)).mappings().first()
            if row is None:
                raise NotFound(f"{who} has labelled nothing of {task!r}.", hint="Label first.")
            again = {"state": _WAITING, "claimed_by": who, "claimed_until": now + self._lasts}
            connection.execute(update(label_queue).where(q.number == row["number"]).values(again))
            theirs = and_(
                labels.c.task == task,
                labels.c.text_id == row["text_id"],
                labels.c.labeller == person(who),
                labels.c.undone_at.is_(None),
            )
            connection.execute(update(labels).where(theirs).values(undone_at=now))
            return _waiting(row)

    def counts(self, task: str) -> dict[str, int]:
        """How many texts wait, are done and were skipped."""
        q = label_queue.c
        query = select(q.state, func.count()).where(q.task == task).group_by(q.state)
        with self._database.connect() as connection:
            found = {str(state): int(count) for state, count in connection.execute(query)}
        return {state: found.get(state, 0) for state in (_WAITING, _DONE, _SKIPPED)}

    def _held(self, connection: Connection, task: str, text_id: str, who: str) -> RowMapping:
        q = label_queue.c
        now = self._database.now(connection)
        mine = and_(q.task == task, q.text_id == text_id, q.claimed_by == who, q.state == _WAITING)
        query = select(label_queue).where(mine, q.claimed_until > now).with_for_update()
        row = connection.execute(query).mappings().first()
        if row is None:
            raise Conflict(f"Text {text_id!r} is not held by {who}.", hint="Claim the next one.")
        return row

    def _close(self, connection: Connection, row: RowMapping, state: str) -> None:
        values = {
            "state": state,
            "claimed_until": None,
            "closed_at": self._database.now(connection),
        }
        one = update(label_queue).where(label_queue.c.number == row["number"])
        connection.execute(one.values(values))


def person(who: str) -> str:
    """The labeller's name of a person."""
    return f"person:{who}"


def _waiting(row: RowMapping) -> Waiting:
    return Waiting(**{name: row[name] for name in Waiting.__slots__})
