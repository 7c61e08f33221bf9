"""Codes that let somebody in once, to choose a name or a password: random, short-lived, kept as hashes."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import orjson
from sqlalchemy import Connection, Delete, delete, select

from shopkeeper.core.errors import NotSignedIn
from shopkeeper.store import tables
from shopkeeper.store.database import Database
from shopkeeper.store.people.types import Invitation, Invited, Role

_PREFIX = "invitation "
_REFUSED = "This code is not valid: it was used, it has expired, or it was not copied whole."
_HINT = "Ask the owner for a new one, or run: shopkeeper people invite NAME --role ROLE"


class Invitations:
    """The shop's open invitations, beside its secrets in the store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(self, name: str, role: Role, *, hours: float) -> Invitation:
        """A new invitation; the open one of the same person, if any, is worth nothing from now on.

        An empty name lets whoever has the code choose it: that is how the first owner comes in.
        """
        code = secrets.token_urlsafe(24)
        expires = datetime.now(UTC) + timedelta(hours=hours)
        value = {"name": name, "role": role, "expires_at": expires.isoformat()}
        with self._database.begin() as connection:
            for key, open_ in _read(connection):
                if open_.name == name or open_.expires_at <= datetime.now(UTC):
                    connection.execute(_delete(key))
            row = {"name": _key(code), "value": orjson.dumps(value)}
            connection.execute(tables.secrets.insert(), row)
        return Invitation(name=name, role=role, code=code, expires_at=expires)

    def look(self, code: str) -> Invited:
        """What the code is for, without using it up; :class:`NotSignedIn` when it is worth nothing."""
        with self._database.connect() as connection:
            for key, invited in _read(connection):
                if key == _key(code) and invited.expires_at > datetime.now(UTC):
                    return invited
        raise NotSignedIn(_REFUSED, hint=_HINT, field="code")

    def use(self, code: str) -> None:
        """Use the code up; only the first of two who try at once succeeds."""
        with self._database.begin() as connection:
            if connection.execute(_delete(_key(code))).rowcount != 1:
                raise NotSignedIn(_REFUSED, hint=_HINT, field="code")

    def list(self) -> Sequence[Invited]:
        """Open invitations, by name."""
        with self._database.connect() as connection:
            found = [invited for _, invited in _read(connection)]
        now = datetime.now(UTC)
        return sorted((i for i in found if i.expires_at > now), key=lambda i: i.name)


def _read(connection: Connection) -> list[tuple[str, Invited]]:
    s = tables.secrets.c
    query = select(s.name, s.value).where(s.name.startswith(_PREFIX, autoescape=True))
    return [
        (row.name, Invited.model_validate(orjson.loads(bytes(row.value))))
        for row in connection.execute(query)
    ]


def _delete(key: str) -> Delete:
    return delete(tables.secrets).where(tables.secrets.c.name == key)


def _key(code: str) -> str:
    # A plain hash is enough: 192 random bits cannot be searched for, unlike a password.
    return _PREFIX + hashlib.sha256(code.encode("utf-8", "surrogatepass")).hexdigest()
