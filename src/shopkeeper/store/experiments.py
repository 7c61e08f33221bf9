"""Experiments as they were designed, started, changed and stopped, and the sums that were worked out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, RowMapping, delete, func, insert, select, update

from shopkeeper.core.errors import Conflict, NotFound
from shopkeeper.store.batches import batches
from shopkeeper.store.database import Database, lock
from shopkeeper.store.experiment_tables import (
    assignments,
    experiment_changes,
    experiment_sums,
    experiments,
)

Status = Literal["draft", "running", "stopped"]

SLOTS = 10_000
"""The buckets of a layer: each belongs to one running experiment at most."""

_LOCK = 7_305_010


@dataclass(frozen=True, slots=True)
class Stored:
    """One experiment. ``design`` is what its capability wrote; ``slots`` are ranges of buckets."""

    experiment_id: str
    status: Status
    layer: str
    salt: str
    slots: tuple[tuple[int, int], ...]
    design: Mapping[str, Any]
    created_by: str
    created_at: datetime
    started_at: datetime | None = None
    stopped_at: datetime | None = None
    stop_reason: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """What somebody did to an experiment."""

    time: datetime
    actor: str
    change: str
    details: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class DaySum:
    """The sums of one metric over the units of one variant first exposed on one day."""

    metric: str
    cohort: str
    variant_id: str
    stamp: str
    units: int
    sums: Sequence[float]


class Experiments:
    """The shop's experiments."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, new: Stored) -> None:
        """Keep a draft.

        Raises:
            Conflict: there is one of that id.
        """
        with self._database.begin() as connection:
            self._locked(connection)
            known = select(experiments.c.experiment_id)
            if connection.scalar(known.where(experiments.c.experiment_id == new.experiment_id)):
                raise Conflict(
                    f"There is an experiment {new.experiment_id!r}.",
                    hint="Choose another id.",
                    field="experiment_id",
                )
            row = {name: getattr(new, name) for name in Stored.__slots__}
            connection.execute(insert(experiments).values(row))
            note = (new.created_at, new.created_by, "created")
            self._note(connection, new.experiment_id, note, new.design)

    def get(self, experiment_id: str) -> Stored:
        """The experiment of that id.

        Raises:
            NotFound: there is none.
        """
        with self._database.connect() as connection:
            return _one(connection, experiment_id)

    def all(self) -> list[Stored]:
        """All of them, the newest first."""
        query = select(experiments).order_by(
            experiments.c.created_at.desc(), experiments.c.experiment_id
        )
        with self._database.connect() as connection:
            return [_stored(row) for row in connection.execute(query).mappings()]

    def start(self, experiment_id: str, actor: str, traffic: float, at: datetime) -> Stored:
        """Let it run from then on that share of its layer, on buckets that no other running experiment has.

        Raises:
            Conflict: it ran already, or the layer has not so much left; says who has it.
        """
        with self._database.begin() as connection:
            self._locked(connection)
            known = _one(connection, experiment_id)
            if known.status != "draft":
                raise Conflict(f"{experiment_id!r} is {known.status}.", hint="Create a new one.")
            slots = _free(connection, known, round(traffic * SLOTS))
            change = {"status": "running", "started_at": at, "slots": [list(s) for s in slots]}
            self._set(connection, experiment_id, change)
            self._note(
                connection, experiment_id, (at, actor, "started"), {"slots": change["slots"]}
            )
            return _one(connection, experiment_id)

    def stop(self, experiment_id: str, actor: str, reason: str, at: datetime) -> Stored:
        """End it; its buckets are free for others.

        Raises:
            Conflict: it does not run.
        """
        with self._database.begin() as connection:
            self._locked(connection)
            known = _one(connection, experiment_id)
            if known.status != "running":
                raise Conflict(f"{experiment_id!r} is {known.status}.", hint="Nothing to stop.")
            change = {"status": "stopped", "stopped_at": at, "stop_reason": reason}
            self._set(connection, experiment_id, change)
            self._note(connection, experiment_id, (at, actor, "stopped"), {"reason": reason})
            return _one(connection, experiment_id)

    def redesign(
        self, experiment_id: str, note: tuple[datetime, str, str], design: Mapping[str, Any]
    ) -> Stored:
        """Keep a changed design of an experiment that is not over; note when, who, and what was changed.

        Raises:
            Conflict: it is over.
        """
        with self._database.begin() as connection:
            self._locked(connection)
            known = _one(connection, experiment_id)
            if known.status == "stopped":
                raise Conflict(f"{experiment_id!r} is over.", hint="Create a new one.")
            self._set(connection, experiment_id, {"design": dict(design)})
            self._note(connection, experiment_id, note, design)
            return _one(connection, experiment_id)

    def changes(self, experiment_id: str) -> list[Change]:
        """What happened to it, the oldest first."""
        c = experiment_changes.c
        query = select(c.time, c.actor, c.change, c.details).where(c.experiment_id == experiment_id)
        with self._database.connect() as connection:
            return [Change(*row) for row in connection.execute(query.order_by(c.number))]

    def assigned(self, experiment_id: str) -> dict[str, int]:
        """How many units each variant was given."""
        c = assignments.c
        query = select(c.variant_id, func.count()).where(c.experiment_id == experiment_id)
        with self._database.connect() as connection:
            found = connection.execute(query.group_by(c.variant_id))
            return {str(variant): int(count) for variant, count in found}

    def sums(self, experiment_id: str) -> list[DaySum]:
        """Every sum that was worked out."""
        c = experiment_sums.c
        query = select(c.metric, c.cohort, c.variant_id, c.stamp, c.units, c.sums)
        with self._database.connect() as connection:
            rows = connection.execute(query.where(c.experiment_id == experiment_id))
            return [DaySum(*row) for row in rows]

    def keep_sums(
        self,
        experiment_id: str,
        cohorts: Iterable[str],
        metrics: Iterable[str],
        sums: Sequence[DaySum],
    ) -> None:
        """Put these in place of what is kept of their cohorts and metrics."""
        c = experiment_sums.c
        with self._database.begin() as connection:
            for page in batches(sorted(set(cohorts)), 900):
                gone = delete(experiment_sums).where(c.experiment_id == experiment_id)
                gone = gone.where(c.cohort.in_(page), c.metric.in_(sorted(metrics)))
                connection.execute(gone)
            for rows in batches(sums, 2000):
                values = [
                    {"experiment_id": experiment_id}
                    | {name: getattr(one, name) for name in DaySum.__slots__}
                    for one in rows
                ]
                connection.execute(insert(experiment_sums), values)

    def _locked(self, connection: Connection) -> None:
        if self._database.dialect_name == "postgresql":
            lock(connection, _LOCK)

    def _set(self, connection: Connection, experiment_id: str, values: Mapping[str, Any]) -> None:
        test = experiments.c.experiment_id == experiment_id
        connection.execute(update(experiments).where(test).values(**values))

    def _note(
        self,
        connection: Connection,
        experiment_id: str,
        note: tuple[datetime, str, str],
        details: Mapping[str, Any],
    ) -> None:
        at, actor, change = note
        row = {
            "experiment_id": experiment_id,
            "time": at,
            "actor": actor,
            "change": change,
            "details": dict(details),
        }
        connection.execute(insert(experiment_changes).values(row))


def _free(connection: Connection, wanted: Stored, count: int) -> list[tuple[int, int]]:
    """So many buckets of the layer that no running experiment has, as ranges."""
    test = (experiments.c.layer == wanted.layer) & (experiments.c.status == "running")
    rows = connection.execute(select(experiments).where(test)).mappings()
    others = [_stored(row) for row in rows]
    taken = sorted(span for one in others for span in one.slots)
    gaps: list[tuple[int, int]] = []
    at = 0
    for low, high in [*taken, (SLOTS, SLOTS)]:
        if low > at:
            gaps.append((at, low))
        at = max(at, high)
    chosen: list[tuple[int, int]] = []
    for low, high in gaps:
        size = min(high - low, count)
        if size > 0:
            chosen.append((low, low + size))
            count -= size
    if count > 0:
        left = sum(high - low for low, high in gaps) / SLOTS
        names = ", ".join(repr(one.experiment_id) for one in others)
        raise Conflict(
            f"Layer {wanted.layer!r} has {left:.0%} of its traffic left; {names} have the rest.",
            hint="Ask for less traffic, stop one of them, or use another layer.",
            field="traffic",
        )
    return chosen


def _one(connection: Connection, experiment_id: str) -> Stored:
    query = select(experiments).where(experiments.c.experiment_id == experiment_id)
    row = connection.execute(query).mappings().one_or_none()
    if row is None:
        raise NotFound(
            f"There is no experiment {experiment_id!r}.",
            hint="See: experiments list.",
            field="experiment_id",
        )
    return _stored(row)


def _stored(row: RowMapping) -> Stored:
    values = {name: row[name] for name in Stored.__slots__}
    values["slots"] = tuple((int(low), int(high)) for low, high in row["slots"])
    return Stored(**values)
