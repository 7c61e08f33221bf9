"""Tables of recommendations: the shop's rules, one row for each version."""

from __future__ import annotations

from sqlalchemy import Column, Table, Text

from shopkeeper.store.columns import Instant, Json
from shopkeeper.store.metadata import METADATA, Number

rule_sets = Table(
    "rule_sets",
    METADATA,
    Column("version", Number, primary_key=True, autoincrement=True),
    Column("status", Text, nullable=False),
    Column("rules", Json, nullable=False),
    Column("note", Text, nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("published_at", Instant),
    sqlite_autoincrement=True,  # a number is never given twice: a person confirms a draft by it
)
