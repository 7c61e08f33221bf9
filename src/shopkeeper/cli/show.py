"""Any reply on a terminal: records as panels, lists of records as tables, estimates with intervals."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

from pydantic import BaseModel
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.measure import Measurement
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from shopkeeper.cli.terminal import console, plain, visible
from shopkeeper.core.types import CannotSay, Estimate

_LONG = 10_000  # shorter whole numbers may be years
ROWS = 50  # of one table: more belongs into --json or a file


def reply(answer: BaseModel, *, as_json: bool) -> None:
    """Print the reply: for people, or as the JSON that HTTP gives too."""
    if as_json:
        # ASCII only: a terminal obeys no character of it, and any encoding can carry it.
        sys.stdout.write(json.dumps(answer.model_dump(mode="json"), indent=2) + "\n")
        return
    out: Console = console()
    out.print(render(answer))


def render(answer: BaseModel) -> RenderableType:
    """What rich prints for this record."""
    if isinstance(answer, (Estimate, CannotSay)):
        return plain(cell(answer))
    facts = Table.grid(padding=(0, 2))
    facts.add_column(style="bold", no_wrap=True)
    facts.add_column(overflow="fold")
    parts: list[RenderableType] = []
    for name, value in _fields(answer):
        if _is_records(value):
            parts.append(_table(_title(name), list(value)))
        elif isinstance(value, BaseModel) and not isinstance(value, (Estimate, CannotSay)):
            parts.append(Panel(render(value), title=plain(_title(name)), title_align="left"))
        else:
            facts.add_row(plain(_title(name)), plain(_beside(name, value), lines=True))
    return Group(*([facts] if facts.row_count else []), *parts)


def _beside(name: str, value: Any) -> str:
    """A field's value in words, where its name stands beside it."""
    text = cell(value)
    return text.removeprefix("cannot say: ") if name == "cannot_say" else text


def cell(value: Any) -> str:
    """One value in words."""
    if isinstance(value, Estimate):
        span = f"{cell(value.low)} to {cell(value.high)}"
        return f"{cell(value.value)} ({span}, {value.level:.0%}, n={value.n})"
    if isinstance(value, CannotSay):
        needed = f" Needed: {value.needed}" if value.needed else ""
        return f"cannot say: {value.reason}{needed}"
    if isinstance(value, BaseModel):
        return _record(value)
    if isinstance(value, Mapping):
        return ", ".join(f"{k} {cell(v)}" for k, v in value.items()) or "–"
    if _on_lines(value):  # a line each: a line break that stands in one of them is not of ours
        return "\n".join(visible(cell(one)) for one in value)
    several = isinstance(value, Sequence | set | frozenset) and not isinstance(value, str | bytes)
    return (", ".join(map(cell, value)) or "–") if several else _scalar(value)


def _record(value: BaseModel) -> str:
    """A record inside a cell: the sentence that it says of itself, else its fields; --json prints all."""
    told = [(name, v) for name, v in _fields(value) if v not in (None, (), [], {}, "")]
    if sentence := dict(told).get("text"):
        return str(sentence)
    if [name for name, _ in told] == ["value"]:
        return cell(told[0][1])
    return ", ".join(f"{name} {cell(v)}" for name, v in told)


def _scalar(value: Any) -> str:
    if value is None or value == "":
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int) and abs(value) >= _LONG:
        return f"{value:,}"
    if isinstance(value, float):
        return _float(value)
    if isinstance(value, datetime):
        return value.isoformat(" ", "seconds")
    return value.isoformat() if isinstance(value, date) else str(value)


def _float(value: float) -> str:
    if value.is_integer() and 1_000 <= abs(value) < 1e15:  # counts come as floats too
        return f"{value:,.0f}"
    return f"{value:,.2f}" if abs(value) >= 1 or value == 0 else f"{value:.4g}"


def _table(title: str, records: list[BaseModel]) -> RenderableType:
    names = [
        name
        for name in type(records[0]).model_fields
        if any(getattr(r, name, None) not in (None, (), [], {}, "") for r in records)
    ]
    table = Table(title=plain(title, "bold"), title_justify="left")
    for name in names:
        numeric = all(_is_number(getattr(r, name, None)) for r in records)
        justify: Literal["left", "right"] = "right" if numeric else "left"
        table.add_column(plain(_title(name)), justify=justify, overflow="fold", no_wrap=numeric)
    for record in records[:ROWS]:
        values = [getattr(record, name, None) for name in names]
        told = zip(names, values, strict=True)
        table.add_row(*(plain(_beside(n, v), lines=_on_lines(v)) for n, v in told))
    shown = _Fitting(table, _cards(title, names, records[:ROWS]))
    if len(records) <= ROWS:
        return shown
    return Group(shown, Text(f"… and {len(records) - ROWS} more: --json prints all", style="dim"))


def _cards(title: str, names: Sequence[str], records: Sequence[BaseModel]) -> RenderableType:
    """The same records one below the other, a line a field."""
    parts: list[RenderableType] = [plain(title, "bold")]
    for record in records:
        lines = Table.grid(padding=(0, 2))
        lines.add_column(style="bold", no_wrap=True)
        lines.add_column(overflow="fold")
        for name in names:
            value = getattr(record, name, None)
            if value not in (None, (), [], {}, ""):
                lines.add_row(plain(_title(name)), plain(_beside(name, value), lines=True))
        parts.append(Padding(lines, (0, 0, 1, 2)))
    return Group(*parts)


@dataclass(frozen=True)
class _Fitting:
    """A table where no word of it has to be broken to fit the terminal, otherwise cards."""

    table: Table
    cards: RenderableType

    def __rich_console__(self, out: Console, options: ConsoleOptions) -> RenderResult:
        free = options.update(max_width=10_000)
        fits = Measurement.get(out, free, self.table).minimum <= options.max_width
        yield self.table if fits else self.cards


def _fields(record: BaseModel) -> list[tuple[str, Any]]:
    return [(name, getattr(record, name)) for name in type(record).model_fields if name != "kind"]


def _is_number(value: Any) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))


def _is_records(value: Any) -> bool:
    return isinstance(value, list | tuple) and bool(value) and isinstance(value[0], BaseModel)


def _on_lines(value: Any) -> bool:
    """Whether it is a list of records or of sentences."""
    if not isinstance(value, list | tuple):
        return False
    sentences = any(isinstance(one, str) and one.endswith((".", "。")) for one in value)
    return _is_records(value) or sentences


def _title(name: str) -> str:
    return visible(name.replace("_", " "))
