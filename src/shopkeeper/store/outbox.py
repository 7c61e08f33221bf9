"""The outbox: exactly one message for each (step, customer), from the queue to what came of it.

::

    queued → leased → sending → accepted → delivered | bounced | complained
       ↑________|________|→ failed | cancelled | unknown

A message is ``sending`` from before its bytes leave until its provider's answer is written down. Whoever
finds it there after its sender has died cannot know whether it left: it becomes ``unknown``, and is sent
again only where the provider knows a repetition by the message's id.
"""

from __future__ import annotations

import json
import secrets
import zlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Row, func, select, update

from shopkeeper.store import tables
from shopkeeper.store.batches import batches
from shopkeeper.store.contact_controls import Control, names, over
from shopkeeper.store.contact_controls import held as held_by
from shopkeeper.store.contact_tables import attempts, contact_controls, message_events, messages
from shopkeeper.store.database import Database, lock
from shopkeeper.store.messages import WAITING, Draft, Finished, Message, State
from shopkeeper.store.process import Process
from shopkeeper.store.reach import Reach

LASTS: Final = timedelta(minutes=5)
"""How long a batch is held without being begun or renewed."""

_PAGE = 2_000
_M = messages.c
_CAPS_LOCK = 0x636F6E74

_NOTED: Final = {State.ACCEPTED: "sent", State.BOUNCED: "bounced"}
"""What is noted of a message when a try has come to that."""


class Outbox:
    """The shop's outbox; safe with any number of senders on any number of machines."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, drafts: Iterable[Draft], *, now: datetime) -> int:
        """Queue messages; how many were new: a second one of the same step and customer is left out."""
        new = 0
        for page in batches(drafts, _PAGE):
            with self._database.begin() as connection:
                insert = tables.insert_new(connection, messages)
                done = connection.execute(insert, [_row(one, now) for one in page])
                new += max(0, done.rowcount)
        return new

    def had(self, step: str, customer_ids: Sequence[str]) -> set[str]:
        """Those of the customers who have a message of that step, whatever became of it."""
        found: set[str] = set()
        with self._database.connect() as connection:
            for page in batches(customer_ids, 900):
                query = select(_M.customer_id).where(_M.step == step, _M.customer_id.in_(page))
                found.update(connection.scalars(query))
        return found

    def lease(
        self, channel: str, owner: str, most: int, now: datetime, lasts: timedelta = LASTS
    ) -> list[Message]:
        """Up to ``most`` messages that are due, held for ``owner``: no other sender gets them."""
        held = select(contact_controls.c.name).where(
            (contact_controls.c.until.is_(None)) | (contact_controls.c.until > now)
        )
        with self._database.begin() as connection:
            barred = set(connection.scalars(held))
            if barred & set(over(channel)):
                return []
            query = select(_M.number).where(
                _M.state == State.QUEUED.value, _M.channel == channel, _M.due_at <= now
            )
            steps = [n.partition(":")[2] for n in barred if n.startswith("step:")]
            campaigns = [n.partition(":")[2] for n in barred if n.startswith("campaign:")]
            if steps:
                query = query.where(_M.step.not_in(steps))
            if campaigns:
                query = query.where(_M.campaign_id.not_in(campaigns))
            query = query.order_by(_M.due_at, _M.number).limit(most)
            numbers = connection.scalars(query.with_for_update(skip_locked=True)).all()
            if not numbers:
                return []
            change = update(messages).where(_M.number.in_(numbers))
            values = {"state": State.LEASED.value, "owner": owner, "lease_until": now + lasts}
            connection.execute(change.values(**values, changed_at=now))
            found = select(messages).where(_M.number.in_(numbers)).order_by(_M.due_at, _M.number)
            return [_message(row) for row in connection.execute(found)]

    @contextmanager
    def turn(self) -> Iterator[Turn]:
        """One transaction in which the last try is written down and the next one decided and begun."""
        with self._database.begin() as connection:
            yield Turn(connection, self._database.dialect_name)

    def give_back(self, owner: str, now: datetime) -> int:
        """Put what the owner holds and has not begun back into the queue; how many."""
        mine = update(messages).where(_M.state == State.LEASED.value, _M.owner == owner)
        values = {"state": State.QUEUED.value, "owner": None, "lease_until": None}
        with self._database.begin() as connection:
            return connection.execute(mine.values(**values, changed_at=now)).rowcount

    def recover(self, repeatable: Collection[str], now: datetime) -> dict[str, int]:
        """Take over what dead senders held; how many messages went back to the queue or to ``unknown``.

        Args:
            repeatable: channels whose provider knows a repetition by the message's id.
            now: leases that ended before are of senders that are taken for dead, wherever they ran.
        """
        counts = {"queued": 0, "unknown": 0}
        with self._database.connect() as connection:
            if not self._dead(connection, now):
                return counts
        with self._database.begin() as connection:
            for owner in self._dead(connection, now):
                theirs = (_M.owner == owner[0]) & (_M.state == owner[1])
                if not owner[2]:  # alive, as far as can be seen: only what it held for too long
                    theirs &= _M.lease_until < now
                freed = {"owner": None, "lease_until": None, "changed_at": now}
                if owner[1] == State.LEASED.value:
                    back = update(messages).where(theirs)
                    done = connection.execute(back.values(state=State.QUEUED.value, **freed))
                    counts["queued"] += done.rowcount
                    continue
                again = update(messages).where(theirs, _M.channel.in_(sorted(repeatable)))
                values = {"state": State.QUEUED.value, "reason": "repeated", "due_at": now}
                counts["queued"] += connection.execute(again.values(**values, **freed)).rowcount
                lost = update(messages).where(theirs)
                values = {"state": State.UNKNOWN.value, "reason": "sender_died"}
                counts["unknown"] += connection.execute(lost.values(**values, **freed)).rowcount
        return counts

    def _dead(self, connection: Connection, now: datetime) -> list[tuple[str, str, bool]]:
        held = (State.LEASED.value, State.SENDING.value)
        query = (
            select(_M.owner, _M.state, func.min(_M.lease_until))
            .where(_M.state.in_(held), _M.owner.is_not(None))
            .group_by(_M.owner, _M.state)
        )
        found = []
        for owner, state, until in connection.execute(query):
            dead = Process.of(json.loads(owner)["process"]).is_dead()
            if dead or until < now:
                found.append((owner, state, dead))
        return found

    def settle(self, number: int, state: State, reason: str, now: datetime) -> bool:
        """Decide about an ``unknown`` message; False where it is that no more."""
        with self._database.begin() as connection:
            return Turn(connection, "").move(number, (State.UNKNOWN.value,), state, reason, now)

    def again(self, numbers: Sequence[int], states: Sequence[State], now: datetime) -> int:
        """Queue these messages once more, if they still stand in one of the states; how many did."""
        count = 0
        values = {"state": State.QUEUED.value, "reason": "asked_again", "due_at": now}
        with self._database.begin() as connection:
            for page in batches(numbers, 900):
                back = update(messages).where(_M.number.in_(page), _M.state.in_(states))
                count += connection.execute(back.values(**values, changed_at=now)).rowcount
        return count

    def cancel(self, where: Mapping[str, str], reason: str, now: datetime) -> int:
        """Cancel what waits and was not begun, of these columns' values; how many."""
        gone = update(messages).where(_M.state.in_(WAITING))
        for name, value in where.items():
            gone = gone.where(messages.c[name] == value)
        values = {"state": State.CANCELLED.value, "reason": reason, "owner": None}
        with self._database.begin() as connection:
            return connection.execute(gone.values(**values, changed_at=now)).rowcount

    def find(self, message: str) -> Message | None:
        """The message of that id, or that its provider knows by that reference."""
        with self._database.connect() as connection:
            return find(connection, message)

    def page(
        self, where: Mapping[str, str], limit: int, before: int | None = None
    ) -> list[Message]:
        """Messages of these columns' values, the newest first, numbered below ``before``."""
        query = select(messages).order_by(_M.number.desc()).limit(limit)
        for name, value in where.items():
            query = query.where(messages.c[name] == value)
        if before is not None:
            query = query.where(_M.number < before)
        with self._database.connect() as connection:
            return [_message(row) for row in connection.execute(query)]

    def tries(self, number: int) -> list[dict[str, Any]]:
        """Every try of a message, in order."""
        query = select(attempts).where(attempts.c.message == number).order_by(attempts.c.number)
        with self._database.connect() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]

    def counts(self, *by: str) -> list[tuple[Any, ...]]:
        """How many messages there are of each value of these columns; the count stands last."""
        columns = [messages.c[name] for name in by]
        query = select(*columns, func.count()).group_by(*columns).order_by(*columns)
        with self._database.connect() as connection:
            return [tuple(row) for row in connection.execute(query)]

    def due(self, channels: Iterable[str], now: datetime) -> list[str]:
        """Those of the channels with something to send now that nothing holds up."""
        controls = contact_controls.c
        held = select(controls.name).where((controls.until.is_(None)) | (controls.until > now))
        query = select(_M.number).where(_M.state == State.QUEUED.value, _M.due_at <= now).limit(1)
        found = []
        with self._database.connect() as connection:
            barred = set(connection.scalars(held))
            for one in channels:
                free = not barred & set(over(one))
                if free and connection.scalar(query.where(_M.channel == one)) is not None:
                    found.append(one)
        return found

    def oldest(self, now: datetime) -> datetime | None:
        """Since when the message that waits the longest is due; None where none is."""
        query = select(func.min(_M.due_at)).where(_M.state == State.QUEUED.value, _M.due_at <= now)
        with self._database.connect() as connection:
            found: datetime | None = connection.scalar(query)
            return found


class Turn:
    """What one transaction of a sender does."""

    def __init__(self, connection: Connection, dialect: str) -> None:
        self._connection = connection
        self._dialect = dialect
        self.reach = Reach(connection)

    def hold(self, message: Message, now: datetime) -> Control | bool | None:
        """Whether the message may be decided on: True, or False where it is no longer its sender's.

        A control that holds it up is returned. On PostgreSQL the customer is locked, so that two senders
        cannot both find that one more message is within the cap.
        """
        if self._dialect == "postgresql":
            lock(self._connection, _CAPS_LOCK + hash_of(message.customer_id))
        query = select(_M.state, _M.owner, _M.lease_until).where(_M.number == message.number)
        # Locked: who stops the step meanwhile waits until it is decided.
        row = self._connection.execute(query.with_for_update()).one()
        mine = row.state == State.LEASED.value and row.owner == message.owner
        if not mine or row.lease_until < now:
            return False
        wanted = names(message.channel, message.step, message.campaign_id)
        return held_by(self._connection, wanted, now) or True

    def begin(self, message: Message, address: str, policy: int, now: datetime) -> int:
        """Note that the message is about to leave; the number of the try."""
        values = {
            "state": State.SENDING.value,
            "reason": "",
            "address": address,
            "policy": policy,
            "tries": message.tries + 1,
            "sent_at": now,
            "lease_until": now + LASTS,
            "changed_at": now,
        }
        self._connection.execute(update(messages).where(_M.number == message.number).values(values))
        row = {"message": message.number, "started_at": now}
        done = self._connection.execute(attempts.insert(), row)
        assert done.inserted_primary_key is not None  # noqa: S101 - a table with a key
        return int(done.inserted_primary_key[0])

    def put_off(self, message: Message, reason: str, due_at: datetime, now: datetime) -> None:
        """Put a message that was held back into the queue for later."""
        states = (State.LEASED.value,)
        self.move(message.number, states, State.QUEUED, reason, now, due_at=due_at)

    def drop(self, message: Message, reason: str, policy: int, now: datetime) -> None:
        """Cancel a message that was held: it must not leave."""
        states = (State.LEASED.value,)
        self.move(message.number, states, State.CANCELLED, reason, now, policy=policy)

    def finish(self, done: Finished, now: datetime) -> None:
        """Write down what a try came to; also where somebody called it ``unknown`` meanwhile.

        Once the message was begun anew, the answer to an older try changes nothing but that try's row.
        """
        change = update(attempts).where(attempts.c.number == done.attempt)
        values = {"outcome": done.outcome, "code": done.code, "answer": done.answer}
        self._connection.execute(change.values(finished_at=now, **values))
        more: dict[str, Any] = {}
        if done.reference is not None:
            more["reference"] = done.reference
        if done.due_at is not None:
            more["due_at"] = done.due_at
        states = (State.SENDING.value, State.UNKNOWN.value)
        number = done.message.number
        last = select(func.max(attempts.c.number)).where(attempts.c.message == number)
        if self._connection.scalar(last) != done.attempt:
            return
        moved = self.move(number, states, done.state, done.reason, now, **more)
        if moved and (kind := _NOTED.get(done.state)):
            self.note(done.message, kind, f"{done.message.message_id}:{kind}", now)

    def note(
        self,
        message: Message,
        kind: str,
        event_id: str,
        time: datetime,
        *,
        why: str = "",
        link: str | None = None,
    ) -> bool:
        """Keep what happened to a message, once; ``why`` says why it does not count, if it does not."""
        row = {
            "event_id": event_id,
            "message": message.number,
            "kind": kind,
            "time": time,
            "counted": not why,
            "why": why,
            "link": link,
            "told": False,
        }
        new = tables.insert_new(self._connection, message_events)
        return self._connection.execute(new, row).rowcount == 1

    def move(
        self,
        number: int,
        states: Sequence[str],
        state: State,
        reason: str,
        now: datetime,
        **more: Any,
    ) -> bool:
        """Take a message from one of these states to another; False where it stands in none of them."""
        values = {"state": state.value, "reason": reason, "owner": None, "lease_until": None}
        change = update(messages).where(_M.number == number, _M.state.in_(states))
        done = self._connection.execute(change.values(**values, changed_at=now, **more))
        return done.rowcount == 1


def find(connection: Connection, message: str) -> Message | None:
    """The message of that id or reference, over this connection."""
    for column in (_M.message_id, _M.reference):
        row = connection.execute(select(messages).where(column == message)).first()
        if row is not None:
            return _message(row)
    return None


def owner(lane: str) -> str:
    """The name under which a sender of this process holds messages."""
    return json.dumps({"lane": lane, "process": Process.this().to_json()}, sort_keys=True)


def hash_of(customer_id: str) -> int:
    """A number for the customer's lock; two customers of one number only wait for each other."""
    return zlib.crc32(customer_id.encode("utf-8", "surrogatepass")) << 8


def _row(draft: Draft, now: datetime) -> dict[str, Any]:
    return {
        "message_id": secrets.token_hex(16),
        "step": draft.step,
        "customer_id": draft.customer_id,
        "channel": draft.channel,
        "purpose": draft.purpose,
        "campaign_id": draft.campaign_id,
        "labels": dict(draft.labels),
        "content": dict(draft.content),
        "state": State.QUEUED.value,
        "reason": "",
        "due_at": draft.due_at,
        "not_after": draft.not_after,
        "policy": 0,
        "tries": 0,
        "created_at": now,
        "changed_at": now,
    }


def _message(row: Row[Any]) -> Message:
    return Message(**row._mapping)
