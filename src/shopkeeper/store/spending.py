"""What models cost: held back before each try under a cap, booked as it really was afterwards.

Amounts are whole billionths of the shop's currency. A month is named ``2026-11``.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, func, select
from sqlalchemy.dialects import postgresql, sqlite

from shopkeeper.core.errors import OverBudget
from shopkeeper.store.database import Database, lock
from shopkeeper.store.language_tables import reservations, spending

_LOCK = 7_305_004
_BILLION = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Caps:
    """What may be spent in a month. ``money`` in billionths; ``tokens`` None: as many as there are."""

    money: int
    tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Held:
    """Money and tokens held back for one try, until it is settled or the time is over."""

    token: str
    month: str
    model: str
    purpose: str


@dataclass(frozen=True, slots=True)
class Line:
    """What one model was used for in one month."""

    model: str
    purpose: str
    calls: int
    tokens_in: int
    tokens_out: int
    billionths: int
    last_at: datetime


@dataclass(frozen=True, slots=True)
class Unsettled:
    """Tries whose end nobody heard of: they may have cost up to this much more than is booked."""

    tries: int
    tokens: int
    billionths: int


class Spending:
    """The shop's ledger of models."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def reserve(
        self,
        caps: Caps,
        held: Mapping[str, str],
        *,
        tokens: int,
        billionths: int,
        lasts: timedelta,
    ) -> Held:
        """Hold money and tokens back for one try; ``held`` names its month, model and purpose.

        Two processes at once cannot pass the cap: each sees what the other has held back. What a
        crashed process held back is free again after ``lasts``.

        Raises:
            OverBudget: what is spent, held back and asked for passes a cap; nothing was held back.
        """
        made = Held(secrets.token_hex(16), held["month"], held["model"], held["purpose"])
        with self._database.begin() as connection:
            if self._database.dialect_name == "postgresql":
                lock(connection, _LOCK)
            now = self._database.now(connection)
            _check(connection, made.month, now, caps, (tokens, billionths))
            row: dict[str, Any] = {
                "token": made.token,
                "month": made.month,
                "model": made.model,
                "purpose": made.purpose,
                "tokens": tokens,
                "billionths": billionths,
                "made_at": now,
                "expires_at": now + lasts,
            }
            connection.execute(reservations.insert(), row)
        return made

    def settle(self, held: Held, *, tokens_in: int, tokens_out: int, billionths: int) -> None:
        """Book what a try really took, also when what it held back has run out meanwhile."""
        row = {
            "month": held.month,
            "model": held.model,
            "purpose": held.purpose,
            "calls": 1,
            "tokens_in": tokens_in,
            "tokens_out": tokens_out,
            "billionths": billionths,
        }
        with self._database.begin() as connection:
            connection.execute(delete(reservations).where(reservations.c.token == held.token))
            _add(connection, row | {"last_at": self._database.now(connection)})

    def settle_in_full(self, held: Held, tokens_in: int) -> None:
        """Book all that was held back: nobody knows what the try took. ``tokens_in`` of it were sent."""
        r = reservations.c
        with self._database.begin() as connection:
            kept = connection.execute(
                select(r.tokens, r.billionths).where(r.token == held.token)
            ).first()
            connection.execute(delete(reservations).where(r.token == held.token))
            if kept is None:
                return
            row = {
                "month": held.month,
                "model": held.model,
                "purpose": held.purpose,
                "calls": 1,
                "tokens_in": tokens_in,
                "tokens_out": kept.tokens - tokens_in,
                "billionths": kept.billionths,
                "last_at": self._database.now(connection),
            }
            _add(connection, row)

    def release(self, held: Held) -> None:
        """Free what was held back: the try cost nothing."""
        with self._database.begin() as connection:
            connection.execute(delete(reservations).where(reservations.c.token == held.token))

    def of(self, month: str) -> list[Line]:
        """What was booked in a month, by model and purpose; what cost most comes first."""
        s = spending.c
        query = select(spending).where(s.month == month)
        with self._database.connect() as connection:
            rows = connection.execute(query.order_by(s.billionths.desc(), s.model, s.purpose))
            return [
                Line(**{k: v for k, v in row.items() if k != "month"}) for row in rows.mappings()
            ]

    def ever(self, model: str, purpose: str) -> Line | None:
        """What a model was used for in all months together; None where it never was."""
        s = spending.c
        query = select(
            *(func.sum(c) for c in (s.calls, s.tokens_in, s.tokens_out, s.billionths)),
            func.max(s.last_at),
        ).where(s.model == model, s.purpose == purpose)
        with self._database.connect() as connection:
            row = connection.execute(query).one()
        if not row[0]:
            return None
        calls, tokens_in, tokens_out, billionths = map(int, row[:4])
        return Line(model, purpose, calls, tokens_in, tokens_out, billionths, row[4])

    def unsettled(self, month: str) -> Unsettled:
        """Tries of a month that held money back, ran out of time and were never settled."""
        r = reservations.c
        query = select(func.count(), func.sum(r.tokens), func.sum(r.billionths))
        with self._database.connect() as connection:
            now = self._database.now(connection)
            row = connection.execute(query.where(r.month == month, r.expires_at <= now)).one()
        return Unsettled(row[0], int(row[1] or 0), int(row[2] or 0))


def _check(
    connection: Connection, month: str, now: datetime, caps: Caps, asked: tuple[int, int]
) -> None:
    s, r = spending.c, reservations.c
    spent = connection.execute(
        select(func.sum(s.tokens_in + s.tokens_out), func.sum(s.billionths)).where(s.month == month)
    ).one()
    waiting = connection.execute(
        select(func.sum(r.tokens), func.sum(r.billionths)).where(
            r.month == month, r.expires_at > now
        )
    ).one()
    tokens = int(spent[0] or 0) + int(waiting[0] or 0)
    money = int(spent[1] or 0) + int(waiting[1] or 0)
    if money + asked[1] > caps.money and asked[1]:
        raise OverBudget(
            f"The budget for models in {month} is {_amount(caps.money)}; {_amount(money)} of it are spent "
            f"or held back, and this may cost up to {_amount(asked[1])}.",
            hint="Raise model_budget in shopkeeper.toml, or wait for the next month.",
            field="model_budget",
        )
    if caps.tokens is not None and tokens + asked[0] > caps.tokens:
        raise OverBudget(
            f"Models may use {caps.tokens:,} tokens in {month}; {tokens:,} are used or held back, and this "
            f"may take up to {asked[0]:,}.",
            hint="Raise model_tokens in shopkeeper.toml, or wait for the next month.",
            field="model_tokens",
        )


def _add(connection: Connection, row: Mapping[str, Any]) -> None:
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    new = dialect.insert(spending).values(**row)
    summed = ("calls", "tokens_in", "tokens_out", "billionths")
    changed = {name: spending.c[name] + new.excluded[name] for name in summed}
    connection.execute(
        new.on_conflict_do_update(
            index_elements=[spending.c.month, spending.c.model, spending.c.purpose],
            set_=changed | {"last_at": new.excluded.last_at},
        )
    )


def _amount(billionths: int) -> str:
    exact = f"{billionths / _BILLION:,.9f}".rstrip("0")
    whole, _, part = exact.partition(".")
    return f"{whole}.{part.ljust(2, '0')}"
