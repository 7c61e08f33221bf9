"""What customers do over time: how often they come, cohorts, the ways they take, where they leave."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any, Final

from nicegui import PageArguments, ui
from nicegui.element import Element

from shopkeeper.console import charts, explain, figures, parts
from shopkeeper.console.pages import cohort_map, leaving, overview
from shopkeeper.console.pages.journey import event
from shopkeeper.console.parts import Column, box, text
from shopkeeper.console.visit import Visit
from shopkeeper.core.events import FUNNEL, REVIEW, SEARCH
from shopkeeper.core.period import Period
from shopkeeper.core.types import CannotSay, Estimate
from shopkeeper.metrics.types import ActiveDays, DaysActive, OnPath, Paths, Stickiness

_DEPTH, _WAYS, _EDGES = 3, 10, 30
_AROUND: Final = tuple(dict.fromkeys((*reversed(FUNNEL), SEARCH, "refund", REVIEW)))


async def page(visit: Visit, _args: PageArguments) -> None:
    """The page."""
    w = visit.w
    with box("page-top"):
        parts.title(w("menu.journeys"), w("journeys.lead"))
        periods = box("period")
    with box("stack"):
        with box("panels"):
            often, days = box("panel", "section"), box("panel", "section")
        cohorts, ways, gone = (box("panel", "section") for _ in range(3))

    async def load() -> None:
        await asyncio.gather(
            _stickiness(visit, often, days), _paths(visit, ways), leaving.panel(visit, gone)
        )

    with periods:
        overview.picker(visit, load)
    await asyncio.gather(load(), cohort_map.panel(visit, cohorts))


async def _stickiness(visit: Visit, often: Element, days: Element) -> None:
    since = visit.since

    def draw(reply: Stickiness) -> None:
        _course(visit, reply)
        days.clear()
        with days:
            _days(visit, since, reply)

    await visit.fill(often, lambda: visit.run("metrics.stickiness", since=since), draw)


def _course(visit: Visit, reply: Stickiness) -> None:
    w, n = visit.w, visit.n
    with box("panel-head"):
        text(w("journeys.stickiness"), tag="h2")
        text(w("journeys.stickiness_lead"), "lead")
    if reply.cannot_say is not None:
        text(figures.why_not(visit, reply.cannot_say), "lead")
        return
    with parts.facts():
        for name, quotient in (("dau_wau", reply.dau_wau), ("dau_mau", reply.dau_mau)):
            parts.fact(w(f"journeys.{name}"), share_of(visit, quotient))
    known = [(one.day, one.daily / one.monthly) for one in reply.days if one.monthly]
    if len(known) > 1:
        names = [n.brief(day, "day") for day, _ in known]
        shares = [share for _, share in known]
        charts.course(visit, names, shares, "share", w("journeys.dau_mau"))
    for quotient in (reply.dau_wau, reply.dau_mau):
        if isinstance(quotient, CannotSay):
            text(figures.why_not(visit, quotient), "lead small")


def _days(visit: Visit, since: str, reply: Stickiness) -> None:
    w, n = visit.w, visit.n
    with box("panel-head"):
        text(w("journeys.days"), tag="h2")
        if reply.week is not None:
            text(w("journeys.days_lead", week=figures.span(visit, reply.week)), "lead")
    most = max((one.customers for one in reply.active_days), default=0)
    if not most:
        text(w("journeys.no_days"), "lead")
        return
    with box("steps", "ol"):
        for one in reply.active_days:
            with box("step", "li"), box("step-open", "button").props("type=button") as line:
                text(w("journeys.day_count", days=n.count(one.days)), "step-name link", "span")
                with box("meter", "span"):
                    box("meter-fill", "span").style(f"width:{one.customers / most * 100:.1f}%")
                text(n.count(one.customers), "step-count", "span")
            line.on("click", partial(_open_days, visit, since, one))


async def _open_days(visit: Visit, since: str, one: DaysActive) -> None:
    w, n = visit.w, visit.n
    heading = (w("journeys.days"), w("journeys.day_count", days=n.count(one.days)))
    notes = [w("journeys.days_meaning", share=share_of(visit, one.share))]
    number = ActiveDays(since=Period(since), days=one.days)
    await explain.people(visit, number, heading, n.count(one.customers), notes)


def share_of(visit: Visit, share: Estimate | CannotSay) -> str:
    """A share with its interval, or a dash."""
    if isinstance(share, CannotSay):
        return "–"
    low, high = visit.n.share(share.low), visit.n.share(share.high)
    return f"{visit.n.share(share.value)} ({low} – {high})"


async def _paths(visit: Visit, holder: Element) -> None:
    w, since = visit.w, visit.since
    around = visit.choices.get("around", FUNNEL[-1])
    direction = visit.choices.get("direction", "before")

    async def work() -> Paths:
        reply: Paths = await visit.run(
            "metrics.paths",
            around=around,
            direction=direction,
            since=since,
            depth=_DEPTH,
            k=_WAYS,
        )
        return reply

    async def other(name: str, value: str) -> None:
        visit.choices[name] = value
        await _paths(visit, holder)

    def draw(reply: Paths) -> None:
        with box("panel-head row"):
            text(w("paths.title"), tag="h2")
            names = {name: event(visit, name) for name in _AROUND}
            ui.select(names, value=around, on_change=lambda e: other("around", str(e.value))).props(
                f'borderless dense options-dense aria-label="{w("paths.around")}"'
            )
            ui.toggle(
                {one: w(f"paths.{one}") for one in ("before", "after")},
                value=direction,
                on_change=lambda e: other("direction", str(e.value)),
            ).props("no-caps unelevated dense")
        if reply.cannot_say is not None or not reply.sessions:
            text(figures.why_not(visit, reply.cannot_say) if reply.cannot_say else "", "lead")
            return
        counts = {
            "sessions": visit.n.count(reply.sessions),
            "customers": visit.n.count(reply.customers),
            "robots": visit.n.count(reply.robots),
        }
        text(w("paths.lead", **counts), "lead")
        _sankey(visit, since, reply)
        _ways(visit, since, reply)

    await visit.fill(holder, work, draw)


def _named(visit: Visit, name: str) -> str:
    special = {"(entry)": "paths.entry", "(exit)": "paths.exit", "(other)": "paths.other"}
    return visit.w(special[name]) if name in special else event(visit, name)


def _sankey(visit: Visit, since: str, reply: Paths) -> None:
    edges = sorted(reply.edges, key=lambda edge: -edge.sessions)[:_EDGES]
    links = [
        (
            f"{edge.at} {_named(visit, edge.source)}",
            f"{edge.at + 1} {_named(visit, edge.target)}",
            edge.sessions,
        )
        for edge in edges
    ]
    chart = charts.sankey(links, visit.w("paths.title"))

    async def clicked(place: int | None) -> None:
        if place is not None and place < len(edges):
            edge = edges[place]
            await _open(visit, since, reply, (edge.at, (edge.source, edge.target), edge.sessions))

    chart.on_point_click(lambda e: clicked(e.data_index if e.data_type == "edge" else None))


def _ways(visit: Visit, since: str, reply: Paths) -> None:
    w, n = visit.w, visit.n
    columns = [
        Column("steps", w("paths.way"), opens=True, wraps=True),
        Column("sessions", w("paths.visits"), number=True),
        Column("share", w("paths.share"), number=True),
        Column("customers", w("paths.customers"), number=True),
    ]
    rows: list[dict[str, Any]] = [
        {
            "id": str(place),
            "steps": " → ".join(_named(visit, name) for name in way.steps),
            "sessions": n.count(way.sessions),
            "share": share_of(visit, way.share),
            "customers": n.count(way.customers),
        }
        for place, way in enumerate(reply.ways)
    ]

    async def opened(place: str) -> None:
        way = reply.ways[int(place)]
        at = -len(way.steps) if reply.direction == "before" else 1
        await _open(visit, since, reply, (at, way.steps, way.sessions))

    parts.table(columns, rows, label=w("paths.title"), on_open=opened)
    with ui.expansion(w("paths.edges")).classes("segment").props("dense"), box("names"):
        for edge in reply.edges[:_EDGES]:
            label = f"{_named(visit, edge.source)} → {_named(visit, edge.target)}"
            line = f"{label} · {n.count(edge.sessions)}"
            link = text(line, "link small", "button").props("type=button")
            given = (edge.at, (edge.source, edge.target), edge.sessions)
            link.on("click", partial(_open, visit, since, reply, given))


async def _open(
    visit: Visit, since: str, reply: Paths, way: tuple[int, tuple[str, ...], int]
) -> None:
    at, steps, sessions = way
    number = OnPath(
        since=Period(since),
        around=reply.around,
        direction=reply.direction,
        depth=reply.depth,
        at=at,
        steps=steps,
    )
    heading = (visit.w("paths.title"), " → ".join(_named(visit, name) for name in steps))
    value = visit.w("paths.in_visits", count=visit.n.count(sessions))
    await explain.people(visit, number, heading, value, [visit.w("paths.meaning")])
