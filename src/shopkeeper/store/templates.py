"""Templates of messages with every version of their words; an approved version never changes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, RowMapping, insert, select, update

from shopkeeper.core.errors import Conflict, NotFound
from shopkeeper.store.content_tables import template_versions, templates
from shopkeeper.store.database import Database, lock
from shopkeeper.store.revisions import bump

DRAFT, SUBMITTED, APPROVED, REJECTED = "draft", "submitted", "approved", "rejected"
WITHDRAWN: Final = "withdrawn"
"""Was approved, and is not sent any more."""
REVISION: Final = "templates"
"""The number of :mod:`shopkeeper.store.revisions` that grows whenever one of these rows changes."""
_LOCK = 0x74706C73
_V, _T = template_versions.c, templates.c


@dataclass(frozen=True, slots=True)
class Template:
    """What stays the same over all versions."""

    number: int
    name: str
    channel: str
    purpose: str
    created_at: datetime

    @property
    def id(self) -> str:
        return f"W{self.number}"


@dataclass(frozen=True, slots=True)
class Row:
    """One version: its words, who wrote them, what was decided by whom and why, and who took that back."""

    template: int
    version: int
    state: str
    body: Mapping[str, Any]
    facts: Sequence[Mapping[str, Any]]
    label: Mapping[str, str]
    checks: Sequence[Mapping[str, Any]]
    digest: str
    authors: Sequence[str]
    made_at: datetime
    changed_at: datetime
    submitted_at: datetime | None
    decided_by: str | None
    decided_at: datetime | None
    reason: str
    withdrawn_by: str | None
    withdrawn_at: datetime | None
    withdrawn_reason: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a submitted version was decided; facts, label and checks as they were at that moment."""

    state: str
    by: str
    reason: str = ""
    digest: str = ""
    facts: Sequence[Mapping[str, Any]] = ()
    label: Mapping[str, str] | None = None
    checks: Sequence[Mapping[str, Any]] = ()


def number_of(template_id: str) -> int:
    """The number in an id such as W12.

    Raises:
        NotFound: it is none.
    """
    digits = template_id[1:]
    if not (template_id.startswith("W") and digits.isdecimal() and digits.isascii()):
        raise NotFound(
            f"{template_id!r} is no template.",
            hint="Ids look like W12: see `content list`.",
            field="template_id",
        )
    return int(digits[:15])


class Templates:
    """At most one version of a template is open (a draft, or submitted); any number are approved."""

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now

    def create(
        self, about: tuple[str, str, str], body: Mapping[str, Any], digest: str, author: str
    ) -> Row:
        """A new template (name, channel, purpose) with its first draft."""
        name, channel, purpose = about
        with self._database.begin() as connection:
            now = self._now()
            made = {"name": name, "channel": channel, "purpose": purpose, "created_at": now}
            key = connection.execute(insert(templates).values(made)).inserted_primary_key
            number = int(key[0]) if key else 0
            row = self._add(connection, number, 1, body, digest, [author])
            bump(connection, REVISION)
        return row

    def template(self, template_id: str) -> Template:
        """The template, or :class:`NotFound`."""
        query = select(templates).where(_T.number == number_of(template_id))
        with self._database.connect() as connection:
            row = connection.execute(query).mappings().first()
        if row is None:
            raise NotFound(
                f"No template {template_id!r}.", hint="See `content list`.", field="template_id"
            )
        return Template(**row)

    def all(self) -> list[tuple[Template, list[Row]]]:
        """Every template, the newest first, with its versions, the newest first."""
        with self._database.connect() as connection:
            every = connection.execute(select(templates).order_by(_T.number.desc())).mappings()
            found = [Template(**row) for row in every]
            rows = connection.execute(
                select(template_versions).order_by(_V.version.desc())
            ).mappings()
            by: dict[int, list[Row]] = {}
            for row in rows:
                by.setdefault(row["template"], []).append(_row(row))
        return [(one, by.get(one.number, [])) for one in found]

    def versions(self, template_id: str) -> list[Row]:
        """The versions of one template, the newest first."""
        query = select(template_versions).where(_V.template == number_of(template_id))
        with self._database.connect() as connection:
            rows = connection.execute(query.order_by(_V.version.desc())).mappings()
            return [_row(row) for row in rows]

    def withdrawn_at(self, template_id: str, version: int) -> datetime | None:
        """When a version was withdrawn; None: it was not, or there is none."""
        mine = (_V.template == number_of(template_id)) & (_V.version == version)
        with self._database.connect() as connection:
            return connection.scalar(select(_V.withdrawn_at).where(mine))

    def write(
        self, template_id: str, body: Mapping[str, Any], digest: str, author: str, base: str
    ) -> Row:
        """New words: into the open version, which becomes a draft again, or as the next version.

        Args:
            template_id: the template.
            body: the words.
            digest: of the words.
            author: who wrote them; all who wrote in an open or rejected version stay its authors.
            base: the digest of the newest version that the author saw; empty: whatever it is.

        Raises:
            Conflict: somebody else has changed the words since.
        """
        number = number_of(template_id)
        with self._database.begin() as connection:
            self._alone(connection)
            last = self._last(connection, number)
            if base and base != last.digest:
                raise Conflict(
                    f"The words of {template_id} were changed meanwhile.",
                    hint="Load them again; yours are not kept.",
                    field="base",
                )
            bump(connection, REVISION)
            if last.state in (APPROVED, WITHDRAWN):
                return self._add(connection, number, last.version + 1, body, digest, [author])
            authors = [*last.authors, *([author] if author not in last.authors else [])]
            if last.state == REJECTED:
                return self._add(connection, number, last.version + 1, body, digest, authors)
            values = {
                "state": DRAFT,
                "body": body,
                "digest": digest,
                "authors": authors,
                "changed_at": self._now(),
                "submitted_at": None,
            }
            return self._change(connection, last, values)

    def submit(
        self, template_id: str, digest: str, checks: Sequence[Mapping[str, Any]], by: str
    ) -> Row:
        """Ask for approval of the draft with that digest; who asks answers for the words, as an author.

        Raises:
            Conflict: there is no such draft any more.
        """
        with self._database.begin() as connection:
            self._alone(connection)
            last = self._expected(connection, template_id, DRAFT, digest)
            now = self._now()
            authors = [*last.authors, *([by] if by not in last.authors else [])]
            bump(connection, REVISION)
            values = {
                "state": SUBMITTED,
                "checks": checks,
                "authors": authors,
                "submitted_at": now,
                "changed_at": now,
            }
            return self._change(connection, last, values)

    def decide(self, template_id: str, version: int, digest: str, verdict: Verdict) -> Row:
        """Approve or reject what was submitted.

        Raises:
            Conflict: it is no longer what was looked at, or somebody has decided it.
        """
        with self._database.begin() as connection:
            self._alone(connection)
            last = self._expected(connection, template_id, SUBMITTED, digest)
            if last.version != version:
                raise _not_so(template_id, last)
            now = self._now()
            bump(connection, REVISION)
            values: dict[str, Any] = {
                "state": verdict.state,
                "decided_by": verdict.by,
                "decided_at": now,
                "changed_at": now,
                "reason": verdict.reason,
            }
            if verdict.state == APPROVED:
                values |= {
                    "digest": verdict.digest,
                    "facts": verdict.facts,
                    "label": verdict.label or {},
                    "checks": verdict.checks,
                }
            return self._change(connection, last, values)

    def withdraw(self, template_id: str, version: int, by: str, reason: str) -> None:
        """Let an approved version be sent no more; its words and who approved them stay.

        Raises:
            Conflict: it is not approved, or somebody has withdrawn it before.
        """
        mine = (_V.template == number_of(template_id)) & (_V.version == version)
        with self._database.begin() as connection:
            self._alone(connection)
            now = self._now()
            values = {
                "state": WITHDRAWN,
                "withdrawn_by": by,
                "withdrawn_at": now,
                "withdrawn_reason": reason,
                "changed_at": now,
            }
            change = update(template_versions).where(mine, _V.state == APPROVED).values(values)
            if connection.execute(change).rowcount != 1:
                query = select(template_versions).where(mine)
                row = connection.execute(query).mappings().first()
                raise _not_withdrawn(template_id, version, _row(row) if row else None)
            bump(connection, REVISION)

    def _expected(self, connection: Connection, template_id: str, state: str, digest: str) -> Row:
        last = self._last(connection, number_of(template_id))
        if last.state != state or last.digest != digest:
            raise _not_so(template_id, last)
        return last

    def _last(self, connection: Connection, number: int) -> Row:
        query = select(template_versions).where(_V.template == number)
        row = connection.execute(query.order_by(_V.version.desc()).limit(1)).mappings().first()
        if row is None:
            raise NotFound(
                f"No template 'W{number}'.", hint="See `content list`.", field="template_id"
            )
        return _row(row)

    def _add(
        self,
        connection: Connection,
        number: int,
        version: int,
        body: Mapping[str, Any],
        digest: str,
        authors: Sequence[str],
    ) -> Row:
        now = self._now()
        values = {
            "template": number,
            "version": version,
            "state": DRAFT,
            "body": body,
            "facts": [],
            "label": {},
            "checks": [],
            "digest": digest,
            "authors": authors,
            "made_at": now,
            "changed_at": now,
            "reason": "",
        }
        connection.execute(insert(template_versions).values(values))
        return self._last(connection, number)

    def _change(self, connection: Connection, row: Row, values: Mapping[str, Any]) -> Row:
        mine = update(template_versions).where(
            _V.template == row.template,
            _V.version == row.version,
            _V.state.not_in((APPROVED, WITHDRAWN)),
        )
        connection.execute(mine.values(values))
        return self._last(connection, row.template)

    @staticmethod
    def _alone(connection: Connection) -> None:
        """One change at a time; SQLite writes one at a time anyway."""
        if connection.dialect.name == "postgresql":
            lock(connection, _LOCK)


def _not_so(template_id: str, row: Row) -> Conflict:
    return Conflict(
        f"{template_id} is not what you looked at: version {row.version} is {row.state} now.",
        hint="Load it again and decide on what stands there.",
        field="template_id",
    )


def _not_withdrawn(template_id: str, version: int, row: Row | None) -> Conflict | NotFound:
    if row is None:
        return NotFound(
            f"{template_id} has no version {version}.",
            hint="See `content versions`.",
            field="version",
        )
    by = f" by {row.withdrawn_by}" if row.state == WITHDRAWN else ""
    return Conflict(
        f"{template_id} version {version} is {row.state}{by}: there is no approval to take back.",
        hint="Only an approved version can be withdrawn: see `content versions`.",
        field="version",
    )


def _row(row: RowMapping) -> Row:
    return Row(**{name: row[name] for name in Row.__slots__})
