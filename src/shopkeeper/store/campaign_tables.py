"""Tables of campaigns: what each is, who confirmed it, how far it is, and what was done to it."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Table, Text

from shopkeeper.store.columns import Instant, Json
from shopkeeper.store.metadata import METADATA, Number

campaigns = Table(
    "campaigns",
    METADATA,
    Column("number", Number, primary_key=True, autoincrement=True),
    Column("name", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("held", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("design", Json, nullable=False),
    Column("revision", BigInteger, nullable=False),
    Column("advice", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("arms", Json, nullable=False),
    Column("segment_version", BigInteger),
    Column("plan_hash", Text),
    Column("created_by", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("confirmed_by", Text),
    Column("confirmed_at", Instant),
    Column("launched_at", Instant),
    Column("finished_at", Instant),
    Column("progress", Json, nullable=False),
    Column("result", Json),
)

campaign_changes = Table(
    "campaign_changes",
    METADATA,
    Column("number", Number, primary_key=True, autoincrement=True),
    Column("campaign", BigInteger, nullable=False, index=True),
    Column("time", Instant, nullable=False),
    Column("actor", Text, nullable=False),
    Column("change", Text, nullable=False),
    Column("details", Json, nullable=False),
)
