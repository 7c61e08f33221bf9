"""The shop's rules for its lists: a draft, what is published, and every version before."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, RowMapping, delete, insert, select, update

from shopkeeper.core.errors import Conflict, NotFound
from shopkeeper.store.database import Database, lock
from shopkeeper.store.recommend_tables import rule_sets
from shopkeeper.store.revisions import Revisions, bump

REVISION: Final = "rules"
DRAFT, PUBLISHED, RETIRED = "draft", "published", "retired"
_LOCK = 0x72756C65
_R = rule_sets.c


@dataclass(frozen=True, slots=True)
class RuleSet:
    """One version; ``rules`` as JSON values, in order."""

    version: int
    status: str
    rules: Sequence[dict[str, Any]]
    note: str
    made_at: datetime
    published_at: datetime | None


class RuleSets:
    """At most one draft and one published version at a time."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def revision(self) -> int:
        """A number that grows with every change."""
        return Revisions(self._database).of(REVISION)

    def of(self, status: str) -> RuleSet | None:
        """The draft, or what is published."""
        with self._database.connect() as connection:
            return _one(connection, status)

    def all(self, limit: int = 50) -> list[RuleSet]:
        """The versions, newest first."""
        query = select(rule_sets).order_by(_R.version.desc()).limit(limit)
        with self._database.connect() as connection:
            return [_set(row) for row in connection.execute(query).mappings()]

    def draft(self, rules: Sequence[dict[str, Any]], note: str) -> RuleSet:
        """Keep these rules as the draft, in the place of one that is there."""
        with self._database.begin() as connection:
            _alone(connection)
            connection.execute(delete(rule_sets).where(_R.status == DRAFT))
            made = self._add(connection, DRAFT, rules, note)
            bump(connection, REVISION)
        return made

    def discard(self) -> None:
        """Remove the draft."""
        with self._database.begin() as connection:
            if not connection.execute(delete(rule_sets).where(_R.status == DRAFT)).rowcount:
                raise NotFound("There is no draft of the rules.", hint="Nothing to do.")
            bump(connection, REVISION)

    def publish(self, version: int) -> RuleSet:
        """Let the draft hold from now on.

        Raises:
            Conflict: the draft is another one by now.
        """
        with self._database.begin() as connection:
            _alone(connection)
            draft = _one(connection, DRAFT)
            if draft is None or draft.version != version:
                there = "there is none" if draft is None else f"it is {draft.version} now"
                raise Conflict(
                    f"The draft is not version {version}: {there}.",
                    hint="Look at the draft again: shopkeeper recommend rules",
                    field="version",
                )
            self._retire(connection)
            values = {"status": PUBLISHED, "published_at": self._database.now(connection)}
            connection.execute(update(rule_sets).where(_R.version == version).values(values))
            bump(connection, REVISION)
            found = _one(connection, PUBLISHED)
        assert found is not None  # noqa: S101 - just written
        return found

    def undo(self) -> RuleSet:
        """Publish what held before the published version again, as a version of its own.

        Raises:
            NotFound: nothing held before.
        """
        with self._database.begin() as connection:
            _alone(connection)
            query = select(rule_sets).where(_R.status == RETIRED).order_by(_R.version.desc())
            row = connection.execute(query.limit(1)).mappings().first()
            now = _one(connection, PUBLISHED)
            if now is None:
                raise NotFound("No rules are published.", hint="There is nothing to undo.")
            rules: Sequence[dict[str, Any]] = row["rules"] if row else []
            self._retire(connection)
            note = f"undo of version {now.version}"
            self._add(connection, PUBLISHED, rules, note, published=True)
            bump(connection, REVISION)
            found = _one(connection, PUBLISHED)
        assert found is not None  # noqa: S101 - just written
        return found

    def scrub(self, clean: Callable[[Any], Any], *, keep: bool = False) -> int:
        """Write every version as ``clean`` makes it, or with ``keep`` only count; how many would change."""
        changed = 0
        with self._database.begin() as connection:
            for row in connection.execute(select(rule_sets)).mappings().all():
                values = {"rules": clean(row["rules"]), "note": clean(row["note"])}
                if values["rules"] == row["rules"] and values["note"] == row["note"]:
                    continue
                changed += 1
                if not keep:
                    one = update(rule_sets).where(_R.version == row["version"])
                    connection.execute(one.values(values))
            if changed and not keep:
                bump(connection, REVISION)
        return changed

    def _add(
        self,
        connection: Connection,
        status: str,
        rules: Sequence[dict[str, Any]],
        note: str,
        *,
        published: bool = False,
    ) -> RuleSet:
        now = self._database.now(connection)
        values = {
            "status": status,
            "rules": list(rules),
            "note": note,
            "made_at": now,
            "published_at": now if published else None,
        }
        connection.execute(insert(rule_sets).values(values))
        made = _one(connection, status)
        assert made is not None  # noqa: S101 - just written
        return made

    @staticmethod
    def _retire(connection: Connection) -> None:
        connection.execute(update(rule_sets).where(_R.status == PUBLISHED).values(status=RETIRED))


def _alone(connection: Connection) -> None:
    """One change at a time; SQLite writes one at a time anyway."""
    if connection.dialect.name == "postgresql":
        lock(connection, _LOCK)


def _one(connection: Connection, status: str) -> RuleSet | None:
    query = select(rule_sets).where(_R.status == status).order_by(_R.version.desc()).limit(1)
    row = connection.execute(query).mappings().first()
    return _set(row) if row else None


def _set(row: RowMapping) -> RuleSet:
    return RuleSet(**{name: row[name] for name in RuleSet.__slots__})
