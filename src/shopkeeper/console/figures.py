"""Figures in words and numbers, as the report writes them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Final

from shopkeeper.console.parts import Tone
from shopkeeper.console.visit import Visit
from shopkeeper.core.types import CannotSay, Estimate
from shopkeeper.metrics.types import Amount, Definition, Figure, Span

_MONEY: Final = frozenset(
    {"price", "value", "cost", "revenue", "refunds", "monetary", "net_revenue"}
)


def label(visit: Visit, known: Definition) -> str:
    """The metric's name in the reader's language."""
    return known.label_zh if visit.lang == "zh" else known.label_en


def formula(visit: Visit, known: Definition) -> str:
    """How the metric is worked out, in words."""
    return known.formula_zh if visit.lang == "zh" else known.formula_en


def value(visit: Visit, amount: Amount, unit: str) -> str:
    """A headline's value: short; a dash where it cannot be said."""
    return "–" if isinstance(amount, CannotSay) else visit.n.short(amount.value, unit)


def full(visit: Visit, amount: Amount, unit: str) -> str:
    """The same in full."""
    return "–" if isinstance(amount, CannotSay) else visit.n.amount(amount.value, unit)


def interval(visit: Visit, amount: Amount, unit: str) -> str:
    """The interval of an estimate; nothing for what was counted."""
    if not isinstance(amount, Estimate):
        return ""
    low, high = visit.n.short(amount.low, unit), visit.n.short(amount.high, unit)
    return visit.w("figure.interval", low=low, high=high)


def change(visit: Visit, figure: Figure, unit: str) -> str:
    """The change against the period before; empty where there is none to compare with."""
    if isinstance(figure.change, CannotSay):
        return ""
    if unit == "share":
        return visit.n.points(figure.change.value)
    if figure.relative is None:
        return visit.n.amount(figure.change.value, unit)
    return visit.n.relative(figure.relative)


def tone(figure: Figure, known: Definition) -> Tone:
    """Whether a change beyond chance is welcome."""
    if isinstance(figure.change, CannotSay) or not figure.beyond_chance or known.good == "neither":
        return "flat"
    return "good" if (figure.change.value > 0) == (known.good == "up") else "bad"


def arrow(figure: Figure) -> str:
    """Which way it went."""
    if isinstance(figure.change, CannotSay) or not figure.change.value:
        return ""
    return "▲ " if figure.change.value > 0 else "▼ "


def span(visit: Visit, days: Span | None) -> str:
    """A period in words."""
    if days is None:
        return "–"
    return visit.w("overview.span", start=visit.n.date(days.start), end=visit.n.date(days.end))


def why_not(visit: Visit, reason: CannotSay) -> str:
    """Why there is no answer, and what would help."""
    w = visit.w
    told = f"cannot.{reason.code}"
    if reason.code and w.get(told, ""):
        return w(told, **reason.values)
    needed = w("page.needed", what=reason.needed) if reason.needed else ""
    return f"{reason.reason} {needed}".strip()


def cell(visit: Visit, column: str, content: Any) -> str:
    """One value of a listing, by the column that it stands in."""
    if content is None:
        return "–"
    if isinstance(content, bool):
        return visit.w("page.yes" if content else "page.no")
    if isinstance(content, int | float):
        number = float(content)
        return visit.n.money(number) if column in _MONEY else visit.n.decimal_or_count(number)
    if isinstance(content, datetime):
        return visit.n.time(content)
    if isinstance(content, date):
        return visit.n.date(content)
    return visit.w.get(f"event.{content}", str(content)) if column == "name" else str(content)


def moment(visit: Visit, when: datetime | None) -> str:
    """A moment in the shop's time zone, or a dash."""
    return visit.n.time(when) if when else "–"
