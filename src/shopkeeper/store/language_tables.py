"""Tables of the language layer: answers already paid for, money held back for a try, money spent."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Table, Text

from shopkeeper.store.columns import Instant, Json
from shopkeeper.store.metadata import METADATA

# The prompt itself is not kept: its keyed hash finds it again, and `about` names whose texts it held.
prompts = Table(
    "prompts",
    METADATA,
    Column("key", Text, primary_key=True),
    Column("model", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("about", Json, nullable=False),
    Column("asked_by", Text),
    Column("asked_until", Instant),
    Column("process", Json),
    Column("reply", Text),
    Column("answered_at", Instant),
    sqlite_with_rowid=False,
)

# Amounts are whole billionths of the shop's currency: sums of them are exact.
reservations = Table(
    "reservations",
    METADATA,
    Column("token", Text, primary_key=True),
    Column("month", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("tokens", BigInteger, nullable=False),
    Column("billionths", BigInteger, nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    sqlite_with_rowid=False,
)
Index("reservations_of_month", reservations.c.month)

spending = Table(
    "spending",
    METADATA,
    Column("month", Text, primary_key=True),
    Column("model", Text, primary_key=True),
    Column("purpose", Text, primary_key=True),
    Column("calls", BigInteger, nullable=False),
    Column("tokens_in", BigInteger, nullable=False),
    Column("tokens_out", BigInteger, nullable=False),
    Column("billionths", BigInteger, nullable=False),
    Column("last_at", Instant, nullable=False),
    sqlite_with_rowid=False,
)
