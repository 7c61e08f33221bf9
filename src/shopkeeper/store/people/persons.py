"""The people who may sign in, with their role. There is no default person and no default password."""

from __future__ import annotations

import re
import secrets
import unicodedata
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from typing import get_args

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from sqlalchemy import select, update

from shopkeeper.core import discovery
from shopkeeper.core.errors import BadInput, Conflict, NotFound, UnknownName
from shopkeeper.core.operation import Actor
from shopkeeper.store import tables
from shopkeeper.store.database import Database
from shopkeeper.store.people.types import Person, Role

SHORTEST, LONGEST = 12, 1_000
"""Characters of a password; a longer one would only cost the server time."""

_OWNERS = frozenset({"keys", "people", "audit", "governance"})
_NAME = re.compile(r"[^\s\x00-\x1f\x7f]{1,200}")
_hasher = PasswordHasher()  # argon2id with the parameters of RFC 9106 for little memory


class Persons:
    """People by name (an e-mail address or any word without blanks)."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, name: str, password: str, role: Role) -> Person:
        """The new person; refused when the name is taken or the password too short."""
        check_name(name)
        if role not in get_args(Role):
            raise UnknownName("role", role, get_args(Role), field="role")
        person = Person(name=name, role=role, created_at=datetime.now(UTC))
        row = {
            "name": name,
            "role": role,
            "created_at": person.created_at,
            "password_hash": _hasher.hash(_acceptable(name, password)),
        }
        with self._database.begin() as connection:
            insert = tables.insert_new(connection, tables.people)
            if connection.execute(insert, row).rowcount != 1:
                raise Conflict(
                    f"There is already a person named {name!r}.",
                    hint="Choose another name.",
                    field="name",
                )
        return person

    def check(self, name: str, password: str) -> Actor | None:
        """The person as an actor, or None; takes as long for a name that does not exist."""
        decoy = _decoy()
        p = tables.people.c
        query = select(p.password_hash, p.role).where(p.name == name, p.disabled_at.is_(None))
        with self._database.connect() as connection:
            row = connection.execute(query).first()
        given = _normal(password[: LONGEST + 1])
        try:
            _hasher.verify(row.password_hash if row else decoy, given)
        except VerifyMismatchError:
            return None
        if row is None:
            return None
        if _hasher.check_needs_rehash(row.password_hash):
            self._store(name, _hasher.hash(given))
        return Actor("person", name, scopes(row.role))

    def set_password(self, name: str, password: str) -> None:
        """Replace the person's password."""
        self._store(name, _hasher.hash(_acceptable(name, password)))

    def disable(self, name: str) -> None:
        """Let the person in no more."""
        p = tables.people.c
        statement = update(tables.people).where(p.name == name, p.disabled_at.is_(None))
        with self._database.begin() as connection:
            if not connection.execute(statement.values(disabled_at=datetime.now(UTC))).rowcount:
                raise NotFound(f"No active person is named {name!r}.", field="name")

    def enable(self, name: str) -> None:
        """Let a person in again who was disabled."""
        p = tables.people.c
        statement = update(tables.people).where(p.name == name, p.disabled_at.is_not(None))
        with self._database.begin() as connection:
            if not connection.execute(statement.values(disabled_at=None)).rowcount:
                raise NotFound(f"No disabled person is named {name!r}.", field="name")

    def find(self, name: str) -> Person | None:
        """The person of that name, if there is one."""
        p = tables.people.c
        query = select(p.name, p.role, p.created_at, p.disabled_at).where(p.name == name)
        with self._database.connect() as connection:
            row = connection.execute(query).mappings().first()
        return Person(**row) if row else None

    def list(self) -> Sequence[Person]:
        """Everybody, in order of name."""
        p = tables.people.c
        query = select(p.name, p.role, p.created_at, p.disabled_at).order_by(p.name)
        with self._database.connect() as connection:
            return [Person(**row) for row in connection.execute(query).mappings()]

    def _store(self, name: str, password_hash: str) -> None:
        statement = update(tables.people).where(tables.people.c.name == name)
        with self._database.begin() as connection:
            if not connection.execute(statement.values(password_hash=password_hash)).rowcount:
                raise NotFound(f"No person is named {name!r}.", field="name")


def check_name(name: str) -> None:
    """Raise :class:`BadInput` where this cannot name a person."""
    if not _NAME.fullmatch(name):
        raise BadInput("A name is 1 to 200 characters without blanks.", field="name")


def scopes(role: str) -> frozenset[str]:
    """What a role may do. Editors may change all but who may do what; approvals come on top."""
    if role == "owner":
        return frozenset({"*:*"})
    if role == "viewer":
        return frozenset({"*:read"})
    changed = discovery.capabilities().keys() - _OWNERS
    approves = {"*:approve"} if role == "approver" else set()
    return frozenset({"*:read", *(f"{capability}:write" for capability in changed), *approves})


def _acceptable(name: str, password: str) -> str:
    text = _normal(password)
    if not SHORTEST <= len(text) <= LONGEST:
        raise BadInput(
            f"The password has {len(text)} characters; {SHORTEST} to {LONGEST} are needed.",
            hint="Four unrelated words make a good one.",
            field="password",
        )
    if len(set(text)) < 5 or (name.casefold() in text.casefold() and len(text) - len(name) < 6):
        raise BadInput(
            "The password is too easy to guess.",
            hint="Do not repeat a few characters or the name.",
            field="password",
        )
    return text


def _normal(password: str) -> str:
    return unicodedata.normalize("NFKC", password)  # the same keys typed on another system


@cache
def _decoy() -> str:
    return _hasher.hash(secrets.token_urlsafe())
