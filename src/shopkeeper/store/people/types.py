"""What the operations on people answer."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from shopkeeper.core.types import Value

Role = Literal["viewer", "editor", "approver", "owner"]


class Person(Value):
    """Somebody who may sign in."""

    name: str
    role: Role
    created_at: datetime
    disabled_at: datetime | None = None


class Invited(Value):
    """An open invitation; its code is kept as a hash only."""

    name: str
    role: Role
    expires_at: datetime


class People(Value):
    """Everybody, in order of name, and the invitations that nobody has used yet."""

    people: tuple[Person, ...]
    invited: tuple[Invited, ...]


class Invitation(Value):
    """A code that lets one person choose a password once; shown this once, it cannot be found again."""

    name: str
    role: Role
    code: str
    expires_at: datetime
