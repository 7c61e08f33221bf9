"""Tables of advice: what was suggested, on what grounds, and what people decided."""

from __future__ import annotations

from sqlalchemy import Column, Float, Index, Table, Text

from shopkeeper.store.columns import Instant, Json
from shopkeeper.store.metadata import METADATA, Number

suggestions = Table(
    "suggestions",
    METADATA,
    Column("number", Number, primary_key=True, autoincrement=True),
    Column("rule", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("body", Json, nullable=False),
    Column("first_at", Instant, nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("decided_at", Instant),
    Column("decided_by", Text, nullable=False),
    Column("quiet_until", Instant),
    Index("ix_suggestions_rule", "rule", "subject"),
)

# Each look at the shop: up to which day, how long it took, and which rules found nothing.
advice_looks = Table(
    "advice_looks",
    METADATA,
    Column("number", Number, primary_key=True, autoincrement=True),
    Column("at", Instant, nullable=False),
    Column("as_of", Text, nullable=False),
    Column("seconds", Float, nullable=False),
    Column("silent", Json, nullable=False),
)
