"""The shop's themes as they are now, the fits that found them, and the log of their changes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import count
from typing import Any

from sqlalchemy import Connection, RowMapping, func, insert, select, update

from shopkeeper.core.errors import NotFound
from shopkeeper.store.database import Database, lock
from shopkeeper.store.insight_tables import theme_changes, theme_fits, themes

ACTIVE, RETIRED = "active", "retired"
_LOCK = 0x7468656D
_LETTER = {1: "G", 2: "T"}  # level 1: groups of themes; level 2: themes


@dataclass(frozen=True, slots=True)
class Theme:
    """One theme, or (``level`` 1) a group of themes. ``names`` by language; ``words`` most telling first."""

    theme_id: str
    tongue: str
    level: int
    parent_id: str | None
    names: Mapping[str, str]
    named_by: str
    words: Sequence[str]
    texts: int
    stability: float | None
    created_at: datetime
    changed_at: datetime
    status: str = ACTIVE


@dataclass(frozen=True, slots=True)
class Fit:
    """One fitted model: ``without`` a theme is a share of its texts, ``unknown`` one of their words."""

    version: str
    tongue: str
    kind: str
    made_at: datetime
    texts: int
    without: float
    unknown: float
    current: bool = True


@dataclass(frozen=True, slots=True)
class Change:
    """What became of one theme in one fit: new, kept, renamed, split, merged, retired."""

    version: str
    time: datetime
    theme_id: str
    change: str
    details: Mapping[str, Any] = field(default_factory=dict)


class Themes:
    """The shop's themes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def current(self, tongue: str) -> Fit | None:
        """The fit by which texts of this language are read now."""
        query = select(theme_fits).where(theme_fits.c.current, theme_fits.c.tongue == tongue)
        with self._database.connect() as connection:
            row = connection.execute(query).mappings().one_or_none()
        return _fit(row) if row else None

    def all(self, *, retired: bool = False) -> list[Theme]:
        """Every theme and group in order of number; without ``retired`` only those of now."""
        query = select(themes).order_by(themes.c.number)
        if not retired:
            query = query.where(themes.c.status == ACTIVE)
        with self._database.connect() as connection:
            return [_theme(row) for row in connection.execute(query).mappings()]

    def get(self, theme_id: str) -> Theme:
        """One theme, retired or not, or :class:`NotFound`."""
        with self._database.connect() as connection:
            return _get(connection, theme_id)

    def fresh_ids(self) -> Callable[[int], str]:
        """A function of a level that gives an id which no theme has had; saving takes them for good."""
        with self._database.connect() as connection:
            last = connection.scalar(select(func.max(themes.c.number))) or 0
        numbers = count(last + 1)
        return lambda level: f"{_LETTER[level]}{next(numbers)}"

    def save(self, fit: Fit, found: Iterable[Theme], changes: Iterable[Change]) -> None:
        """Make this fit the current one of its language, in one transaction.

        Themes of that language that are not among ``found`` are retired.
        """
        with self._database.begin() as connection:
            if self._database.dialect_name == "postgresql":
                lock(connection, _LOCK)
            mine = theme_fits.c.tongue == fit.tongue
            connection.execute(update(theme_fits).where(mine).values(current=False))
            connection.execute(insert(theme_fits), _row(fit))
            gone = update(themes).where(themes.c.tongue == fit.tongue, themes.c.status == ACTIVE)
            connection.execute(gone.values(status=RETIRED, changed_at=fit.made_at))
            for theme in found:
                _put(connection, theme)
            rows = [_row(change) for change in changes]
            if rows:
                connection.execute(insert(theme_changes), rows)

    def rename(self, theme_id: str, names: Mapping[str, str], by: str, change: Change) -> Theme:
        """Give a theme other names; refits keep them when ``by`` is a person."""
        with self._database.begin() as connection:
            known = _get(connection, theme_id)
            renamed = replace(
                known, names={**known.names, **names}, named_by=by, changed_at=change.time
            )
            _put(connection, renamed)
            connection.execute(insert(theme_changes), [_row(change)])
        return renamed

    def changes(self, limit: int, theme_id: str | None = None) -> list[Change]:
        """The latest changes, newest first, of all themes or of one."""
        query = select(theme_changes).order_by(theme_changes.c.number.desc()).limit(limit)
        if theme_id is not None:
            query = query.where(theme_changes.c.theme_id == theme_id)
        with self._database.connect() as connection:
            rows = connection.execute(query).mappings().all()
        return [Change(**{k: v for k, v in row.items() if k != "number"}) for row in rows]


def _put(connection: Connection, theme: Theme) -> None:
    row = _row(theme)
    changed = {name: value for name, value in row.items() if name not in ("theme_id", "created_at")}
    known = update(themes).where(themes.c.theme_id == theme.theme_id).values(changed)
    if not connection.execute(known).rowcount:
        connection.execute(insert(themes), row)


def _get(connection: Connection, theme_id: str) -> Theme:
    query = select(themes).where(themes.c.theme_id == theme_id)
    row = connection.execute(query).mappings().one_or_none()
    if row is None:
        raise NotFound(
            f"There is no theme {theme_id!r}.", hint="See: insight themes.", field="theme_id"
        )
    return _theme(row)


def _theme(row: RowMapping) -> Theme:
    return Theme(**{name: value for name, value in row.items() if name != "number"})


def _fit(row: RowMapping) -> Fit:
    return Fit(**{name: value for name, value in row.items() if name != "number"})


def _row(value: Theme | Fit | Change) -> dict[str, Any]:
    return {name: getattr(value, name) for name in value.__slots__}
