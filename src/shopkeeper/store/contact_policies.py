"""The shop's rules of reaching customers, by version: a message names the one it was judged by."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select

from shopkeeper.store.contact_tables import contact_policies
from shopkeeper.store.database import Database


class ContactPolicies:
    """The newest version holds; version 0 is what ships."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def current(self) -> tuple[int, dict[str, Any]]:
        """The number and the rules of the version that holds."""
        query = select(contact_policies).order_by(contact_policies.c.version.desc()).limit(1)
        with self._database.connect() as connection:
            row = connection.execute(query).first()
        return (0, {}) if row is None else (row.version, row.policy)

    def version(self, number: int) -> dict[str, Any]:
        """The rules of one version; those that ship where there is none of that number."""
        query = select(contact_policies.c.policy).where(contact_policies.c.version == number)
        with self._database.connect() as connection:
            return connection.scalar(query) or {}

    def put(self, policy: Mapping[str, Any]) -> int:
        """Let these rules hold from now on; their number."""
        row = {"policy": dict(policy), "made_at": datetime.now(UTC)}
        with self._database.begin() as connection:
            done = connection.execute(contact_policies.insert(), row)
            return int(done.inserted_primary_key[0]) if done.inserted_primary_key else 0
