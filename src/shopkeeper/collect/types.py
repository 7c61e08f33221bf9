"""What the operations of collect take and reply."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from pydantic import Field

from shopkeeper.core.types import Value


class Repaired(Value):
    """Something put right in some rows, and how."""

    what: str
    how: str
    rows: int


class Refusals(Value):
    """Rows refused for one reason."""

    field: str
    reason: str
    hint: str
    rows: int
    first_rows: tuple[int, ...] = ()


class Money(Value):
    """What one kind of row comes to.

    ``file_value`` is Σ quantity × price with the file's own signs and currency: over all outcomes it is
    the file's total. ``value`` is what the shop counts. ``unpriced`` rows have no readable amount.
    """

    outcome: str
    rows: int
    file_value: float
    value: float
    unpriced: int = 0
    without_customer: int = 0
    without_customer_value: float = 0.0


class Receipt(Value):
    """What became of every row of one import: rows read = new + duplicate + refused."""

    import_id: str
    file: str
    sha256: str
    importer: str
    mapping: str = ""
    status: Literal["running", "done", "failed", "undone"] = "done"
    dry_run: bool = False
    started_at: datetime
    finished_at: datetime
    rows_read: int
    new: int
    duplicate: int
    refused: int
    repaired: int
    loaded: dict[str, int] = Field(default={}, description="new rows of each table")
    repairs: tuple[Repaired, ...] = ()
    refusals: tuple[Refusals, ...] = ()
    money: tuple[Money, ...] = ()
    first_day: date | None = None
    last_day: date | None = None
    notes: tuple[str, ...] = ()
    traceable: bool = Field(
        default=False, description="rows say which import brought them: undo can"
    )


class Undone(Value):
    """What an undo removed, by table, and what it cannot take back."""

    import_id: str
    removed: dict[str, int]
    stays: tuple[str, ...]


class ColumnLine(Value):
    """A column of a file: what its first rows hold."""

    name: str
    kind: Literal["empty", "whole", "number", "time", "unclear time", "text"]
    filled: float = Field(description="share of the rows looked at that hold something")
    samples: tuple[str, ...]


class Inspected(Value):
    """What a file looks like, by its first rows."""

    file: str
    rows: int = Field(description="rows looked at")
    refused: int = Field(description="of them, rows that could not be read")
    columns: tuple[ColumnLine, ...]
    notes: tuple[str, ...] = ()


class GuessedColumn(Value):
    ours: str
    theirs: str
    confidence: float = Field(description="0 to 1: how sure the name and the values make it")


class Guessed(Value):
    """A mapping guessed from a file: to be read by a person before it is used.

    ``mapping`` is the text of a mapping file, empty where a column that every mapping needs is ``missing``.
    """

    target: str
    mapping: str
    confidence: float
    columns: tuple[GuessedColumn, ...]
    unused: tuple[str, ...]
    missing: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


class ReceiptLine(Value):
    """One import in the list."""

    import_id: str
    file: str
    importer: str
    started_at: datetime
    status: str
    new: int
    duplicate: int
    refused: int


class Receipts(Value):
    receipts: tuple[ReceiptLine, ...]


class RefusedRow(Value):
    """A row that was not taken, whole, with what to do about it."""

    number: int
    row: int
    field: str
    reason: str
    hint: str
    raw: str
    retried_by: str | None = None


class RefusedRows(Value):
    """One page; give ``next_after`` as ``after`` for the following one."""

    import_id: str
    rows: tuple[RefusedRow, ...]
    next_after: int | None = None


class MappingLine(Value):
    name: str
    about: str
    target: str
    format: str
    columns: tuple[str, ...]


class Mappings(Value):
    mappings: tuple[MappingLine, ...]
    importers: tuple[str, ...]
    formats: tuple[str, ...]


class ExportedFile(Value):
    name: str
    rows: int
    bytes: int
    sha256: str


class Exported(Value):
    """An export in the shop's folder."""

    name: str
    kind: str
    folder: str
    files: tuple[ExportedFile, ...]


class Finding(Value):
    """One thing to know about the data, and what to do."""

    code: str
    severity: Literal["problem", "warning", "note"]
    message: str
    to_do: str
    share: float | None = None
    rows: int | None = None


class TableCount(Value):
    table: str
    rows: int


class Health(Value):
    """How far the data can be trusted: counts, findings, the last import and the intake's delay."""

    as_of: datetime
    counts: tuple[TableCount, ...]
    first_day: date | None
    last_day: date | None
    days: int
    days_without_events: tuple[date, ...]
    without_customer: float | None
    without_item: float | None
    unknown_items: int
    refused_waiting: int
    waiting_in_log: int
    median_delay_s: float | None
    currencies: dict[str, int]
    last_import: ReceiptLine | None
    findings: tuple[Finding, ...]
