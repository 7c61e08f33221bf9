"""Segments with every version of their definitions, how large they were, and lists that people keep."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, delete, func, insert, select, update

from shopkeeper.core.errors import Conflict, NotFound, UnknownName
from shopkeeper.store.batches import batches
from shopkeeper.store.customers_tables import (
    list_members,
    manual_lists,
    segment_sizes,
    segment_versions,
    segments,
    sensitive_traits,
)
from shopkeeper.store.database import Database
from shopkeeper.store.revisions import bump
from shopkeeper.store.tables import insert_new

DRAFT, LIVE, ARCHIVED = "draft", "live", "archived"
EVERYONE = 0
"""The number under which the size of the whole population is kept."""
REVISION = "segments"
"""The number of :mod:`shopkeeper.store.revisions` that grows whenever one of these rows changes."""
_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment as it is now."""

    number: int
    name: str
    version: int
    status: str
    created_at: datetime
    changed_at: datetime

    @property
    def id(self) -> str:
        return f"S{self.number}"


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a definition; ``note`` says why it was made."""

    segment: int
    version: int
    name: str
    definition: Mapping[str, Any]
    note: str
    made_at: datetime


@dataclass(frozen=True, slots=True)
class Size:
    """How many were in at one time, and who had come and gone since the time before."""

    segment: int
    version: int
    time: datetime
    members: int
    entered: int
    gone: int
    figures: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Permission:
    """Whether conditions on a sensitive topic are allowed, since when and why."""

    name: str
    allowed: bool
    reason: str
    time: datetime


def number_of(segment_id: str) -> int:
    """The number in an id such as S12.

    Raises:
        NotFound: it is none.
    """
    digits = segment_id[1:]
    if not segment_id.startswith("S") or not digits.isdecimal():
        raise _missing(segment_id)
    return int(digits)


class Segments:
    """The shop's segments; versions are added and never changed."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self, *, archived: bool = False) -> list[Segment]:
        """Every segment in order of number."""
        query = select(segments).order_by(segments.c.number)
        if not archived:
            query = query.where(segments.c.status != ARCHIVED)
        with self._database.connect() as connection:
            return [Segment(**row) for row in connection.execute(query).mappings()]

    def get(self, segment_id: str) -> Segment:
        """One segment, archived or not, or :class:`NotFound`."""
        with self._database.connect() as connection:
            return _get(connection, segment_id)

    def versions(self, segment_id: str) -> list[Version]:
        """Every version, newest first."""
        number = number_of(segment_id)
        c = segment_versions.c
        query = select(segment_versions).where(c.segment == number).order_by(c.version.desc())
        with self._database.connect() as connection:
            return [_version(row) for row in connection.execute(query).mappings()]

    def current(self) -> dict[str, Version]:
        """The definition in force of every segment that is not archived, by id."""
        c = segment_versions.c
        query = select(segment_versions).join(
            segments, (segments.c.number == c.segment) & (segments.c.version == c.version)
        )
        query = query.where(segments.c.status != ARCHIVED).order_by(c.segment)
        with self._database.connect() as connection:
            rows = connection.execute(query).mappings().all()
        return {f"S{row['segment']}": _version(row) for row in rows}

    def create(self, version: Version, status: str) -> Segment:
        """A new segment with its first version."""
        row = {
            "name": version.name,
            "version": 1,
            "status": status,
            "created_at": version.made_at,
            "changed_at": version.made_at,
        }
        with self._database.begin() as connection:
            bump(connection, REVISION)
            done = connection.execute(insert(segments), row)
            key = done.inserted_primary_key
            number = int(key[0]) if key is not None else 0
            connection.execute(insert(segment_versions), _row(version, number, 1))
            return _get(connection, f"S{number}")

    def change(self, segment_id: str, version: Version, status: str, *, known: int) -> Segment:
        """A further version, which is in force at once.

        Raises:
            Conflict: the segment is no longer at the version ``known``.
        """
        with self._database.begin() as connection:
            bump(connection, REVISION)
            one = _get(connection, segment_id)
            if one.version != known:
                raise Conflict(
                    f"{segment_id} was changed meanwhile: it is at version {one.version}.",
                    hint="Look at it again.",
                    field="version",
                )
            highest = select(func.max(segment_versions.c.version))
            highest = highest.where(segment_versions.c.segment == one.number)
            fresh = (connection.scalar(highest) or 0) + 1
            connection.execute(insert(segment_versions), _row(version, one.number, fresh))
            changed = {"name": version.name, "version": fresh, "status": status}
            _update(connection, one.number, {**changed, "changed_at": version.made_at})
            return _get(connection, segment_id)

    def set_status(self, segment_id: str, status: str, at: datetime) -> Segment:
        """Make it a draft, live or archived."""
        with self._database.begin() as connection:
            bump(connection, REVISION)
            one = _get(connection, segment_id)
            _update(connection, one.number, {"status": status, "changed_at": at})
            return _get(connection, segment_id)

    def add_sizes(self, sizes: Iterable[Size]) -> None:
        """Write down how large segments are."""
        rows = [{name: getattr(size, name) for name in Size.__slots__} for size in sizes]
        if rows:
            with self._database.begin() as connection:
                bump(connection, REVISION)
                connection.execute(insert(segment_sizes), rows)

    def sizes(self, number: int, limit: int) -> list[Size]:
        """The latest sizes of a segment, or of everyone, oldest first."""
        c = segment_sizes.c
        query = select(segment_sizes).where(c.segment == number)
        query = query.order_by(c.number.desc()).limit(limit)
        with self._database.connect() as connection:
            rows = connection.execute(query).mappings().all()
        return [Size(**{k: v for k, v in row.items() if k != "number"}) for row in reversed(rows)]

    def newest_sizes(self) -> dict[int, Size]:
        """The latest size of each segment that has one, by number."""
        newest = select(func.max(segment_sizes.c.number)).group_by(segment_sizes.c.segment)
        query = select(segment_sizes).where(segment_sizes.c.number.in_(newest))
        with self._database.connect() as connection:
            rows = connection.execute(query).mappings().all()
        return {
            row["segment"]: Size(**{k: v for k, v in row.items() if k != "number"}) for row in rows
        }

    def lists(self) -> dict[str, list[str]]:
        """Every list with its customers."""
        found: dict[str, list[str]] = {}
        with self._database.connect() as connection:
            names = connection.scalars(select(manual_lists.c.name).order_by(manual_lists.c.name))
            found = {name: [] for name in names}
            rows = select(list_members.c.name, list_members.c.customer_id)
            for name, customer in connection.execute(rows.order_by(list_members.c.customer_id)):
                found[name].append(customer)
        return found

    def put_on_list(self, name: str, customers: Sequence[str], at: datetime, note: str = "") -> int:
        """Put customers on a list, which is made where there is none; how many were not on it."""
        with self._database.begin() as connection:
            bump(connection, REVISION)
            made = insert_new(connection, manual_lists)
            connection.execute(made, [{"name": name, "note": note, "changed_at": at}])
            before = _listed(connection, name)
            rows = [{"name": name, "customer_id": one, "added_at": at} for one in customers]
            for page in batches(rows, _AT_ONCE):
                connection.execute(insert_new(connection, list_members), list(page))
            return _listed(connection, name) - before

    def take_off_list(self, name: str, customers: Sequence[str]) -> int:
        """Take customers off a list; how many were on it.

        Raises:
            UnknownName: there is no such list.
        """
        with self._database.begin() as connection:
            bump(connection, REVISION)
            known = connection.scalars(select(manual_lists.c.name)).all()
            if name not in known:
                raise UnknownName("list", name, known, field="name")
            before = _listed(connection, name)
            c = list_members.c
            for page in batches(list(customers), _AT_ONCE):
                theirs = delete(list_members).where(c.name == name, c.customer_id.in_(page))
                connection.execute(theirs)
            return before - _listed(connection, name)

    def permissions(self) -> list[Permission]:
        """What was decided on each sensitive topic last, by topic."""
        query = select(sensitive_traits).order_by(sensitive_traits.c.number)
        with self._database.connect() as connection:
            rows = connection.execute(query).mappings().all()
        last = {row["name"]: row for row in rows}
        return [
            Permission(**{k: v for k, v in row.items() if k != "number"})
            for _, row in sorted(last.items())
        ]

    def permit(self, permission: Permission) -> None:
        """Write a decision down; earlier ones stay."""
        row = {name: getattr(permission, name) for name in Permission.__slots__}
        with self._database.begin() as connection:
            bump(connection, REVISION)
            connection.execute(insert(sensitive_traits), row)


def _listed(connection: Connection, name: str) -> int:
    query = select(func.count()).select_from(list_members).where(list_members.c.name == name)
    return connection.scalar(query) or 0


def _update(connection: Connection, number: int, values: Mapping[str, Any]) -> None:
    connection.execute(update(segments).where(segments.c.number == number).values(**values))


def _get(connection: Connection, segment_id: str) -> Segment:
    query = select(segments).where(segments.c.number == number_of(segment_id))
    row = connection.execute(query).mappings().one_or_none()
    if row is None:
        raise _missing(segment_id)
    return Segment(**row)


def _missing(segment_id: str) -> NotFound:
    return NotFound(
        f"There is no segment {segment_id!r}.", hint="See: customers segments.", field="segment"
    )


def _version(row: RowMapping) -> Version:
    return Version(**{name: value for name, value in row.items() if name != "number"})


def _row(version: Version, number: int, count: int) -> dict[str, Any]:
    told = {name: getattr(version, name) for name in Version.__slots__}
    return {**told, "segment": number, "version": count}
