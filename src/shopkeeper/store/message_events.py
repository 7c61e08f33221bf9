"""What became of messages: noted once each, judged for machines, and handed on to the intake log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update

from shopkeeper.store.contact_tables import message_events, messages
from shopkeeper.store.database import Database
from shopkeeper.store.messages import Message, State
from shopkeeper.store.outbox import Turn, find

_E = message_events.c
_LATER = {
    "delivered": (State.DELIVERED, (State.SENDING, State.ACCEPTED, State.UNKNOWN)),
    "bounced": (State.BOUNCED, (State.SENDING, State.ACCEPTED, State.DELIVERED, State.UNKNOWN)),
    "complained": (
        State.COMPLAINED,
        (State.SENDING, State.ACCEPTED, State.DELIVERED, State.UNKNOWN),
    ),
}
"""To which state an event takes a message, and from which."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One event of a message, with what the events table of the shop needs of it."""

    number: int
    event_id: str
    kind: str
    time: datetime
    counted: bool
    why: str
    link: str | None


@dataclass(frozen=True, slots=True)
class Happened:
    """Something that happened to a message; ``why`` is empty unless a machine did it."""

    event_id: str
    kind: str
    time: datetime
    why: str = ""
    link: str | None = None


class MessageEvents:
    """Reads and notes them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def note(
        self, message: str, happened: Happened, channel: str = ""
    ) -> tuple[Message | None, bool]:
        """The message of that id (and channel), if there is one, and whether this was new.

        The message's state follows.
        """
        with self._database.begin() as connection:
            found = find(connection, message)
            if found is None or (channel and found.channel != channel):
                return None, False
            turn = Turn(connection, self._database.dialect_name)
            new = turn.note(
                found,
                happened.kind,
                happened.event_id,
                happened.time,
                why=happened.why,
                link=happened.link,
            )
            if new and happened.kind in _LATER:
                state, before = _LATER[happened.kind]
                turn.move(
                    found.number, [s.value for s in before], state, happened.kind, happened.time
                )
        return found, new

    def of(self, number: int) -> list[Seen]:
        """Everything that happened to a message, in order."""
        query = select(message_events).where(_E.message == number).order_by(_E.time, _E.number)
        with self._database.connect() as connection:
            rows = connection.execute(query).mappings().all()
        return [_seen(row) for row in rows]

    def discount(self, numbers: Sequence[int], why: str) -> None:
        """Let these events not count: a machine did them."""
        change = update(message_events).where(_E.number.in_(numbers), _E.told.is_(False))
        with self._database.begin() as connection:
            connection.execute(change.values(counted=False, why=why))

    def untold(self, now: datetime, settle: timedelta, most: int) -> list[tuple[Seen, Message]]:
        """Events that the shop's log has not been told of, once they are old enough to be judged."""
        query = (
            select(message_events, messages)
            .join(messages, messages.c.number == _E.message)
            .where(_E.told.is_(False), _E.time <= now - settle)
            .order_by(_E.number)
            .limit(most)
        )
        theirs = len(message_events.columns)
        with self._database.connect() as connection:
            rows = [tuple(row) for row in connection.execute(query)]
        names, of_message = message_events.columns.keys(), messages.columns.keys()
        return [
            (
                _seen(dict(zip(names, row[:theirs], strict=True))),
                Message(**dict(zip(of_message, row[theirs:], strict=True))),
            )
            for row in rows
        ]

    def told(self, numbers: Sequence[int]) -> None:
        """Remember that the shop's log knows these."""
        with self._database.begin() as connection:
            connection.execute(
                update(message_events).where(_E.number.in_(numbers)).values(told=True)
            )


def _seen(row: Any) -> Seen:
    return Seen(**{k: v for k, v in row.items() if k not in ("message", "told")})
