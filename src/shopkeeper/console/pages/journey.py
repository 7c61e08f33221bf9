"""How customers get to a purchase and whether they come back, with those behind each figure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from functools import partial
from typing import Any, Final

import narwhals as nw
from nicegui.element import Element

from shopkeeper.console import explain, figures, forecast, parts
from shopkeeper.console.parts import Column, box, text
from shopkeeper.console.visit import Visit
from shopkeeper.core.period import Period
from shopkeeper.core.types import CannotSay, Estimate
from shopkeeper.metrics.types import (
    AtStep,
    Cohort,
    CohortCell,
    Cycle,
    Definition,
    Funnel,
    Retention,
    Rows,
    Step,
)
from shopkeeper.warehouse.source import Frame, Source

_COLUMNS: Final = ("event_id", "time", "customer_id", "item_id", "value")
_COHORTS, _LATER = 10, 6
_DARKEST: Final = 70  # per cent of the main colour


async def funnel(visit: Visit, holder: Element, *, quiet: bool = False) -> None:
    """The steps to a purchase; each opens to its events."""
    w, since = visit.w, visit.since
    name, arguments = forecast.funnel(since)

    def draw(reply: Funnel) -> None:
        with box("panel-head"):
            text(w("funnel.title"), tag="h2")
            text(w("funnel.lead"), "lead")
        if len(reply.steps) < 2 or not reply.steps[0].customers:
            lacking = [event(visit, step.name) for step in reply.steps if not step.events]
            said = w("funnel.lacking", steps=w("list.comma").join(lacking))
            text(said if lacking else w("funnel.empty"), "lead")
            return
        with box("steps", "ol"):
            for number, step in enumerate(reply.steps):
                _step(visit, since, reply, number, step)

    await visit.fill(
        holder,
        lambda: visit.run(name, **arguments),
        draw,
        quiet=quiet,
        recall=lambda: visit.recall(name, **arguments),
    )


def _step(visit: Visit, since: str, reply: Funnel, number: int, step: Step) -> None:
    w, n = visit.w, visit.n
    share = step.customers / reply.steps[0].customers
    with box("step", "li"), box("step-open", "button").props("type=button") as line:
        text(event(visit, step.name), "step-name link", "span")
        with box("meter", "span"):
            box("meter-fill", "span").style(f"width:{min(1.0, share) * 100:.1f}%")
        text(n.count(step.customers), "step-count", "span")
        went_on = step.of_previous
        if number and isinstance(went_on, Estimate):
            text(w("funnel.went_on", share=n.share(went_on.value)), "lead step-on", "span")
    line.on("click", partial(_open_step, visit, since, reply, step))


async def _open_step(visit: Visit, since: str, reply: Funnel, step: Step) -> None:
    label = event(visit, step.name)

    async def paged(page: int) -> Rows:
        days = await visit.calls.days(visit.session, Period(since))
        if days is None:
            return _listed(step, [], page)

        def build(source: Source) -> Frame:
            rows = source.events(days).filter(nw.col("name") == step.name)
            ordered = rows.sort("time", "event_id").select(*_COLUMNS)
            return ordered.head(page * explain.SIZE)

        rows = await visit.rows("metrics.rows", build)
        return _listed(step, rows[(page - 1) * explain.SIZE :], page)

    value = visit.n.count(step.customers)
    steps = tuple(one.name for one in reply.steps)
    number = AtStep(since=Period(since), steps=steps, step=steps.index(step.name))
    await explain.sheet(
        visit, (label, ""), value, _about(visit, step, label), paged, segment=(number, "")
    )


def _about(visit: Visit, step: Step, label: str) -> Iterable[str]:
    w, n = visit.w, visit.n
    yield w("funnel.meaning", step=label)
    yield w("funnel.formula")
    if isinstance(step.of_previous, Estimate):
        shares = {k: n.share(getattr(step.of_previous, k)) for k in ("low", "high")}
        level = n.share(step.of_previous.level, 0)
        yield w("figure.estimate", level=level, n=n.count(step.of_previous.n), **shares)
    if step.without_customer:
        yield w("funnel.without_customer", count=n.count(step.without_customer))


def _listed(step: Step, rows: list[dict[str, Any]], page: int) -> Rows:
    """A page of a step's events in the shape of every listing."""
    return Rows(
        metric=step.name,
        period=None,
        behind="events",
        columns=_COLUMNS,
        rows=tuple(tuple(row[c] for c in _COLUMNS) for row in rows),
        total=min(step.events, 100_000),
        sums={},
        page=page,
        size=explain.SIZE,
    )


async def retention(
    visit: Visit, holder: Element, known: Mapping[str, Definition], *, quiet: bool = False
) -> None:
    """Who comes back, by when they first bought; each group opens to its customers."""
    w = visit.w
    span = await visit.attempt(visit.calls.days(visit.session, Period("all")))
    name, arguments = forecast.retention(span)

    def draw(reply: Retention) -> None:
        cycle = w(f"cycle.{reply.cycle}")
        with box("panel-head"):
            text(w("retention.title"), tag="h2")
            text(w("retention.lead", cycle=cycle), "lead")
        cohorts = [c for c in reply.cohorts if len(c.shares) > 1][-_COHORTS:]
        if reply.cannot_say is not None or len(cohorts) < 2:
            text(w("retention.empty"), "lead")
            return
        _heat(visit, reply.cycle, cohorts, known["new_buyers"])

    await visit.fill(
        holder,
        lambda: visit.run(name, **arguments),
        draw,
        quiet=quiet,
        recall=lambda: visit.recall(name, **arguments),
    )


def _heat(visit: Visit, cycle: Cycle, cohorts: list[Cohort], known: Definition) -> None:
    w, n = visit.w, visit.n
    distances = range(1, min(_LATER + 1, max(len(c.shares) for c in cohorts)))
    said = [s.value for c in cohorts for s in c.shares[1:] if isinstance(s, Estimate)]
    most = max(said, default=0.0) or 1.0
    columns = [
        Column("cohort", w("retention.cohort"), opens=True),
        Column("customers", w("retention.start"), number=True),
    ] + [
        Column(f"d{i}", w(f"retention.{cycle}", count=i), number=True, heat=True) for i in distances
    ]
    rows = []
    for place, cohort in enumerate(cohorts):
        row: dict[str, Any] = {
            "id": str(place),
            "cohort": n.brief(cohort.start, cycle) + (" *" if cohort.censored else ""),
            "customers": n.count(cohort.customers),
        }
        for i in distances:
            share = cohort.shares[i] if i < len(cohort.shares) else None
            row[f"d{i}"] = n.share(share.value) if isinstance(share, Estimate) else ""
            if isinstance(share, Estimate):
                row[f"d{i}-heat"] = round(share.value / most * _DARKEST)
        rows.append(row)

    async def opened(place: str) -> None:
        await _open_cohort(visit, cycle, cohorts[int(place)], known)

    parts.table(columns, rows, label=w("retention.title"), on_open=opened)
    if any(cohort.censored for cohort in cohorts):
        text(f"* {w('retention.censored')}", "lead small")


async def _open_cohort(visit: Visit, cycle: Cycle, cohort: Cohort, known: Definition) -> None:
    w = visit.w
    since = f"{cohort.start}..{_last_day(cohort.start, cycle)}"

    async def paged(page: int) -> Rows:
        reply: Rows = await visit.run(
            "metrics.rows", metric=known.name, since=since, page=page, size=explain.SIZE
        )
        return reply

    label = visit.n.brief(cohort.start, cycle)
    notes = [w("retention.cohort_meaning", cohort=label), w("retention.formula")]
    if cohort.censored:
        notes.append(w("retention.censored"))
    notes += [figures.why_not(visit, s) for s in cohort.shares[:1] if isinstance(s, CannotSay)]
    heading = (figures.label(visit, known), label)
    number = CohortCell(cycle=cycle, start="purchase", cohort=cohort.start)
    count = visit.n.count(cohort.customers)
    await explain.sheet(visit, heading, count, notes, paged, segment=(number, ""))


def _last_day(start: date, cycle: Cycle) -> date:
    if cycle == "month":
        following = date(start.year + start.month // 12, start.month % 12 + 1, 1)
        return following - timedelta(days=1)
    return start + timedelta(days=6)


def event(visit: Visit, name: str) -> str:
    """An event's name in words."""
    return visit.w.get(f"event.{name}", name)
