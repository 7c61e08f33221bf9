"""Tables of text tasks: labels paid for, texts that wait for a person, models and which one is in use."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Float, ForeignKeyConstraint, Index, Table, Text, text

from shopkeeper.store.columns import Instant, Json
from shopkeeper.store.metadata import METADATA, Number

# `customer_id` is whose text it is: erasing them erases the row. Costs are billionths, as in `spending`.
labels = Table(
    "labels",
    METADATA,
    Column("number", Number, primary_key=True, autoincrement=True),
    Column("task", Text, nullable=False),
    Column("text_id", Text, nullable=False),
    Column("customer_id", Text, index=True),
    Column("labeller", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("value", Json),
    Column("reason", Text, nullable=False),
    Column("billionths", BigInteger, nullable=False),
    Column("time", Instant, nullable=False),
    Column("undone_at", Instant),
)
Index(
    "labels_current",
    labels.c.task,
    labels.c.text_id,
    labels.c.labeller,
    unique=True,
    sqlite_where=text("undone_at IS NULL"),
    postgresql_where=text("undone_at IS NULL"),
)

label_queue = Table(
    "label_queue",
    METADATA,
    Column("number", Number, primary_key=True, autoincrement=True),
    Column("task", Text, nullable=False),
    Column("text_id", Text, nullable=False),
    Column("customer_id", Text, index=True),
    Column("purpose", Text, nullable=False),
    Column("priority", Float, nullable=False),
    Column("why", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("claimed_by", Text),
    Column("claimed_until", Instant),
    Column("added_at", Instant, nullable=False),
    Column("closed_at", Instant),
)
Index("label_queue_once", label_queue.c.task, label_queue.c.text_id, unique=True)
Index("label_queue_next", label_queue.c.task, label_queue.c.state, label_queue.c.priority)

models = Table(
    "models",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("version", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("task", Text, nullable=False),
    Column("card", Json, nullable=False),
    Column("made_at", Instant, nullable=False),
)

model_promotions = Table(
    "model_promotions",
    METADATA,
    Column("number", Number, primary_key=True, autoincrement=True),
    Column("name", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("since", Instant, nullable=False),
    Column("by", Text, nullable=False),
    Column("why", Text, nullable=False),
    ForeignKeyConstraint(["name", "version"], ["models.name", "models.version"]),
)
Index("model_promotions_of", model_promotions.c.name, model_promotions.c.number)
