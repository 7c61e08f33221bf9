"""Figures over time, beside the period before."""

from __future__ import annotations

from typing import Final

from shopkeeper.metrics.types import Line, Point, Series
from shopkeeper.report import charts
from shopkeeper.report.desk import Desk
from shopkeeper.report.parts import Cell, Chart, Opening, Section, Table

_DRAWN: Final = ("net_revenue", "orders", "buyers")


def trend(desk: Desk) -> Section:
    """A chart each of revenue, orders and buyers."""
    drawn = tuple(
        chart
        for metric in _DRAWN
        if (now := _line(desk.facts.trend, metric)) and (chart := _chart(desk, now)) is not None
    )
    cycle = desk.w(f"cycle.{desk.facts.cycle}")
    return Section(
        name="trend",
        title=desk.w("trend.title"),
        lead=desk.w("trend.lead", cycle=cycle),
        charts=drawn,
        empty="" if drawn else desk.w("trend.empty"),
    )


def _line(series: Series | None, metric: str) -> Line | None:
    lines = series.lines if series else ()
    return next((line for line in lines if line.metric == metric), None)


def _chart(desk: Desk, now: Line) -> Chart | None:
    points = _points(desk, now)
    if sum(p.value is not None for p in points) < 2:
        return None
    earlier = _line(desk.facts.trend_before, now.metric)
    before = _points(desk, earlier) if earlier else []
    label = desk.label(now.metric)
    unit = desk.facts.definitions[now.metric].unit
    texts = (label, _description(desk, label, points))
    wide_frame = charts.WIDE if now.metric == _DRAWN[0] else charts.HALF
    wide, narrow = (
        charts.line(
            f"trend-{now.metric}-{size}",
            texts,
            points,
            before,
            write=lambda v: desk.n.tick(v, unit),
            frame=frame,
        )
        for size, frame in (("wide", wide_frame), ("narrow", charts.NARROW))
    )
    legend = [("now", desk.w("trend.now"))]
    if before:
        legend.append(("before", desk.w("trend.before")))
    if any(p.partial for p in points):
        cycle = desk.w(f"cycle.{desk.facts.cycle}")
        legend.append(("partial", desk.w("trend.partial", cycle=cycle)))
    return Chart(label, wide, narrow, tuple(legend), _opening(desk, now, earlier))


def _points(desk: Desk, line: Line) -> list[charts.Point]:
    unit = desk.facts.definitions[line.metric].unit
    return [
        charts.Point(
            desk.n.brief(p.start, desk.facts.cycle),
            _value(p),
            f"{_days(desk, p)}: {desk.full(p.value, unit) or '–'}",
            p.partial,
        )
        for p in line.points
    ]


def _value(point: Point) -> float | None:
    return None if point.value.kind == "cannot_say" else point.value.value


def _days(desk: Desk, point: Point) -> str:
    start, end = desk.n.date(point.start), desk.n.date(point.end)
    text = start if start == end else f"{start} – {end}"
    return f"{text} {desk.w('trend.partial_mark')}" if point.partial else text


def _description(desk: Desk, label: str, points: list[charts.Point]) -> str:
    known = [p for p in points if p.value is not None]
    most = max(known, key=lambda p: p.value or 0.0)
    least = min(known, key=lambda p: p.value or 0.0)
    return desk.w("trend.description", label=label, most=most.tip, least=least.tip)


def _opening(desk: Desk, now: Line, before: Line | None) -> Opening:
    known = desk.facts.definitions[now.metric]
    heads = [(desk.w("column.days"), False), (desk.label(now.metric), True)]
    earlier = before.points if before else ()
    if before:
        heads += [(desk.w("trend.before"), True)]
    heads.append((desk.w("column.command"), False))
    rows = []
    for i, point in enumerate(now.points):
        row = [
            Cell(_days(desk, point)),
            Cell(desk.full(point.value, known.unit) or "–", number=True),
        ]
        if before:
            text = desk.full(earlier[i].value, known.unit) if i < len(earlier) else ""
            row.append(Cell(text or "–", number=True))
        since = f"{point.start}..{point.end}"
        row.append(Cell(f"--since {since}"))
        rows.append(row)
    return Opening(
        meaning=desk.label(now.metric),
        formula=desk.formula(known),
        count=desk.w("trend.each", count=desk.n.count(len(rows))),
        table=Table(tuple(heads), rows),
        command=desk.rows_command(now.metric, desk.facts.days),
        notes=(desk.w("trend.narrower"),),
    )
