"""Turns replies into words, numbers and tables of one language: what every section writes with."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from shopkeeper.core.types import CannotSay, Estimate
from shopkeeper.metrics.types import Amount, Definition, Exact, Figure, Rows
from shopkeeper.report.facts import Facts
from shopkeeper.report.numbers import Numbers
from shopkeeper.report.parts import Cell, Opening, Table, clipped
from shopkeeper.report.words import Words

_MONEY: Final = frozenset({"price", "value", "cost", "revenue", "refunds", "monetary"})
_NUMBERS: Final = frozenset(
    {"quantity", "units", "lines", "orders", "events", "counts", "active_days", "recency",
     "frequency", "r", "f", "m"}
)  # fmt: skip
_ID_LENGTH: Final = 14


@dataclass(frozen=True)
class Desk:
    """The facts, and how to write them."""

    facts: Facts
    w: Words
    n: Numbers

    @property
    def lang(self) -> str:
        return self.w.lang

    def label(self, metric: str) -> str:
        """The metric's name in the report's language."""
        known = self.facts.definitions[metric]
        return known.label_zh if self.lang == "zh" else known.label_en

    def formula(self, known: Definition) -> str:
        return known.formula_zh if self.lang == "zh" else known.formula_en

    def value(self, amount: Amount, unit: str) -> str:
        """A headline's value: short; a dash where it cannot be said."""
        return "–" if isinstance(amount, CannotSay) else self.n.short(amount.value, unit)

    def full(self, amount: Amount, unit: str) -> str:
        return "" if isinstance(amount, CannotSay) else self.n.amount(amount.value, unit)

    def interval(self, amount: Amount, unit: str) -> str:
        """The interval of an estimate; nothing for what was counted."""
        if not isinstance(amount, Estimate):
            return ""
        low, high = self.n.short(amount.low, unit), self.n.short(amount.high, unit)
        return self.w("figure.interval", low=low, high=high)

    def change(self, figure: Figure, unit: str) -> str:
        """The change against the period before, short; empty where there is none to compare with."""
        if isinstance(figure.change, CannotSay):
            return ""
        if unit == "share":
            return self.n.points(figure.change.value)
        if figure.relative is None:
            return self.n.amount(figure.change.value, unit)
        return self.n.relative(figure.relative)

    def tone(self, figure: Figure) -> str:
        """good, bad or flat: whether a change beyond chance is welcome."""
        good = self.facts.definitions[figure.metric].good
        if isinstance(figure.change, CannotSay) or not figure.beyond_chance or good == "neither":
            return "flat"
        return "good" if (figure.change.value > 0) == (good == "up") else "bad"

    def opened(self, figure: Figure, rows: Rows | None, command: str) -> Opening:
        """What a metric's figure opens to."""
        known = self.facts.definitions[figure.metric]
        return Opening(
            meaning=self.label(figure.metric),
            formula=self.formula(known),
            count=self.behind(rows),
            table=self.table(rows) if rows else None,
            command=command,
            notes=tuple(self._notes(figure, known, rows)),
        )

    def behind(self, rows: Rows | None) -> str:
        """How many rows of what kind are behind a number."""
        if rows is None or not rows.total:
            return self.w("rows.none")
        shown = len(rows.rows)
        kind = self.w(f"behind.{rows.behind}", count=self.n.count(rows.total))
        if shown >= rows.total:
            return self.w("rows.all", what=kind)
        return self.w("rows.first", what=kind, shown=self.n.count(shown))

    def table(self, rows: Rows) -> Table:
        """The rows of a listing, cells written for people."""
        return self.rows_of(
            rows.columns, (dict(zip(rows.columns, r, strict=True)) for r in rows.rows)
        )

    def rows_of(self, columns: Sequence[str], rows: Iterable[dict[str, Any]]) -> Table:
        heads = tuple((self.w.get(f"column.{c}", c), c in _MONEY or c in _NUMBERS) for c in columns)
        return Table(heads, [[self.cell(c, row[c]) for c in columns] for row in rows])

    def cell(self, column: str, value: Any) -> Cell:
        """One value as text: money, numbers, times and names by the column they stand in."""
        number = column in _MONEY or column in _NUMBERS
        if value is None:
            return Cell("–", number=number)
        if number:
            write = self.n.money if column in _MONEY else self.n.decimal_or_count
            return Cell(write(float(value)), number=True)
        if isinstance(value, datetime):
            return Cell(self.n.time(value))
        if column == "item_id":
            return self.item(str(value))
        return self._plain(column, value)

    def _plain(self, column: str, value: Any) -> Cell:
        if isinstance(value, date):
            return Cell(self.n.date(value))
        if column == "name":
            return Cell(self.event(str(value)))
        return clipped(str(value), _ID_LENGTH if column == "event_id" else 28)

    def item(self, item_id: str, longest: int = 42) -> Cell:
        """An item by its title, with its id where it is clipped or has none."""
        title = self.facts.items.get(item_id)
        shown = clipped(title or item_id, longest)
        return Cell(
            shown.text, full=f"{item_id} · {shown.full or shown.text}" if title else shown.full
        )

    def event(self, name: str) -> str:
        """An event's name in words, or as sent."""
        return self.w.get(f"event.{name}", name)

    def rows_command(self, metric: str, since: object, **group: str | None) -> str:
        """The command that lists all rows behind a number."""
        parts = ["shopkeeper", "metrics", "rows", metric, "--since", str(since)]
        for name, value in group.items():
            if value is not None:
                parts += [f"--{name}", value]
        return shlex.join(parts)

    def _notes(self, figure: Figure, known: Definition, rows: Rows | None) -> Iterable[str]:
        unit = known.unit
        if full := self.full(figure.value, unit):
            yield self.w("figure.exact", value=full)
        if isinstance(figure.value, Estimate):
            yield self._estimate(figure.value, unit)
        if isinstance(figure.value, CannotSay):
            yield self.w("figure.cannot_say")
        if isinstance(figure.before, (Exact, Estimate)):
            yield self.w("figure.before", value=self.full(figure.before, unit))
        if isinstance(figure.change, Estimate):
            write = self.n.points if unit == "share" else lambda v: self.n.amount(v, unit)
            key = "figure.certain" if figure.beyond_chance else "figure.uncertain"
            yield self.w(key, low=write(figure.change.low), high=write(figure.change.high))
        coverage = figure.coverage
        if coverage is not None and coverage.share is not None and coverage.share < 0.9995:
            of = coverage.of_zh if self.lang == "zh" else coverage.of_en
            yield self.w("figure.coverage", share=self.n.share(coverage.share), of=of)
        if rows is not None:
            yield from self._sums(rows)

    def _estimate(self, value: Estimate, unit: str) -> str:
        return self.w(
            "figure.estimate",
            level=self.n.share(value.level, 0),
            low=self.n.amount(value.low, unit),
            high=self.n.amount(value.high, unit),
            n=self.n.count(value.n),
        )

    def _sums(self, rows: Rows) -> Iterable[str]:
        """What the columns of all rows behind the number add up to, so that it can be checked."""
        shown = [
            f"{self._summed(name)} {self.cell(name.rpartition('.')[2], total).text}"
            for name, total in rows.sums.items()
            if total
        ]
        if shown:
            yield self.w("rows.sums", sums=self.w("list.comma").join(shown))

    def _summed(self, name: str) -> str:
        """A sum's name: a column, or ``event.column`` where a listing holds several events."""
        event, _, column = name.rpartition(".")
        label = self.w.get(f"column.{column}", column)
        return self.w("rows.sum_of", event=self.event(event), column=label) if event else label
