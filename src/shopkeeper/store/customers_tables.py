"""Tables of segments and their versions, lists of customers, and what privacy has been spent."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Float, Index, Table, Text, UniqueConstraint

from shopkeeper.store.columns import Instant, Json
from shopkeeper.store.metadata import METADATA, Number

segments = Table(
    "segments",
    METADATA,
    Column("number", Number, primary_key=True, autoincrement=True),
    Column("name", Text, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("status", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("changed_at", Instant, nullable=False),
)

segment_versions = Table(
    "segment_versions",
    METADATA,
    Column("number", Number, primary_key=True, autoincrement=True),
    Column("segment", BigInteger, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("name", Text, nullable=False),
    Column("definition", Json, nullable=False),
    Column("note", Text, nullable=False),
    Column("made_at", Instant, nullable=False),
    UniqueConstraint("segment", "version"),
)

segment_sizes = Table(
    "segment_sizes",
    METADATA,
    Column("number", Number, primary_key=True, autoincrement=True),
    Column("segment", BigInteger, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("time", Instant, nullable=False),
    Column("members", BigInteger, nullable=False),
    Column("entered", BigInteger, nullable=False),
    Column("gone", BigInteger, nullable=False),
    Column("figures", Json, nullable=False),
    Index("ix_segment_sizes_segment", "segment"),
)

manual_lists = Table(
    "manual_lists",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("note", Text, nullable=False),
    Column("changed_at", Instant, nullable=False),
)

list_members = Table(
    "list_members",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("customer_id", Text, primary_key=True),
    Column("added_at", Instant, nullable=False),
    Index("ix_list_members_customer_id", "customer_id"),
)

sensitive_traits = Table(
    "sensitive_traits",
    METADATA,
    Column("number", Number, primary_key=True, autoincrement=True),
    Column("name", Text, nullable=False),
    Column("allowed", Boolean, nullable=False),
    Column("reason", Text, nullable=False),
    Column("time", Instant, nullable=False),
)

privacy_spending = Table(
    "privacy_spending",
    METADATA,
    Column("number", Number, primary_key=True, autoincrement=True),
    Column("time", Instant, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("epsilon", Float, nullable=False),
    Column("delta", Float, nullable=False),
    Column("detail", Json, nullable=False),
)
