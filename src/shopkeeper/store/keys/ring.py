"""Random keys of 256 bits, of which only the SHA-256 is kept."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import get_args

from sqlalchemy import select, update

from shopkeeper.core.errors import BadInput, Conflict, NotFound, UnknownName
from shopkeeper.core.operation import Actor
from shopkeeper.store import tables
from shopkeeper.store.database import Database
from shopkeeper.store.keys.types import Key, KeyKind

_PREFIX = {"server": "sk_", "browser": "bk_"}
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_SCOPE = re.compile(r"(\*|[a-z][a-z0-9_]*):(\*|read|write)")
_BROWSER = frozenset({"intake:write"})


class Keys:
    """The shop's API keys. A name is used once, so that the audit log stays unambiguous."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(self, name: str, scopes: Iterable[str], kind: KeyKind) -> tuple[Key, str]:
        """The key and its secret; nobody can ask for the secret again.

        A ``browser`` key is public: it may only send events, whatever else is asked for is refused.
        """
        granted = _checked(name, scopes, kind)
        secret = _PREFIX[kind] + secrets.token_urlsafe(32)
        key = Key(
            key_id=secrets.token_hex(8),
            name=name,
            kind=kind,
            scopes=granted,
            created_at=datetime.now(UTC),
        )
        row = {**key.model_dump(), "digest": _digest(secret)}
        with self._database.begin() as connection:
            insert = tables.insert_new(connection, tables.keys)
            if connection.execute(insert, row).rowcount != 1:
                raise Conflict(
                    f"There is, or was, a key named {name!r}.",
                    hint="Choose another name.",
                    field="name",
                )
        return key, secret

    def find(self, secret: str) -> Actor | None:
        """Who holds this secret, or None when it is unknown or revoked.

        The actor's kind is the key's (``server`` or ``browser``) and its name the key's name.
        """
        # The lookup is by hash: how long it takes says nothing about a nearly right secret.
        k = tables.keys.c
        query = select(k.name, k.kind, k.scopes).where(
            k.digest == _digest(secret), k.revoked_at.is_(None)
        )
        with self._database.connect() as connection:
            row = connection.execute(query).first()
        return Actor(row.kind, row.name, frozenset(row.scopes)) if row else None

    def list(self) -> Sequence[Key]:
        """Every key ever made, the newest first."""
        k = tables.keys.c
        query = select(k.key_id, k.name, k.kind, k.scopes, k.created_at, k.revoked_at)
        with self._database.connect() as connection:
            rows = connection.execute(query.order_by(k.created_at.desc(), k.key_id)).mappings()
            return [Key(**row) for row in rows]

    def revoke(self, key: str) -> Key:
        """The key (by id or name), which opens nothing from now on; revoking twice is no error."""
        k = tables.keys.c
        with self._database.begin() as connection:
            connection.execute(
                update(tables.keys)
                .where((k.key_id == key) | (k.name == key), k.revoked_at.is_(None))
                .values(revoked_at=datetime.now(UTC))
            )
        for known in self.list():
            if key in (known.key_id, known.name):
                return known
        raise NotFound(f"No key {key!r}.", hint="`shopkeeper keys show` lists them.", field="key")


def _checked(name: str, scopes: Iterable[str], kind: KeyKind) -> tuple[str, ...]:
    if kind not in get_args(KeyKind):
        raise UnknownName("kind of key", kind, get_args(KeyKind), field="kind")
    if not _NAME.fullmatch(name):
        raise BadInput(
            f"{name!r} cannot name a key.",
            hint="1 to 40 of a-z, 0-9, - and _, such as web-shop.",
            field="name",
        )
    granted = tuple(sorted(set(scopes)))
    for scope in granted:
        if not _SCOPE.fullmatch(scope):
            raise BadInput(
                f"{scope!r} is not a scope.",
                hint="Write capability:read, capability:write or *:read.",
                field="scopes",
            )
    if kind == "browser" and not set(granted) <= _BROWSER:
        raise BadInput(
            "A browser key is public: it may only send events.",
            hint="Leave out the scopes, or make a server key.",
            field="scopes",
        )
    if kind == "browser":
        return tuple(sorted(_BROWSER))
    return granted or ("intake:write",)


def _digest(secret: str) -> bytes:
    # A plain hash is enough: 256 random bits cannot be searched for, unlike a password.
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()
