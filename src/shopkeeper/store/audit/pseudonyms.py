"""Names for people and customers that mean nothing once their row is erased."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, delete, select

from shopkeeper.store import tables

_SUBJECTS = {
    "customer_id": "customer",
    "customer_ids": "customer",
    "customer": "customer",
    "customers": "customer",
    "user_id": "customer",
    "sent_id": "customer",
    "anonymous_id": "customer",
    "person": "person",
    "people": "person",
}
_PLAIN = frozenset(
    {
        "arguments",
        "as_of",
        "capability",
        "channel",
        "currency",
        "format",
        "import_id",
        "importer",
        "job_id",
        "key",
        "kind",
        "lang",
        "language",
        "mapping",
        "message_id",
        "message_ids",
        "metric",
        "operation",
        "outcome",
        "period",
        "preset",
        "purpose",
        "role",
        "scenario",
        "scopes",
        "since",
        "source_kind",
        "state",
        "status",
        "step",
        "table",
        "tables",
        "until",
    }
)
_WORD = re.compile(r"[\w.:*, +-]{0,80}")
_KNOWN_ACTORS = frozenset({"local", "server", "browser"})


class Pseudonyms:
    """Random names, kept by a keyed hash of whom they stand for.

    Erasing the row of one subject unlinks their entries for good: the name is random, so nothing
    can compute it again. Erasing the shop's secret unlinks all of them.
    """

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def of(self, connection: Connection, kind: str, subject: str) -> str:
        """The pseudonym of the subject, made at its first mention; the caller holds the lock."""
        p = tables.pseudonyms.c
        key = self._key(kind, subject)
        known: str | None = connection.scalar(select(p.pseudonym).where(p.subject == key))
        if known is not None:
            return known
        fresh = f"{kind}-{secrets.token_hex(8)}"
        row = {"subject": key, "pseudonym": fresh}
        connection.execute(tables.pseudonyms.insert(), row)
        return fresh

    def known(self, connection: Connection, kind: str, subject: str) -> str | None:
        """The pseudonym of the subject, if it was ever mentioned and not erased."""
        p = tables.pseudonyms.c
        query = select(p.pseudonym).where(p.subject == self._key(kind, subject))
        known: str | None = connection.scalar(query)
        return known

    def forget(self, connection: Connection, kind: str, subject: str) -> None:
        """Unlink the subject's entries for good."""
        p = tables.pseudonyms
        connection.execute(delete(p).where(p.c.subject == self._key(kind, subject)))

    def actor(self, connection: Connection, kind: str, name: str) -> str:
        """``kind:name`` of a machine or the local owner, otherwise a pseudonym."""
        if kind in _KNOWN_ACTORS:
            return f"{kind}:{name}"
        return self.of(connection, "person", name)

    def details(self, connection: Connection, details: Mapping[str, Any]) -> dict[str, Any]:
        """The details without personal data.

        Numbers stay; customers and people become pseudonyms; words stay only under names that never
        hold personal data; of any other text only its length is kept, since even a hash of it
        could be found again by guessing.
        """
        return {name: self._value(connection, name, value) for name, value in details.items()}

    def _value(self, connection: Connection, name: str, value: Any) -> Any:
        if value is None or isinstance(value, bool | int | float):
            # A customer's id may be a number: it is no more anonymous for that.
            if name not in _SUBJECTS or value is None:
                return value
            value = str(value)
        if isinstance(value, Mapping):
            return self._mapping(connection, value)
        if isinstance(value, list | tuple | set | frozenset):
            if len(value) > 20:
                return {"values": len(value)}
            return [self._value(connection, name, one) for one in value]
        return self._text(connection, name, str(value))

    def _mapping(self, connection: Connection, value: Mapping[Any, Any]) -> dict[str, Any]:
        if not all(str(key) in _PLAIN or str(key) in _SUBJECTS for key in value):
            return {"fields": len(value)}  # the names may be personal data themselves
        return self.details(connection, {str(key): inner for key, inner in value.items()})

    def _text(self, connection: Connection, name: str, text: str) -> str:
        if name in _SUBJECTS:
            return self.of(connection, _SUBJECTS[name], text)
        if name in _PLAIN and _WORD.fullmatch(text):
            return text
        return f"({len(text)} characters)"

    def _key(self, kind: str, subject: str) -> bytes:
        message = f"{kind}\0{subject}".encode("utf-8", "surrogatepass")
        return hmac.digest(self._secret, message, hashlib.sha256)
