"""Counts of one import, added up batch by batch, and the receipt they make."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from shopkeeper.collect.types import Money, Refusals, Repaired
from shopkeeper.core.errors import BadInput

_FIRST = 10
KINDS = ("purchase", "refund", "stock_adjustment")


@dataclass(frozen=True)
class Refusal:
    """One refused row, kept whole as JSON."""

    row: int
    field: str
    reason: str
    hint: str
    raw: str


@dataclass
class Tally:
    """What was counted so far."""

    rows_read: int = 0
    duplicate: int = 0
    refused: int = 0
    repaired_rows: int = 0
    repairs: dict[tuple[str, str], int] = field(default_factory=dict)
    reasons: dict[tuple[str, str, str], tuple[int, list[int]]] = field(default_factory=dict)
    money: dict[str, Money] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    first_day: date | None = None
    last_day: date | None = None

    def repair(self, what: str, how: str, rows: int) -> None:
        if rows:
            self.repairs[what, how] = self.repairs.get((what, how), 0) + rows

    def refuse(self, name: str, reason: str, hint: str, rows: int, first: list[int]) -> None:
        count, known = self.reasons.get((name, reason, hint), (0, []))
        self.reasons[name, reason, hint] = (count + rows, sorted([*known, *first])[:_FIRST])
        self.refused += rows

    def earn(self, line: Money) -> None:
        """Add to the money of one outcome."""
        known = self.money.get(line.outcome)
        if known is not None:
            line = Money(
                outcome=line.outcome,
                rows=known.rows + line.rows,
                file_value=known.file_value + line.file_value,
                value=known.value + line.value,
                unpriced=known.unpriced + line.unpriced,
                without_customer=known.without_customer + line.without_customer,
                without_customer_value=known.without_customer_value + line.without_customer_value,
            )
        self.money[line.outcome] = line

    def repaired(self) -> tuple[Repaired, ...]:
        """Repairs, the most frequent first."""
        counted = sorted(self.repairs.items(), key=lambda entry: -entry[1])
        return tuple(Repaired(what=what, how=how, rows=rows) for (what, how), rows in counted)

    def refusals(self) -> tuple[Refusals, ...]:
        """Reasons, the most frequent first."""
        counted = sorted(self.reasons.items(), key=lambda entry: -entry[1][0])
        return tuple(
            Refusals(field=name, reason=reason, hint=hint, rows=rows, first_rows=tuple(first))
            for (name, reason, hint), (rows, first) in counted
        )

    def check(self, new: int) -> None:
        """Raise if a row was lost or counted twice: a receipt must add up."""
        if self.rows_read != new + self.duplicate + self.refused:
            raise BadInput(
                f"The import does not add up: {self.rows_read} rows read, {new} new, "
                f"{self.duplicate} duplicate, {self.refused} refused.",
                hint="The file changed while it was read? Import it again.",
            )
