"""The headline figures, and all others below them."""

from __future__ import annotations

from shopkeeper.metrics.types import Figure
from shopkeeper.report import charts
from shopkeeper.report.desk import Desk
from shopkeeper.report.facts import HEADLINE, SPARE
from shopkeeper.report.parts import Card, Section


def headline(desk: Desk) -> Section:
    """The eight figures to look at first; one that cannot be said gives way to one that can."""
    by_name = {figure.metric: figure for figure in desk.facts.overview.figures}
    said = [name for name in (*HEADLINE, *SPARE) if name in by_name and _says(desk, by_name[name])]
    chosen = said[: len(HEADLINE)]
    return Section(
        name="figures",
        title=desk.w("figures.title"),
        lead=lead(desk),
        cards=tuple(_card(desk, by_name[name]) for name in chosen),
        empty="" if chosen else desk.w("figures.empty"),
    )


def others(desk: Desk) -> Section:
    """Every other figure."""
    shown = {card.name for card in headline(desk).cards}
    rest = [f for f in desk.facts.overview.figures if f.metric not in shown]
    return Section(
        name="all-figures",
        title=desk.w("others.title"),
        lead=desk.w("others.lead"),
        cards=tuple(_card(desk, figure, small=True) for figure in rest),
        empty="" if rest else desk.w("figures.empty"),
    )


def lead(desk: Desk) -> str:
    """Which days are compared with which."""
    overview = desk.facts.overview
    if overview.period is None:
        return ""
    if overview.before is None:
        data = desk.facts.data
        return desk.w("figures.no_before", day=desk.n.date(data.start if data else None))
    return desk.w(
        "figures.lead",
        start=desk.n.date(overview.before.start),
        end=desk.n.date(overview.before.end),
    )


def _says(desk: Desk, figure: Figure) -> bool:
    steps = desk.facts.funnel.steps
    if figure.metric == "conversion" and (not steps or not steps[0].customers):
        return False  # where only purchases are sent, nearly everybody active is a buyer
    return figure.value.kind != "cannot_say"


def _card(desk: Desk, figure: Figure, *, small: bool = False) -> Card:
    unit = desk.facts.definitions[figure.metric].unit
    rows = desk.facts.rows.get((figure.metric, None, None))
    return Card(
        name=figure.metric,
        label=desk.label(figure.metric),
        value=desk.value(figure.value, unit),
        full=desk.full(figure.value, unit),
        change=desk.change(figure, unit),
        tone=desk.tone(figure),
        interval=desk.interval(figure.value, unit),
        spark=charts.spark([] if small else _points(desk, figure.metric)),
        opening=desk.opened(figure, rows, desk.rows_command(figure.metric, desk.facts.days)),
    )


def _points(desk: Desk, metric: str) -> list[charts.Point]:
    for line in desk.facts.trend.lines:
        if line.metric == metric:
            return [
                charts.Point(
                    "", None if p.value.kind == "cannot_say" else p.value.value, "", p.partial
                )
                for p in line.points
            ]
    return []
