"""Tables of experiments: what they are, who was assigned what, who is held out, and sums that add."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Float, Table, Text

from shopkeeper.store.columns import Instant, Json
from shopkeeper.store.metadata import METADATA, Number

experiments = Table(
    "experiments",
    METADATA,
    Column("experiment_id", Text, primary_key=True),
    Column("status", Text, nullable=False),
    Column("layer", Text, nullable=False),
    Column("salt", Text, nullable=False),
    Column("slots", Json, nullable=False),
    Column("design", Json, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("started_at", Instant),
    Column("stopped_at", Instant),
    Column("stop_reason", Text, nullable=False),
)

# What happened to an experiment, in order: who started, changed or stopped it, and what its shares were.
experiment_changes = Table(
    "experiment_changes",
    METADATA,
    Column("number", Number, primary_key=True, autoincrement=True),
    Column("experiment_id", Text, nullable=False, index=True),
    Column("time", Instant, nullable=False),
    Column("actor", Text, nullable=False),
    Column("change", Text, nullable=False),
    Column("details", Json, nullable=False),
)

assignments = Table(
    "assignments",
    METADATA,
    Column("experiment_id", Text, primary_key=True),
    Column("unit_id", Text, primary_key=True, index=True),
    Column("variant_id", Text, nullable=False),
    Column("propensity", Float, nullable=False),
    Column("time", Instant, nullable=False),
    sqlite_with_rowid=False,
)

# The standing hold-out's share over time; the salt never changes, so a larger share keeps who was in it.
holdouts = Table(
    "holdouts",
    METADATA,
    Column("number", Number, primary_key=True, autoincrement=True),
    Column("time", Instant, nullable=False),
    Column("actor", Text, nullable=False),
    Column("share", Float, nullable=False),
    Column("salt", Text, nullable=False),
    Column("reason", Text, nullable=False),
)

experiment_sums = Table(
    "experiment_sums",
    METADATA,
    Column("experiment_id", Text, primary_key=True),
    Column("metric", Text, primary_key=True),
    Column("cohort", Text, primary_key=True),
    Column("variant_id", Text, primary_key=True),
    Column("stamp", Text, nullable=False),
    Column("units", BigInteger, nullable=False),
    Column("sums", Json, nullable=False),
    sqlite_with_rowid=False,
)
