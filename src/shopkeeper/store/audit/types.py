"""What the operations on the audit log answer."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from shopkeeper.core.types import Value


class Verified(Value):
    """Whether the log is whole.

    ``head`` is the hash of the newest entry: noted elsewhere and given to a later check as
    ``anchor``, it also shows a log that was rewritten from end to end.
    """

    ok: bool
    entries: int
    head: str
    first_broken: int | None = None
    problem: str = ""


class AuditEntry(Value):
    """One write: when, who, what, and with which arguments, free of personal data."""

    seq: int
    time: datetime
    actor: str
    operation: str
    details: dict[str, Any]
    hash: str


class Entries(Value):
    """The newest entries first."""

    entries: tuple[AuditEntry, ...]
    total: int
