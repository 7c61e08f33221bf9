"""Plots of an evaluation as inline SVG: values with intervals, and claims beside what happened.

Colours come from the page by class, so that light and dark need one drawing; text is escaped here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

from markupsafe import Markup

_WIDTH, _ROW, _LEFT, _RIGHT, _TOP, _BOTTOM = 720, 30, 190, 70, 12, 30
_SQUARE = 360

Write = Callable[[float], str]


@dataclass(frozen=True)
class Dot:
    """One value with its interval; ``kind`` is the class of the mark."""

    value: float
    low: float
    high: float
    kind: str
    tip: str


@dataclass(frozen=True)
class Line:
    """A row of the plot: its label, and one dot or several beside each other."""

    label: str
    dots: tuple[Dot, ...]


def intervals(title: str, lines: Sequence[Line], write: Write) -> Markup:
    """Rows of dots with their intervals over a common axis that begins at zero."""
    greatest = max((dot.high for line in lines for dot in line.dots), default=1.0) or 1.0
    ticks = _ticks(greatest)
    height = _TOP + _ROW * len(lines) + _BOTTOM

    def across(value: float) -> float:
        return _LEFT + (_WIDTH - _LEFT - _RIGHT) * value / ticks[-1]

    parts = [
        f'<line class="grid" x1="{across(t):.1f}" x2="{across(t):.1f}" y1="{_TOP}" '
        f'y2="{height - _BOTTOM}"/><text class="tick" x="{across(t):.1f}" y="{height - 10}" '
        f'text-anchor="middle">{escape(write(t))}</text>'
        for t in ticks
    ]
    for place, line in enumerate(lines):
        middle = _TOP + _ROW * (place + 0.5)
        parts.append(
            f'<text class="label" x="{_LEFT - 12}" y="{middle + 4:.1f}" text-anchor="end">'
            f"{escape(line.label)}</text>"
        )
        for number, dot in enumerate(line.dots):
            y = middle + 8 * (number - (len(line.dots) - 1) / 2)
            parts.append(
                f'<g class="{escape(dot.kind)}"><title>{escape(dot.tip)}</title>'
                f'<line class="range" x1="{across(dot.low):.1f}" x2="{across(dot.high):.1f}" '
                f'y1="{y:.1f}" y2="{y:.1f}"/>'
                f'<circle cx="{across(dot.value):.1f}" cy="{y:.1f}" r="4"/></g>'
            )
    return _svg(title, (_WIDTH, height), "".join(parts))


@dataclass(frozen=True)
class Claim:
    """Slots of like probability: what was claimed, what happened, and the words of its tooltip."""

    claimed: float
    happened: float
    tip: str


def reliability(title: str, axes: tuple[str, str], claims: Sequence[Claim]) -> Markup:
    """What was claimed against what happened, both by logarithm; on the diagonal claims are true."""
    values = [v for c in claims for v in (c.claimed, c.happened) if v > 0]
    low, high = (min(values), max(values)) if values else (0.001, 1.0)
    first, last = math.floor(math.log10(low)), max(math.ceil(math.log10(high)), -1)
    inner = _SQUARE - 90

    def along(value: float) -> float:
        share = (math.log10(max(value, 10**first)) - first) / max(last - first, 1)
        return inner * min(max(share, 0.0), 1.0)

    parts = [f'<line class="truth" x1="60" y1="{inner + 20}" x2="{60 + inner}" y2="20"/>']
    for power in range(first, last + 1):
        at, text = along(10.0**power), escape(f"{10.0**power:.6g}")
        parts.append(
            f'<line class="grid" x1="{60 + at:.1f}" x2="{60 + at:.1f}" y1="20" y2="{inner + 20}"/>'
            f'<line class="grid" x1="60" x2="{60 + inner}" y1="{20 + inner - at:.1f}" '
            f'y2="{20 + inner - at:.1f}"/>'
            f'<text class="tick" x="{60 + at:.1f}" y="{inner + 38}" text-anchor="middle">{text}</text>'
            f'<text class="tick" x="54" y="{24 + inner - at:.1f}" text-anchor="end">{text}</text>'
        )
    parts += [
        f'<g class="ours"><title>{escape(c.tip)}</title>'
        f'<circle cx="{60 + along(c.claimed):.1f}" cy="{20 + inner - along(c.happened):.1f}" r="5"/></g>'
        for c in claims
    ]
    parts.append(
        f'<text class="label" x="{60 + inner / 2}" y="{inner + 60}" text-anchor="middle">'
        f'{escape(axes[0])}</text><text class="label" x="60" y="12">{escape(axes[1])}</text>'
    )
    return _svg(title, (_SQUARE, inner + 70), "".join(parts))


def _ticks(greatest: float) -> list[float]:
    """From zero in even steps of 1, 2 or 5 to at least the greatest value."""
    rough = greatest / 4
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * m for m in (1, 2, 5, 10) if power * m >= rough)
    return [step * n for n in range(math.ceil(greatest / step) + 1)]


def _svg(title: str, size: tuple[float, float], body: str) -> Markup:
    return Markup(  # noqa: S704 - every text in it was escaped
        f'<svg viewBox="0 0 {size[0]} {size[1]}" role="img" aria-label="{escape(title)}">'
        f"<title>{escape(title)}</title>{body}</svg>"
    )
