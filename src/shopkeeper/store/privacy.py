"""What privacy has been spent: every report that counts people with noise, under a budget of a year."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, func, insert, select

from shopkeeper.core.errors import OverBudget
from shopkeeper.store.customers_tables import privacy_spending
from shopkeeper.store.database import Database, lock

YEAR: Final = timedelta(days=365)

_LOCK = 7_305_011
_CAP = "the budget of a year"
_DEFAULT = 4.0


@dataclass(frozen=True, slots=True)
class Spent:
    """One report: what it cost and what it was for."""

    time: datetime
    purpose: str
    epsilon: float
    detail: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Budget:
    """What may be spent in a year, what is spent of the last one, and on what, newest first."""

    epsilon: float
    spent: float
    reports: tuple[Spent, ...]


class Privacy:
    """The shop's ledger of privacy. Nothing in it is ever changed or removed."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def allow(self, epsilon: float, why: str) -> None:
        """Set what may be spent in any 365 days from now on."""
        with self._database.begin() as connection:
            now = self._database.now(connection)
            _add(connection, now, _CAP, 0.0, {"budget": epsilon, "why": why})

    def spend(self, epsilon: float, purpose: str, detail: Mapping[str, Any]) -> None:
        """Book a report before it is made.

        Raises:
            OverBudget: the last 365 days and this would cost more than is allowed.
        """
        with self._database.begin() as connection:
            if self._database.dialect_name == "postgresql":
                lock(connection, _LOCK)
            now = self._database.now(connection)
            left = _budget(connection) - _spent(connection, now)
            if epsilon > left + 1e-12:
                raise OverBudget(
                    f"The report costs ε = {epsilon:g}, and {max(left, 0.0):.3g} is left of the year's.",
                    hint="Ask with a smaller epsilon, wait, or let an owner raise the budget.",
                )
            _add(connection, now, purpose, epsilon, detail)

    def budget(self, most: int = 100) -> Budget:
        """What is allowed, what is spent, and the latest reports."""
        c = privacy_spending.c
        query = select(privacy_spending).where(c.epsilon > 0).order_by(c.number.desc()).limit(most)
        with self._database.connect() as connection:
            now = self._database.now(connection)
            rows = connection.execute(query).mappings().all()
            return Budget(
                _budget(connection),
                _spent(connection, now),
                tuple(Spent(r["time"], r["purpose"], r["epsilon"], r["detail"]) for r in rows),
            )


def _add(
    connection: Connection, time: datetime, purpose: str, epsilon: float, detail: Mapping[str, Any]
) -> None:
    row = {"time": time, "purpose": purpose, "epsilon": epsilon, "delta": 0.0}
    connection.execute(insert(privacy_spending), {**row, "detail": dict(detail)})


def _budget(connection: Connection) -> float:
    c = privacy_spending.c
    query = select(c.detail).where(c.purpose == _CAP, c.epsilon == 0).order_by(c.number.desc())
    found = connection.execute(query.limit(1)).scalar()
    return float(found["budget"]) if found else _DEFAULT


def _spent(connection: Connection, now: datetime) -> float:
    c = privacy_spending.c
    query = select(func.coalesce(func.sum(c.epsilon), 0.0)).where(c.time > now - YEAR)
    return float(connection.execute(query).scalar_one())
