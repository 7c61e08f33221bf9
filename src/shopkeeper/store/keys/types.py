"""What the operations on keys answer."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from shopkeeper.core.types import Value

KeyKind = Literal["server", "browser"]


class Key(Value):
    """An API key without its secret, which the shop does not know."""

    key_id: str
    name: str
    kind: KeyKind
    scopes: tuple[str, ...]
    created_at: datetime
    revoked_at: datetime | None = None


class NewKey(Value):
    """A new key with its secret: shown this once, it cannot be found again."""

    key: Key
    secret: str


class KeyList(Value):
    """Every key that was ever made, the newest first."""

    keys: tuple[Key, ...]
