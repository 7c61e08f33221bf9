"""One SQL query over a batch: clean columns, repairs, and each row's first fault."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

KEYS = {"events": "event_id", "items": "item_id", "texts": "text_id", "customers": "customer_id"}
"""What identifies a row, by the mapping's target."""


@dataclass(frozen=True)
class Check:
    """A fault that refuses the row: ``sql`` is true for rows that have it."""

    field: str
    reason: str
    hint: str
    sql: str


@dataclass(frozen=True)
class Repair:
    """Something put right: ``sql`` is true for rows where it was needed."""

    what: str
    how: str
    sql: str


@dataclass(frozen=True)
class Terms:
    """What the shop settles for every file: its zone, its money, and the moment of the import."""

    zone: str
    currency: str
    now: datetime


@dataclass
class Plan:
    """The query's parts. ``layers`` are made one on the other; the last one has the clean columns."""

    layers: list[dict[str, str]] = field(default_factory=lambda: [{}, {}, {}, {}])
    checks: list[Check] = field(default_factory=list)
    repairs: list[Repair] = field(default_factory=list)
    columns: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    by_content: bool = False
    raw: str = "NULL::VARCHAR"
    lookup: str | None = None
    """The cell whose distinct values must be looked up as event names."""

    def query(self) -> str:
        """Selects the clean columns from the view ``batch`` (every cell's text, null where empty).

        Also ``row``, ``place``, ``fault`` (index of the first check that holds, or null) and ``r0`` …
        """
        source = "batch"
        steps = []
        for number, layer in enumerate(self.layers):
            added = "".join(f", {sql} AS {name}" for name, sql in layer.items())
            steps.append(f"l{number} AS (SELECT *{added} FROM {source})")  # noqa: S608
            source = f"l{number}"
        faults = " ".join(f"WHEN {c.sql} THEN {i}" for i, c in enumerate(self.checks))
        fault = f"CASE {faults} END" if faults else "NULL"
        steps.append(f"judged AS (SELECT *, {fault}::INTEGER AS fault FROM {source})")  # noqa: S608
        repairs = "".join(f", {r.sql} AS r{i}" for i, r in enumerate(self.repairs))
        out = ", ".join(f"{sql} AS {name}" for name, sql in self.columns.items())
        raw = f"CASE WHEN fault IS NOT NULL THEN {self.raw} END" if self.by_content else self.raw
        return (
            f"WITH {', '.join(steps)} SELECT row, place, fault{repairs}, content, "  # noqa: S608
            f"{raw} AS raw, {out} FROM judged"
        )
