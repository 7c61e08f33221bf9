"""Campaigns as they were drafted, confirmed, sent and ended, and who did so."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from sqlalchemy import Connection, RowMapping, insert, select, update

from shopkeeper.core.errors import Conflict, NotFound
from shopkeeper.store.campaign_tables import campaign_changes, campaigns
from shopkeeper.store.database import Database

Status = Literal["draft", "confirmed", "sending", "paused", "stopped", "done"]

_C = campaigns.c
_ALIVE: Final = ("confirmed", "sending", "paused")


@dataclass(frozen=True, slots=True)
class Stored:
    """One campaign. ``design``, ``arms``, ``progress`` and ``result`` are what its capability wrote.

    ``held`` is what it was before it was paused; ``revision`` grows with every change.
    """

    number: int
    name: str
    status: Status
    held: str
    why: str
    design: Mapping[str, Any]
    revision: int
    advice: str
    channel: str
    purpose: str
    arms: list[dict[str, Any]]
    segment_version: int | None
    plan_hash: str | None
    created_by: str
    created_at: datetime
    confirmed_by: str | None
    confirmed_at: datetime | None
    launched_at: datetime | None
    finished_at: datetime | None
    progress: Mapping[str, Any]
    result: Mapping[str, Any] | None

    @property
    def id(self) -> str:
        return f"K{self.number}"

    @property
    def step(self) -> str:
        """The outbox's name for its messages."""
        return f"{self.id}:1"

    @property
    def experiment_id(self) -> str:
        """The name of its experiment, which is created when it is confirmed."""
        return f"campaign-{self.id}"


@dataclass(frozen=True, slots=True)
class Change:
    """What somebody did to a campaign."""

    time: datetime
    actor: str
    change: str
    details: Mapping[str, Any]


class Campaigns:
    """The shop's campaigns. Every change is made on a known revision: of two at once one is refused."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, actor: str, at: datetime, values: Mapping[str, Any]) -> Stored:
        """Keep a draft: ``name``, ``design``, ``arms``, ``channel``, ``purpose``, ``advice``."""
        row = {
            "status": "draft",
            "held": "",
            "why": "",
            "revision": 1,
            "created_by": actor,
            "created_at": at,
            "progress": {},
            **values,
        }
        with self._database.begin() as connection:
            done = connection.execute(insert(campaigns), row)
            key = done.inserted_primary_key
            number = int(key[0]) if key is not None else 0
            _note(connection, number, at, actor, "drafted", {"design": row["design"]})
            return _one(connection, f"K{number}")

    def get(self, campaign_id: str) -> Stored:
        """The campaign of that id.

        Raises:
            NotFound: there is none.
        """
        with self._database.connect() as connection:
            return _one(connection, campaign_id)

    def all(self) -> list[Stored]:
        """All of them, the newest first."""
        query = select(campaigns).order_by(_C.number.desc())
        with self._database.connect() as connection:
            return [Stored(**row) for row in connection.execute(query).mappings()]

    def alive(self) -> list[Stored]:
        """Those that are confirmed and not over, the oldest first."""
        query = select(campaigns).where(_C.status.in_(_ALIVE)).order_by(_C.number)
        with self._database.connect() as connection:
            return [Stored(**row) for row in connection.execute(query).mappings()]

    def change(
        self,
        known: Stored,
        among: Collection[str],
        note: tuple[datetime, str, str, Mapping[str, Any]],
        values: Mapping[str, Any],
    ) -> Stored:
        """Change a campaign that still is as it was known, and note when, who, what, and details.

        Raises:
            Conflict: it is in none of the states ``among``, or somebody else was faster; says who.
        """
        at, actor, change, details = note
        with self._database.begin() as connection:
            if known.status not in among:
                raise Conflict(
                    f"{known.id} is {known.status}{_who(connection, known)}.",
                    hint="See: campaigns show.",
                    field="campaign_id",
                )
            wanted = update(campaigns).where(
                _C.number == known.number, _C.revision == known.revision, _C.status == known.status
            )
            done = connection.execute(wanted.values(**values, revision=known.revision + 1))
            if done.rowcount != 1:
                raise _overtaken(connection, known)
            _note(connection, known.number, at, actor, change, details)
            return _one(connection, known.id)

    def advance(self, known: Stored, values: Mapping[str, Any]) -> Stored:
        """Write down how far sending is; as :meth:`change`, without a note."""
        with self._database.begin() as connection:
            wanted = update(campaigns).where(
                _C.number == known.number, _C.revision == known.revision, _C.status == known.status
            )
            done = connection.execute(wanted.values(**values, revision=known.revision + 1))
            if done.rowcount != 1:
                raise _overtaken(connection, known)
            return _one(connection, known.id)

    def keep_result(self, campaign_id: str, result: Mapping[str, Any]) -> None:
        """Put the newest result in the place of the one before."""
        with self._database.begin() as connection:
            number = _number(campaign_id)
            change = update(campaigns).where(_C.number == number).values(result=dict(result))
            connection.execute(change)

    def changes(self, campaign_id: str) -> list[Change]:
        """What happened to it, the oldest first."""
        c = campaign_changes.c
        query = select(c.time, c.actor, c.change, c.details).where(
            c.campaign == _number(campaign_id)
        )
        with self._database.connect() as connection:
            return [Change(*row) for row in connection.execute(query.order_by(c.number))]


def _note(
    connection: Connection,
    number: int,
    at: datetime,
    actor: str,
    change: str,
    details: Mapping[str, Any],
) -> None:
    row = {"campaign": number, "time": at, "actor": actor, "change": change}
    connection.execute(insert(campaign_changes), {**row, "details": dict(details)})


def _overtaken(connection: Connection, known: Stored) -> Conflict:
    now = _one(connection, known.id)
    return Conflict(
        f"{known.id} was changed meanwhile{_who(connection, known)}. It is {now.status}.",
        hint="Look at it again.",
        field="campaign_id",
    )


def _who(connection: Connection, known: Stored) -> str:
    c = campaign_changes.c
    last = select(c.actor, c.change).where(c.campaign == known.number)
    row = connection.execute(last.order_by(c.number.desc()).limit(1)).first()
    return f": {row.actor} has {row.change} it" if row is not None else ""


def _number(campaign_id: str) -> int:
    digits = campaign_id[1:]
    if not campaign_id.startswith("K") or not (digits.isascii() and digits.isdigit()):
        raise _missing(campaign_id)
    return int(digits)


def _one(connection: Connection, campaign_id: str) -> Stored:
    number = _number(campaign_id)
    row: RowMapping | None = None
    if number < 1 << 62:
        query = select(campaigns).where(_C.number == number)
        row = connection.execute(query).mappings().one_or_none()
    if row is None:
        raise _missing(campaign_id)
    return Stored(**row)


def _missing(campaign_id: str) -> NotFound:
    return NotFound(
        f"There is no campaign {campaign_id!r}.", hint="See: campaigns list.", field="campaign_id"
    )
