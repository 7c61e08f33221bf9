"""Empties what the store has kept past its term."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import ColumnElement, func, select, update

from shopkeeper.core.subject import ERASED
from shopkeeper.store import tables
from shopkeeper.store.database import Database


def old_refused(database: Database, before: datetime) -> int:
    """How many refused rows :func:`refused` would empty."""
    with database.connect() as connection:
        query = select(func.count()).select_from(tables.refused).where(*_old(before))
        return connection.scalar(query) or 0


def refused(database: Database, before: datetime) -> int:
    """Take the content from refused rows of imports that ended before that time; how many."""
    r = tables.refused
    values = {"raw": None, "reason": ERASED, "hint": "", "retried_at": datetime.now(UTC)}
    with database.begin() as connection:
        gone = update(r).where(*_old(before))
        return connection.execute(gone.values(**values, retried_by="expired")).rowcount


def _old(before: datetime) -> tuple[ColumnElement[bool], ...]:
    r, i = tables.refused.c, tables.imports.c
    imported = select(i.import_id).where(i.started_at < before)
    return r.import_id.in_(imported), r.reason != ERASED
