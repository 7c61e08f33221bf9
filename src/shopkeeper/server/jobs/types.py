"""What the operations on jobs answer."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from shopkeeper.core.types import Value

if TYPE_CHECKING:
    from shopkeeper.store.jobs import Job as Row

Status = Literal["queued", "running", "done", "failed", "cancelled"]


class Job(Value):
    """One call of an operation in the background.

    ``done`` of ``total`` (null: not known) is in the operation's own units. ``result`` is the
    operation's reply once ``status`` is ``done``; ``error`` has the shape of every error.
    """

    job_id: str
    operation: str
    arguments: Mapping[str, Any]
    actor: str
    status: Status
    done: float
    total: float | None
    message: str
    cancel_requested: bool
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    result: Any = None
    error: Mapping[str, Any] | None = None

    @classmethod
    def of(cls, row: Row) -> Job:
        """The job that this row of the store is about."""
        return cls(
            **{name: getattr(row, name) for name in cls.model_fields if name != "status"},
            status=row.status.value,
        )


class JobList(Value):
    """Jobs, the newest first, without their results."""

    jobs: tuple[Job, ...]
