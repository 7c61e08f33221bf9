"""Effects with their intervals side by side, as inline SVG: one row each, the line of no effect drawn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

from markupsafe import Markup

_ROW: Final = 34
_FOOT: Final = 26
_TOP: Final = 8
_APART: Final = 52
"""Labels of the axis that stand nearer to that of 0 would run into it."""


@dataclass(frozen=True)
class Effect:
    """One row: its label, the value with both ends, and the words of its tooltip."""

    label: str
    value: float
    low: float
    high: float
    tip: str


def forest(
    name: str,
    texts: tuple[str, str],
    effects: Sequence[Effect],
    *,
    write: Callable[[float], str],
    width: int = 1000,
) -> Markup:
    """The rows from top to bottom; ``texts`` are title and description, ``name`` is unique in the page."""
    left, right = round(width * 0.32), 16
    low = min(0.0, *(one.low for one in effects))
    high = max(0.0, *(one.high for one in effects))
    room = (high - low) or 1.0
    low, high = low - room * 0.05, high + room * 0.05
    height = _TOP + _ROW * len(effects) + _FOOT

    def x(value: float) -> float:
        return round(left + (value - low) / (high - low) * (width - left - right), 1)

    foot = height - _FOOT
    body = [f'<line class="zero" x1="{x(0)}" x2="{x(0)}" y1="{_TOP}" y2="{foot}"/>']
    ends = (min(one.low for one in effects), max(one.high for one in effects))
    for value in (0.0, *(one for one in ends if abs(x(one) - x(0)) >= _APART)):
        label = escape(write(value))
        body.append(f'<text class="axis mid" x="{x(value)}" y="{height - 8}">{label}</text>')
    longest = max(8, left // 9)
    for place, one in enumerate(effects):
        y = _TOP + _ROW * place + _ROW / 2
        told = one.label if len(one.label) <= longest else one.label[: longest - 1] + "…"
        body.append(
            f'<g class="mark"><title>{escape(one.tip)}</title>'
            f'<text x="0" y="{y + 4}">{escape(told)}</text>'
            f'<path class="now" d="M{x(one.low)} {y}L{x(one.high)} {y}"/>'
            f'<circle class="point" cx="{x(one.value)}" cy="{y}" r="4.5"/></g>'
        )
    title, description = texts
    return Markup(  # noqa: S704 - every text of data is escaped above
        f'<svg class="chart forest" viewBox="0 0 {width} {height}" role="img" '
        f'aria-labelledby="{escape(name)}-t {escape(name)}-d">'
        f'<title id="{escape(name)}-t">{escape(title)}</title>'
        f'<desc id="{escape(name)}-d">{escape(description)}</desc>{"".join(body)}</svg>'
    )
