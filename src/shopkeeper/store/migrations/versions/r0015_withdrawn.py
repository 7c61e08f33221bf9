"""Approved words that were withdrawn: by whom, when and why."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; no version was withdrawn before."""
    op.add_column("template_versions", sa.Column("withdrawn_by", sa.Text()))
    op.add_column("template_versions", sa.Column("withdrawn_at", sa.BigInteger()))
    reason = sa.Column("withdrawn_reason", sa.Text(), nullable=False, server_default="")
    op.add_column("template_versions", reason)
