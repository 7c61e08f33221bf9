"""Every table of the store. A change here needs a migration beside it; a test compares the two."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Float,
    ForeignKey,
    Index,
    Insert,
    Integer,
    LargeBinary,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects import postgresql, sqlite

from shopkeeper.store import (
    advice_tables,  # noqa: F401 - its tables join the metadata
    campaign_tables,  # noqa: F401 - its tables join the metadata
    contact_tables,  # noqa: F401 - its tables join the metadata
    content_tables,  # noqa: F401 - its tables join the metadata
    customers_tables,  # noqa: F401 - its tables join the metadata
    experiment_tables,  # noqa: F401 - its tables join the metadata
    insight_tables,  # noqa: F401 - its tables join the metadata
    language_tables,  # noqa: F401 - its tables join the metadata
    recommend_tables,  # noqa: F401 - its tables join the metadata
    tasks_tables,  # noqa: F401 - its tables join the metadata
)
from shopkeeper.store.columns import Instant, Json
from shopkeeper.store.metadata import METADATA
from shopkeeper.store.metadata import Number as _Number

metadata = METADATA

log = Table(
    "log",
    metadata,
    Column("seq", _Number, primary_key=True, autoincrement=True),
    Column("event_id", Text, nullable=False, unique=True),
    Column("subject", Text, nullable=False),
    Column("anonymous_id", Text, nullable=False),
    Column("received_at", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    sqlite_autoincrement=True,  # a number is never given twice, even after the rows are purged
)

# Who the rows that are not yet in the tables are about. Two indexes on `log` would do the same, but
# a week of rows makes them large and each insert touches a random page; this stays small.
log_tail = Table(
    "log_tail",
    metadata,
    Column("subject", Text, primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)

items = Table(
    "items",
    metadata,
    Column("item_id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("title", Text),
    Column("description", Text),
    Column("body", Text),
    Column("brand", Text),
    Column("category", Text),
    Column("price", Float),
    Column("cost", Float),
    Column("stock", Float),
    Column("currency", Text),
    Column("attributes", Json),
    Column("image_url", Text),
    Column("available_from", Instant),
    Column("expires_at", Instant),
    Column("language", Text),
)

facts = Table(
    "facts",
    metadata,
    Column("fact_id", Text, primary_key=True),
    Column("item_id", Text, nullable=False, index=True),
    Column("name", Text, nullable=False),
    Column("value", Text, nullable=False),
    Column("unit", Text),
    Column("source", Text, nullable=False),
)

customers = Table(
    "customers",
    metadata,
    Column("customer_id", Text, primary_key=True),
    Column("first_seen", Instant),
    Column("language", Text),
    Column("country", Text),
    Column("traits", Json, nullable=False),
)

identities = Table(
    "identities",
    metadata,
    Column("number", _Number, primary_key=True, autoincrement=True),
    Column("sent_id", Text, nullable=False),
    Column("customer_id", Text, nullable=False, index=True),
    Column("since", Instant, nullable=False),
    Column("by", Text, nullable=False),
    Column("ended_at", Instant),
    Column("ended_by", Text),
)
Index(
    "identities_current",
    identities.c.sent_id,
    unique=True,
    sqlite_where=text("ended_at IS NULL"),
    postgresql_where=text("ended_at IS NULL"),
)
Index("identities_history", identities.c.sent_id, identities.c.number)

revisions = Table(
    "revisions",
    metadata,
    Column("name", Text, primary_key=True),
    Column("number", BigInteger, nullable=False),
)

consent = Table(
    "consent",
    metadata,
    Column("number", _Number, primary_key=True, autoincrement=True),
    Column("customer_id", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("time", Instant, nullable=False),
    Column("proof", Json, nullable=False),
    Column("recorded_at", Instant, nullable=False),
)
Index(
    "consent_latest",
    consent.c.customer_id,
    consent.c.purpose,
    consent.c.channel,
    consent.c.time,
    consent.c.number,
)

restrictions = Table(
    "restrictions",
    metadata,
    Column("customer_id", Text, primary_key=True),
    Column("since", Instant, nullable=False),
    Column("reason", Text, nullable=False),
)

erasures = Table(
    "erasures",
    metadata,
    Column("number", _Number, primary_key=True, autoincrement=True),
    Column("erasure_id", Text, nullable=False, unique=True),
    Column("status", Text, nullable=False),
    Column("subjects", Json, nullable=False),
    Column("report", Json, nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("finished_at", Instant),
)

people = Table(
    "people",
    metadata,
    Column("name", Text, primary_key=True),
    Column("password_hash", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("disabled_at", Instant),
)

keys = Table(
    "keys",
    metadata,
    Column("key_id", Text, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("kind", Text, nullable=False),
    Column("scopes", Json, nullable=False),
    Column("digest", LargeBinary, nullable=False, unique=True),
    Column("created_at", Instant, nullable=False),
    Column("revoked_at", Instant),
)

secrets = Table(
    "secrets",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", LargeBinary, nullable=False),
)

audit = Table(
    "audit",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("time", Instant, nullable=False),
    Column("actor", Text, nullable=False),
    Column("operation", Text, nullable=False),
    Column("details", Text, nullable=False),
    Column("previous", Text, nullable=False),
    Column("hash", Text, nullable=False),
)

audit_head = Table(
    "audit_head",
    metadata,
    Column("one", Integer, primary_key=True, autoincrement=False),
    Column("entries", BigInteger, nullable=False),
    Column("hash", Text, nullable=False),
)

pseudonyms = Table(
    "pseudonyms",
    metadata,
    Column("subject", LargeBinary, primary_key=True),
    Column("pseudonym", Text, nullable=False, unique=True),
)

leases = Table(
    "leases",
    metadata,
    Column("name", Text, primary_key=True),
    Column("fence", BigInteger, nullable=False),
    Column("token", Text),
    Column("purpose", Text),
    Column("process", Json),
    Column("since", Instant),
    Column("expires_at", Instant),
)

jobs = Table(
    "jobs",
    metadata,
    Column("number", _Number, primary_key=True, autoincrement=True),
    Column("job_id", Text, nullable=False, unique=True),
    Column("operation", Text, nullable=False),
    Column("arguments", Json, nullable=False),
    Column("actor", Text, nullable=False),
    Column("scopes", Json, nullable=False),
    Column("status", Text, nullable=False),
    Column("done", Float, nullable=False),
    Column("total", Float),
    Column("message", Text, nullable=False),
    Column("result", Json),
    Column("error", Json),
    Column("cancel_requested", Boolean, nullable=False),
    Column("process", Json),
    Column("created_at", Instant, nullable=False),
    Column("started_at", Instant),
    Column("finished_at", Instant),
)

imports = Table(
    "imports",
    metadata,
    Column("number", _Number, primary_key=True, autoincrement=True),
    Column("import_id", Text, nullable=False, unique=True),
    Column("importer", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("new", BigInteger, nullable=False),
    Column("duplicate", BigInteger, nullable=False),
    Column("repaired", Json, nullable=False),
    Column("refused", BigInteger, nullable=False),
    Column("details", Json, nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("finished_at", Instant),
)

refused = Table(
    "refused",
    metadata,
    Column("number", _Number, primary_key=True, autoincrement=True),
    Column("import_id", Text, ForeignKey("imports.import_id"), nullable=False),
    Column("row_number", BigInteger, nullable=False),
    Column("field", Text),
    Column("reason", Text, nullable=False),
    Column("hint", Text, nullable=False),
    Column("raw", Json),
    Column("retried_by", Text),
    Column("retried_at", Instant),
)
Index("refused_of_import", refused.c.import_id, refused.c.number)


def upsert(
    connection: Connection, table: Table, key: Sequence[str], changed: Sequence[str]
) -> Insert:
    """An INSERT that changes the named columns of a row whose key is there already."""
    if not changed:
        return insert_new(connection, table)
    elements = [table.c[name] for name in key]
    if connection.dialect.name == "postgresql":
        new = postgresql.insert(table)
        return new.on_conflict_do_update(
            index_elements=elements, set_={name: new.excluded[name] for name in changed}
        )
    row = sqlite.insert(table)
    return row.on_conflict_do_update(
        index_elements=elements, set_={name: row.excluded[name] for name in changed}
    )


def insert_new(connection: Connection, table: Table) -> Insert:
    """An INSERT that leaves a row whose key is there already as it is; its ``rowcount`` says which."""
    kept = {"preserve_rowcount": True}
    if connection.dialect.name == "postgresql":
        return postgresql.insert(table).on_conflict_do_nothing().execution_options(**kept)
    return sqlite.insert(table).on_conflict_do_nothing().execution_options(**kept)
