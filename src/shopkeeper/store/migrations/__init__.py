"""The steps that bring a database of any age to the tables of this version; forward only.

To change a table: change ``tables.py``, add ``versions/rNNNN_what.py``, and name it in ``HEAD``.
"""

from __future__ import annotations

import importlib

from sqlalchemy import Connection, inspect, text

HEAD = "0015"


def is_current(connection: Connection) -> bool:
    """Whether the database's tables are those of this version."""
    if not inspect(connection).has_table("alembic_version"):
        return False
    return bool(connection.scalar(text("SELECT version_num FROM alembic_version")) == HEAD)


def upgrade(connection: Connection) -> None:
    """Run the missing steps inside the caller's transaction: all of them, or none."""
    # Loaded here because Alembic takes 0.2 s to import, and most starts need no step.
    importlib.import_module("shopkeeper.store.migrations.steps").run(connection)
