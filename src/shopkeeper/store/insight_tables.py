"""Tables of themes: what they are now, which fits found them, and what became of them."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Float, Integer, Table, Text

from shopkeeper.store.columns import Instant, Json
from shopkeeper.store.metadata import METADATA, Number

themes = Table(
    "themes",
    METADATA,
    Column("number", Number, primary_key=True, autoincrement=True),
    Column("theme_id", Text, nullable=False, unique=True),
    Column("tongue", Text, nullable=False),
    Column("level", Integer, nullable=False),
    Column("parent_id", Text),
    Column("names", Json, nullable=False),
    Column("named_by", Text, nullable=False),
    Column("words", Json, nullable=False),
    Column("texts", BigInteger, nullable=False),
    Column("stability", Float),
    Column("status", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("changed_at", Instant, nullable=False),
)

theme_fits = Table(
    "theme_fits",
    METADATA,
    Column("number", Number, primary_key=True, autoincrement=True),
    Column("version", Text, nullable=False, unique=True),
    Column("tongue", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("texts", BigInteger, nullable=False),
    Column("without", Float, nullable=False),
    Column("unknown", Float, nullable=False),
    Column("current", Boolean, nullable=False),
)

theme_changes = Table(
    "theme_changes",
    METADATA,
    Column("number", Number, primary_key=True, autoincrement=True),
    Column("version", Text, nullable=False),
    Column("time", Instant, nullable=False),
    Column("theme_id", Text, nullable=False, index=True),
    Column("change", Text, nullable=False),
    Column("details", Json, nullable=False),
)
