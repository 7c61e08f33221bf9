"""The rights with which each job runs."""

from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; jobs that wait or run keep the rights that they were queued with."""
    op.add_column("jobs", sa.Column("scopes", sa.Text(), nullable=False, server_default="[]"))
    connection = op.get_bind()
    waiting = sa.text("SELECT number, operation FROM jobs WHERE status IN ('queued', 'running')")
    for number, operation in connection.execute(waiting).all():
        capability = operation.partition(".")[0]
        values = {"number": number, "scopes": json.dumps([f"{capability}:*", "*:read"])}
        change = sa.text("UPDATE jobs SET scopes = :scopes WHERE number = :number")
        connection.execute(change, values)
