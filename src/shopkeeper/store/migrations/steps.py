"""Alembic without an ini file or env.py, so that it works from an installed wheel."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from shopkeeper.core.errors import Conflict


def scripts() -> ScriptDirectory:
    """The steps shipped with this version."""
    return ScriptDirectory(str(Path(__file__).parent))


def run(connection: Connection) -> None:
    """Run every step after the one that the database is at.

    Raises:
        Conflict: the database is at a step that this version does not know.
    """
    script = scripts()
    at = MigrationContext.configure(connection).get_current_heads()
    known = {step.revision for step in script.walk_revisions()}
    unknown = sorted(set(at) - known)
    if unknown:
        raise Conflict(
            f"The database is at step {unknown[0]}; this version knows steps up to "
            f"{script.get_current_head()}: a newer Shopkeeper wrote it.",
            hint="Run: pip install --upgrade shopkeeper",
        )

    def missing(revision: Any, _context: MigrationContext) -> Any:
        return script._upgrade_revs("head", revision)

    with EnvironmentContext(Config(), script, fn=missing) as environment:
        environment.configure(connection=connection)
        environment.run_migrations()
