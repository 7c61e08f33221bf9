"""Empties what the store has kept past its term."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import select, update

from shopkeeper.core.subject import ERASED
from shopkeeper.store import tables
from shopkeeper.store.database import Database


def refused(database: Database, before: datetime) -> int:
    """Take the content from refused rows of imports that ended before that time; how many."""
    r, i = tables.refused, tables.imports.c
    old = select(i.import_id).where(i.started_at < before)
    values = {"raw": None, "reason": ERASED, "hint": "", "retried_at": datetime.now(UTC)}
    with database.begin() as connection:
        gone = update(r).where(r.c.import_id.in_(old), r.c.reason != ERASED)
        return connection.execute(gone.values(**values, retried_by="expired")).rowcount
