"""Charts as inline SVG: small, readable in light and dark, with a tooltip on every mark.

Colours come from the page's style sheet by class, so that one drawing serves both themes. Text is
escaped here, so what these functions return is safe in a page: hence the Markup.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

from markupsafe import Markup

Write = Callable[[float], str]


@dataclass(frozen=True)
class Point:
    """One bucket: its label, its value (None: cannot be said) and the words of its tooltip."""

    label: str
    value: float | None
    tip: str
    partial: bool = False


@dataclass(frozen=True)
class Frame:
    """The size of a drawing and its inner margins."""

    width: int
    height: int
    left: int = 54
    right: int = 14
    top: int = 14
    bottom: int = 28

    @property
    def inner(self) -> tuple[float, float]:
        return self.width - self.left - self.right, self.height - self.top - self.bottom


WIDE = Frame(1000, 270)
HALF = Frame(490, 220, left=48, right=12)
NARROW = Frame(358, 220, left=46, right=10)


def line(
    name: str,
    texts: tuple[str, str],
    now: Sequence[Point],
    before: Sequence[Point] = (),
    *,
    write: Write,
    frame: Frame = WIDE,
) -> Markup:
    """A line over time, with the period before dashed and the gap between them shaded.

    ``name`` makes ids unique in the page; ``texts`` are title and description. A partial bucket is
    a hollow dot beside the line: in the line it would look like a fall.
    """
    values = [p.value for p in (*now, *before) if p.value is not None]
    if not values:
        return Markup("")
    low, high, ticks = _scale(min(0.0, *values), max(values))
    plot = _Plot(frame, max(len(now), 2), low, high)
    body = [*_grid(plot, ticks, write), *_labels(plot, [p.label for p in now])]
    earlier = before[: len(now)]
    if earlier:
        body.append(_band(plot, now, earlier))
        body.append(f'<path class="before" d="{plot.path(earlier)}"/>')
    else:
        body.append(f'<path class="area" d="{_area(plot, now)}"/>')
    body.append(f'<path class="now" d="{plot.path(now)}"/>')
    body += [_mark(plot, i, point) for i, point in enumerate(now) if point.value is not None]
    return _svg(name, texts, (frame.width, frame.height), "line", "".join(body))


def spark(points: Sequence[Point], width: int = 240, height: int = 34) -> Markup:
    """A line without axes, for the eye only: hidden from readers of the screen."""
    whole = [p for p in points if p.value is not None and not p.partial]
    values = [p.value for p in whole if p.value is not None]
    if len(values) < 3:
        return Markup("")
    frame = Frame(width, height, 3, 5, 5, 5)
    plot = _Plot(frame, len(values), min(values), max(values))
    end = f'<circle class="end" cx="{plot.x(len(values) - 1)}" cy="{plot.y(values[-1])}" r="3"/>'
    return Markup(  # noqa: S704
        f'<svg class="spark" viewBox="0 0 {width} {height}" aria-hidden="true" focusable="false">'
        f'<path class="now" d="{plot.path(whole)}"/>{end}</svg>'
    )


def bar(share: float, tip: str, *, tone: str = "main", centred: bool = False) -> Markup:
    """One bar that fills ``share`` of its place; the number itself stands beside it as text."""
    width = max(0.0, min(1.0, share)) * 100
    width = max(width, 0.6) if share > 0 else 0.0
    x = (100 - width) / 2 if centred else 0
    return Markup(  # noqa: S704
        f'<svg class="bar {escape(tone)}" viewBox="0 0 100 10" preserveAspectRatio="none" '
        f'aria-hidden="true" focusable="false"><title>{escape(tip)}</title>'
        f'<rect class="rail" width="100" height="10"/>'
        f'<rect class="fill" x="{_n(x)}" width="{_n(width)}" height="10"/></svg>'
    )


@dataclass(frozen=True)
class Cell:
    """One cell of a heat map: share from 0 to 1 (None: not over yet), its text and its tooltip."""

    share: float | None
    text: str
    tip: str


def heat(
    name: str,
    texts: tuple[str, str],
    columns: Sequence[str],
    rows: Sequence[tuple[str, list[Cell]]],
) -> Markup:
    """A heat map of cohorts: one row each, darker where more came back."""
    if not rows:
        return Markup("")
    cell, high, left, top = 62, 30, 118, 26
    strongest = max((c.share or 0.0 for _, cells in rows for c in cells[1:]), default=0.0) or 1.0
    parts = [
        f'<text class="axis mid" x="{left + i * cell + cell / 2}" y="16">{escape(label)}</text>'
        for i, label in enumerate(columns)
    ]
    for r, (label, cells) in enumerate(rows):
        y = top + r * high
        parts.append(f'<text class="axis" x="0" y="{y + 19}">{escape(label)}</text>')
        for c, one in enumerate(cells):
            if one.share is None:
                continue
            level = 0 if c == 0 else min(7, math.ceil(7 * one.share / strongest))
            x = left + c * cell
            parts.append(
                f'<g class="cell"><title>{escape(one.tip)}</title>'
                f'<rect class="h{"own" if c == 0 else level}" x="{x}" y="{y}" '
                f'width="{cell - 2}" height="{high - 2}" rx="4"/>'
                f'<text class="mid t{0 if c == 0 else level}" x="{x + cell / 2 - 1}" y="{y + 19}">'
                f"{escape(one.text)}</text></g>"
            )
    size = (left + len(columns) * cell, top + len(rows) * high)
    return _svg(name, texts, size, "heat", "".join(parts), fixed=True)


@dataclass(frozen=True)
class _Plot:
    """Where a value falls in a frame."""

    frame: Frame
    count: int
    low: float
    high: float

    def x(self, index: int) -> float:
        return round(self.frame.left + self.frame.inner[0] * index / max(self.count - 1, 1), 1)

    def y(self, value: float) -> float:
        part = (value - self.low) / ((self.high - self.low) or 1.0)
        return round(self.frame.top + self.frame.inner[1] * (1 - part), 1)

    def path(self, points: Sequence[Point]) -> str:
        """A path through the known, whole buckets; a gap where there is none."""
        text, pen = [], "M"
        for i, point in enumerate(points):
            if point.value is None or point.partial:
                pen = "M"
                continue
            text.append(f"{pen}{self.x(i)} {self.y(point.value)}")
            pen = "L"
        return "".join(text)


def _area(plot: _Plot, points: Sequence[Point]) -> str:
    known = [(i, p.value) for i, p in enumerate(points) if p.value is not None and not p.partial]
    if len(known) < 2:
        return ""
    floor = plot.y(max(plot.low, 0.0))
    along = "L".join(f"{plot.x(i)} {plot.y(value)}" for i, value in known)
    return f"M{plot.x(known[0][0])} {floor}L{along}L{plot.x(known[-1][0])} {floor}Z"


def _band(plot: _Plot, now: Sequence[Point], before: Sequence[Point]) -> str:
    both = [
        (i, a.value, b.value)
        for i, (a, b) in enumerate(zip(now, before, strict=False))
        if a.value is not None and b.value is not None and not a.partial and not b.partial
    ]
    if len(both) < 2:
        return ""
    over = "L".join(f"{plot.x(i)} {plot.y(a)}" for i, a, _ in both)
    back = "L".join(f"{plot.x(i)} {plot.y(b)}" for i, _, b in reversed(both))
    return f'<path class="band" d="M{over}L{back}Z"/>'


def _mark(plot: _Plot, index: int, point: Point) -> str:
    half = plot.frame.inner[0] / max(plot.count - 1, 1) / 2
    x, y = plot.x(index), plot.y(point.value or 0.0)
    kind = "dot part" if point.partial else "dot"
    left = max(plot.frame.left, x - half)
    wide = min(plot.frame.width - plot.frame.right, x + half) - left
    return (
        f'<g class="mark"><title>{escape(point.tip)}</title>'
        f'<rect class="hit" x="{_n(left)}" y="{plot.frame.top}" width="{_n(max(wide, 1))}" '
        f'height="{_n(plot.frame.inner[1])}"/>'
        f'<circle class="{kind}" cx="{x}" cy="{y}" r="3.2"/></g>'
    )


def _grid(plot: _Plot, ticks: Sequence[float], write: Write) -> list[str]:
    left, right = plot.frame.left, plot.frame.width - plot.frame.right
    parts = []
    for tick in ticks:
        y = plot.y(tick)
        kind = "zero" if tick == 0 else "grid"
        parts.append(f'<line class="{kind}" x1="{left}" x2="{right}" y1="{y}" y2="{y}"/>')
        parts.append(
            f'<text class="axis end" x="{left - 8}" y="{y + 4}">{escape(write(tick))}</text>'
        )
    return parts


def _labels(plot: _Plot, labels: Sequence[str]) -> list[str]:
    room = plot.frame.inner[0] / 78
    step = max(1, math.ceil(len(labels) / room))
    y = plot.frame.height - 8
    parts = []
    for i in range(0, len(labels), step):
        side = "start" if i == 0 else "end" if i == len(labels) - 1 else "mid"
        if side == "mid" and len(labels) - 1 - i < step * 0.4:
            continue
        parts.append(
            f'<text class="axis {side}" x="{plot.x(i)}" y="{y}">{escape(labels[i])}</text>'
        )
    return parts


def _scale(low: float, high: float) -> tuple[float, float, list[float]]:
    """Round limits around the values, and three to six round ticks between them (Heckbert, 1990)."""
    if high <= low:
        high = low + 1.0
    raw = (high - low) / 4
    size = 10 ** math.floor(math.log10(raw))
    step = next(size * m for m in (1, 2, 2.5, 5, 10) if size * m >= raw)
    first, last = math.floor(low / step), math.ceil(high / step)
    return first * step, last * step, [n * step for n in range(first, last + 1)]


def _svg(
    name: str,
    texts: tuple[str, str],
    size: tuple[float, float],
    kind: str,
    body: str,
    *,
    fixed: bool = False,
) -> Markup:
    title, description = texts
    measure = f' width="{_n(size[0])}" height="{_n(size[1])}"' if fixed else ""
    return Markup(  # noqa: S704
        f'<svg class="chart {kind}" viewBox="0 0 {_n(size[0])} {_n(size[1])}"{measure} role="img" '
        f'aria-labelledby="{escape(name)}-t {escape(name)}-d">'
        f'<title id="{escape(name)}-t">{escape(title)}</title>'
        f'<desc id="{escape(name)}-d">{escape(description)}</desc>{body}</svg>'
    )


def _n(value: float) -> str:
    return f"{value:.1f}".rstrip("0").rstrip(".")
