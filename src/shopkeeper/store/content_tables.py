"""Tables of content: templates, their versions, and who approved them."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, Table, Text, UniqueConstraint, text

from shopkeeper.store.columns import Instant, Json
from shopkeeper.store.metadata import METADATA, Number

templates = Table(
    "templates",
    METADATA,
    Column("number", Number, primary_key=True, autoincrement=True),
    Column("name", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
)

# An approved row is never written again, but by an erasure, or once to withdraw it; `digest` is of its words,
# facts and label.
template_versions = Table(
    "template_versions",
    METADATA,
    Column("number", Number, primary_key=True, autoincrement=True),
    Column("template", BigInteger, nullable=False),
    Column("version", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("body", Json, nullable=False),
    Column("facts", Json, nullable=False),
    Column("label", Json, nullable=False),
    Column("checks", Json, nullable=False),
    Column("digest", Text, nullable=False),
    Column("authors", Json, nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("changed_at", Instant, nullable=False),
    Column("submitted_at", Instant),
    Column("decided_by", Text),
    Column("decided_at", Instant),
    Column("reason", Text, nullable=False),
    Column("withdrawn_by", Text),
    Column("withdrawn_at", Instant),
    Column("withdrawn_reason", Text, nullable=False, server_default=""),
    UniqueConstraint("template", "version"),
)
# At most one version is being worked on.
_OPEN = text("state IN ('draft', 'submitted')")
Index(
    "template_versions_open",
    template_versions.c.template,
    unique=True,
    sqlite_where=_OPEN,
    postgresql_where=_OPEN,
)
