"""Tables of reaching customers: the outbox, each try, what providers reported, and who may not be reached."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, Table, Text, UniqueConstraint

from shopkeeper.store.columns import Instant, Json
from shopkeeper.store.metadata import METADATA, Number

messages = Table(
    "messages",
    METADATA,
    Column("number", Number, primary_key=True, autoincrement=True),
    Column("message_id", Text, nullable=False, unique=True),
    Column("step", Text, nullable=False),
    Column("customer_id", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("campaign_id", Text, nullable=False),
    Column("labels", Json, nullable=False),
    Column("content", Json),
    Column("state", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("not_after", Instant),
    Column("address", Text),
    Column("policy", BigInteger, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("reference", Text),
    Column("owner", Text),
    Column("lease_until", Instant),
    Column("created_at", Instant, nullable=False),
    Column("sent_at", Instant),
    Column("changed_at", Instant, nullable=False),
    UniqueConstraint("step", "customer_id"),
)
Index("messages_due", messages.c.state, messages.c.channel, messages.c.due_at)
Index("messages_sent", messages.c.customer_id, messages.c.sent_at)
Index("messages_reference", messages.c.reference)

attempts = Table(
    "attempts",
    METADATA,
    Column("number", Number, primary_key=True, autoincrement=True),
    Column("message", BigInteger, nullable=False, index=True),
    Column("started_at", Instant, nullable=False),
    Column("finished_at", Instant),
    Column("outcome", Text),
    Column("code", Text),
    Column("answer", Text),
)

message_events = Table(
    "message_events",
    METADATA,
    Column("number", Number, primary_key=True, autoincrement=True),
    Column("event_id", Text, nullable=False, unique=True),
    Column("message", BigInteger, nullable=False, index=True),
    Column("kind", Text, nullable=False),
    Column("time", Instant, nullable=False),
    Column("counted", Boolean, nullable=False),
    Column("why", Text, nullable=False),
    Column("link", Text),
    Column("told", Boolean, nullable=False),
)
Index("message_events_told", message_events.c.told, message_events.c.number)

suppressions = Table(
    "suppressions",
    METADATA,
    Column("number", Number, primary_key=True, autoincrement=True),
    Column("digest", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("customer_id", Text, index=True),
    Column("since", Instant, nullable=False),
    Column("by", Text, nullable=False),
    UniqueConstraint("digest", "channel", "purpose", "reason"),
)

contact_policies = Table(
    "contact_policies",
    METADATA,
    Column("version", Number, primary_key=True, autoincrement=True),
    Column("policy", Json, nullable=False),
    Column("made_at", Instant, nullable=False),
)

contact_controls = Table(
    "contact_controls",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("state", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("since", Instant, nullable=False),
    Column("until", Instant),
)
