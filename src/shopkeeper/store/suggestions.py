"""Suggestions with their state: open, taken or dismissed by a person, or gone with their grounds."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, RowMapping, insert, select, update

from shopkeeper.core.errors import Conflict, NotFound
from shopkeeper.store.advice_tables import advice_looks, suggestions
from shopkeeper.store.database import Database, lock

OPEN, TAKEN, DISMISSED, GONE = "open", "taken", "dismissed", "gone"
_LOCK: Final = 0x61647663
_S = suggestions.c


@dataclass(frozen=True, slots=True)
class Found:
    """What a rule found today; ``subject`` tells apart what one rule finds of several things."""

    rule: str
    subject: str
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One suggestion as it is kept."""

    number: int
    rule: str
    subject: str
    state: str
    reason: str
    body: Mapping[str, Any]
    first_at: datetime
    made_at: datetime
    decided_at: datetime | None
    decided_by: str
    quiet_until: datetime | None

    @property
    def id(self) -> str:
        return f"A{self.number}"


@dataclass(frozen=True, slots=True)
class Look:
    """One look at the shop: when, up to which local day, how long, and which rules found nothing."""

    at: datetime
    as_of: str
    seconds: float
    silent: Sequence[str]


def number_of(suggestion_id: str) -> int:
    """The number in an id such as A12.

    Raises:
        NotFound: it is none.
    """
    digits = suggestion_id[1:]
    if not suggestion_id.startswith("A") or not digits.isdecimal() or len(digits) > 15:
        raise _missing(suggestion_id)
    return int(digits)


class Suggestions:
    """The shop's suggestions."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self, states: Collection[str], limit: int = 200) -> list[Suggestion]:
        """Those in these states, the newest first."""
        query = select(suggestions).where(_S.state.in_(sorted(states)))
        query = query.order_by(_S.number.desc()).limit(limit)
        with self._database.connect() as connection:
            return [_suggestion(row) for row in connection.execute(query).mappings()]

    def get(self, suggestion_id: str) -> Suggestion:
        """One of them, whatever its state.

        Raises:
            NotFound: there is none.
        """
        with self._database.connect() as connection:
            return _one(connection, suggestion_id)

    def quiet(self, now: datetime) -> set[tuple[str, str]]:
        """Rule and subject of what was decided and is not to come again yet."""
        query = select(_S.rule, _S.subject).where(
            _S.state.in_((TAKEN, DISMISSED)), _S.quiet_until > now
        )
        with self._database.connect() as connection:
            return {(rule, subject) for rule, subject in connection.execute(query)}

    def look(self) -> Look | None:
        """The last look; None before the first."""
        c = advice_looks.c
        query = select(c.at, c.as_of, c.seconds, c.silent).order_by(c.number.desc()).limit(1)
        with self._database.connect() as connection:
            row = connection.execute(query).first()
        return None if row is None else Look(*row)

    def renew(self, found: Sequence[Found], look: Look) -> None:
        """Let these be the open ones: known ones get their new grounds, what is no more found is gone.

        What a person decided on meanwhile stays decided.
        """
        now = look.at
        with self._database.begin() as connection:
            if self._database.dialect_name == "postgresql":
                lock(connection, _LOCK)
            told = {"at": now, "as_of": look.as_of, "seconds": look.seconds}
            connection.execute(insert(advice_looks), {**told, "silent": list(look.silent)})
            query = select(_S.number, _S.rule, _S.subject).where(_S.state == OPEN)
            known = {(rule, subject): n for n, rule, subject in connection.execute(query)}
            quiet = select(_S.rule, _S.subject).where(
                _S.state.in_((TAKEN, DISMISSED)), _S.quiet_until > now
            )
            decided = {(rule, subject) for rule, subject in connection.execute(quiet)}
            still = [one for one in found if (one.rule, one.subject) not in decided]
            for one in still:
                number = known.pop((one.rule, one.subject), None)
                if number is None:
                    connection.execute(insert(suggestions).values(_row(one, now)))
                else:
                    same = update(suggestions).where(_S.number == number)
                    connection.execute(same.values(body=dict(one.body), made_at=now))
            if known:
                gone = update(suggestions).where(_S.number.in_(sorted(known.values())))
                connection.execute(gone.values(state=GONE))

    def decide(
        self,
        suggestion_id: str,
        change: tuple[Collection[str], str],
        told: tuple[str, str],
        times: tuple[datetime, datetime | None],
    ) -> Suggestion:
        """Change the state, from one of several to another; ``told`` is why and by whom.

        ``times`` are when, and until when it is not to come again.

        Raises:
            Conflict: it is in no such state; says in which.
        """
        before, after = change
        with self._database.begin() as connection:
            one = _one(connection, suggestion_id)
            if one.state not in before:
                raise Conflict(
                    f"{suggestion_id} is {one.state}.",
                    hint=f"Only what is {' or '.join(sorted(before))} can be {after}.",
                    field="suggestion_id",
                )
            values = {
                "state": after,
                "reason": told[0],
                "decided_by": told[1],
                "decided_at": times[0],
                "quiet_until": times[1],
            }
            connection.execute(update(suggestions).where(_S.number == one.number).values(**values))
            return _one(connection, suggestion_id)

    def note(self, suggestion_id: str, more: Mapping[str, Any]) -> None:
        """Add to what is kept of one: the segment that was made of it, for example."""
        with self._database.begin() as connection:
            one = _one(connection, suggestion_id)
            change = update(suggestions).where(_S.number == one.number)
            connection.execute(change.values(body={**one.body, **more}))


def _row(one: Found, now: datetime) -> dict[str, Any]:
    return {
        "rule": one.rule,
        "subject": one.subject,
        "state": OPEN,
        "reason": "",
        "body": dict(one.body),
        "first_at": now,
        "made_at": now,
        "decided_at": None,
        "decided_by": "",
        "quiet_until": None,
    }


def _one(connection: Connection, suggestion_id: str) -> Suggestion:
    query = select(suggestions).where(_S.number == number_of(suggestion_id))
    row = connection.execute(query).mappings().one_or_none()
    if row is None:
        raise _missing(suggestion_id)
    return _suggestion(row)


def _missing(suggestion_id: str) -> NotFound:
    return NotFound(
        f"There is no suggestion {suggestion_id!r}.",
        hint="See: shopkeeper advice list",
        field="suggestion_id",
    )


def _suggestion(row: RowMapping) -> Suggestion:
    return Suggestion(**row)
