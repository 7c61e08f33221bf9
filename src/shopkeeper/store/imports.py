"""Receipts of imports, and every refused row whole, until it is imported after all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, RowMapping, func, select, update

from shopkeeper.core.errors import NotFound
from shopkeeper.store import tables
from shopkeeper.store.batches import batches
from shopkeeper.store.database import Database

_PAGE = 500


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of one import: rows new, duplicate, repaired (and how), refused.

    ``refused`` is counted by the store from the rows it keeps. ``details`` is any JSON.
    """

    import_id: str
    importer: str
    source: str
    started_at: datetime
    status: str = "running"
    new: int = 0
    duplicate: int = 0
    repaired: Mapping[str, int] = field(default_factory=dict)
    refused: int = 0
    details: Mapping[str, Any] = field(default_factory=dict)
    finished_at: datetime | None = None


class Refusal(NamedTuple):
    """A row that was not taken: where it stood, which field, why, what to do, and all of it."""

    row_number: int
    field: str | None
    reason: str
    hint: str
    raw: Any


@dataclass(frozen=True, slots=True)
class Refused:
    """A kept refusal; ``retried_by`` is the import that took the row later."""

    number: int
    import_id: str
    row_number: int
    field: str | None
    reason: str
    hint: str
    raw: Any
    retried_by: str | None
    retried_at: datetime | None


class Imports:
    """The shop's imports."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def save(self, receipt: Receipt) -> None:
        """Keep the receipt, or replace what was kept under its id (its refused rows stay)."""
        row = {name: value for name, value in asdict(receipt).items() if name != "refused"}
        changed = {k: v for k, v in row.items() if k != "import_id"}
        with self._database.begin() as connection:
            insert = tables.upsert(connection, tables.imports, ["import_id"], list(changed))
            connection.execute(insert, {**row, "refused": 0})

    def refuse(self, import_id: str, rows: Iterable[Refusal | tuple[Any, ...]]) -> int:
        """Keep refused rows of a saved import, whole; how many. ``raw`` is any JSON value or text."""
        count = 0
        r = tables.refused.c
        for batch in batches(rows, _PAGE):
            values = [{**Refusal(*row)._asdict(), "import_id": import_id} for row in batch]
            with self._database.begin() as connection:
                self._require(connection, import_id)
                connection.execute(tables.refused.insert(), values)
                total = select(func.count()).where(r.import_id == import_id).scalar_subquery()
                connection.execute(
                    update(tables.imports)
                    .where(tables.imports.c.import_id == import_id)
                    .values(refused=total)
                )
            count += len(batch)
        return count

    def get(self, import_id: str) -> Receipt:
        """The receipt, or :class:`NotFound`."""
        with self._database.connect() as connection:
            return self._require(connection, import_id)

    def list(self, limit: int = 50, offset: int = 0) -> Sequence[Receipt]:
        """Receipts, the newest first."""
        i = tables.imports
        query = select(i).order_by(i.c.number.desc()).limit(limit).offset(offset)
        with self._database.connect() as connection:
            return [_receipt(row) for row in connection.execute(query).mappings()]

    def refused(
        self, import_id: str, *, limit: int = 100, after: int = 0, waiting_only: bool = False
    ) -> Sequence[Refused]:
        """Refused rows in order; for the next page give the last ``number`` as ``after``."""
        r = tables.refused.c
        query = select(tables.refused).where(r.import_id == import_id, r.number > after)
        if waiting_only:
            query = query.where(r.retried_at.is_(None))
        with self._database.connect() as connection:
            self._require(connection, import_id)
            rows = connection.execute(query.order_by(r.number).limit(limit)).mappings()
            return [Refused(**row) for row in rows]

    def mark_retried(self, numbers: Iterable[int], by: str) -> int:
        """Note that the import ``by`` took these refused rows; how many were still waiting."""
        r = tables.refused.c
        marked = 0
        values = {"retried_by": by, "retried_at": datetime.now(UTC)}
        with self._database.begin() as connection:
            for page in batches(numbers, _PAGE):
                waiting = update(tables.refused).where(r.number.in_(page), r.retried_at.is_(None))
                marked += connection.execute(waiting.values(values)).rowcount
        return marked

    @staticmethod
    def _require(connection: Connection, import_id: str) -> Receipt:
        query = select(tables.imports).where(tables.imports.c.import_id == import_id)
        row = connection.execute(query).mappings().first()
        if row is None:
            raise NotFound(f"No import {import_id!r}.", hint="Check the id.", field="import_id")
        return _receipt(row)


def _receipt(row: RowMapping) -> Receipt:
    return Receipt(**{k: v for k, v in row.items() if k != "number"})
