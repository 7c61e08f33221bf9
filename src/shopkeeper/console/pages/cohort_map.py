"""Cohorts as a map of heat: who came back and what they brought; arrow keys move, Enter opens a cell."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

from nicegui import ui
from nicegui.element import Element

from shopkeeper.console import explain, figures
from shopkeeper.console.parts import box, text
from shopkeeper.console.visit import Visit
from shopkeeper.core.types import CannotSay, Estimate
from shopkeeper.metrics.types import CohortCell, CohortRow, Cohorts, Later

_COHORTS, _LATER = 18, 12
_DARKEST: Final = 70  # per cent of the main colour
_ARROWS: Final = """(e) => {
  const move = {ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0]}[e.key];
  const at = e.target.closest('button[data-row]');
  if (!move || !at) return;
  e.preventDefault();
  const row = Number(at.dataset.row) + move[0], column = Number(at.dataset.column) + move[1];
  const to = e.currentTarget.querySelector(`button[data-row="${row}"][data-column="${column}"]`);
  if (!to) return;
  at.tabIndex = -1; to.tabIndex = 0; to.focus();
}"""
"""One cell is on the way of Tab; arrows go from cell to cell."""

_SHOWN: Final = ("share", "customers", "net_revenue", "per_customer")


async def panel(visit: Visit, holder: Element) -> None:
    """The panel with its choices: by week or month, by first purchase or activity, what cells show."""
    w = visit.w
    cycle = visit.choices.get("cohort_cycle", "month")
    start = visit.choices.get("cohort_start", "purchase")
    shown = visit.choices.get("cohort_shown", "share")

    async def other(name: str, value: str) -> None:
        visit.choices[name] = value
        await panel(visit, holder)

    async def work() -> Cohorts:
        reply: Cohorts = await visit.run("metrics.cohorts", cycle=cycle, start=start, k=_LATER)
        return reply

    def draw(reply: Cohorts) -> None:
        with box("panel-head row"):
            text(w("cohorts.title"), tag="h2")
            for name, value, options in (
                ("cohort_cycle", cycle, ("week", "month")),
                ("cohort_start", start, ("purchase", "activity")),
                ("cohort_shown", shown, _SHOWN),
            ):
                select = ui.select(
                    {one: w(f"cohorts.{one}") for one in options},
                    value=value,
                    on_change=lambda e, name=name: other(name, str(e.value)),
                ).classes("choice")
                select.props(f'borderless dense options-dense aria-label="{w(f"cohorts.{name}")}"')
        cohorts = [one for one in reply.cohorts if one.customers][-_COHORTS:]
        if reply.cannot_say is not None or not cohorts:
            text(w("retention.empty"), "lead")
            return
        text(w("cohorts.lead"), "lead")
        _map(visit, reply, cohorts, shown)
        if any(one.censored for one in cohorts):
            text(f"* {w('retention.censored')}", "lead small")

    await visit.fill(holder, work, draw)


def _map(visit: Visit, reply: Cohorts, cohorts: list[CohortRow], shown: str) -> None:
    w, n = visit.w, visit.n
    value, told = _measure(visit, shown)
    later = [value(cell) for one in cohorts for cell in one.cells if cell.later or shown[0] != "s"]
    most = max((one for one in later if one is not None), default=0.0) or 1.0
    width = max(len(one.cells) for one in cohorts)
    with box("heat-holder").props(f'role=region tabindex=0 aria-label="{w("cohorts.title")}"'):
        table = box("heat", "table").props("role=grid")
    table.on("keydown", js_handler=_ARROWS)
    with table:
        with box(tag="thead"), box(tag="tr"):
            text(w("cohorts.began"), tag="th").props("scope=col")
            text(w("cohorts.size"), tag="th").props("scope=col")
            for distance in range(width):
                text(w(f"retention.{reply.cycle}", count=distance), tag="th").props("scope=col")
        with box(tag="tbody"):
            for row, one in enumerate(cohorts):
                with box(tag="tr"):
                    label = n.brief(one.start, reply.cycle) + (" *" if one.censored else "")
                    text(label, tag="th").props("scope=row")
                    text(n.count(one.customers), tag="td")
                    for cell in one.cells:
                        with box(tag="td").props("role=gridcell"):
                            heat = max(0.0, min(1.0, (value(cell) or 0.0) / most))
                            button = text(told(cell), "heat-cell", "button")
                            button.style(
                                "background:color-mix(in srgb,var(--main) "
                                f"{heat * _DARKEST:.0f}%,transparent)"
                            )
                            button.props(
                                f"type=button data-row={row} data-column={cell.later} "
                                f"tabindex={0 if row == cell.later == 0 else -1}"
                            )
                            said = f"{label} {w(f'retention.{reply.cycle}', count=cell.later)}"
                            button.props["aria-label"] = f"{said}: {told(cell)}"
                            button.on("click", partial(_open, visit, reply, one, cell))


def _measure(
    visit: Visit, shown: str
) -> tuple[Callable[[Later], float | None], Callable[[Later], str]]:
    """What a cell is worth for its colour, and what it says."""
    n = visit.n
    if shown == "customers":
        return lambda cell: float(cell.customers), lambda cell: n.count(cell.customers)
    if shown == "net_revenue":
        return lambda cell: cell.net_revenue, lambda cell: n.short(cell.net_revenue, "money")
    unit = "share" if shown == "share" else "money"

    def known(cell: Later) -> Estimate | CannotSay:
        return cell.share if shown == "share" else cell.per_customer

    def value(cell: Later) -> float | None:
        found = known(cell)
        return found.value if isinstance(found, Estimate) else None

    def told(cell: Later) -> str:
        found = known(cell)
        return n.short(found.value, unit) if isinstance(found, Estimate) else "–"

    return value, told


async def _open(visit: Visit, reply: Cohorts, cohort: CohortRow, cell: Later) -> None:
    w, n = visit.w, visit.n
    began = n.brief(cohort.start, reply.cycle)
    badge = f"{began} {w(f'retention.{reply.cycle}', count=cell.later)}"
    notes = [w(f"cohorts.meaning_{reply.start}", cohort=began)]
    for name, unit in (("share", "share"), ("per_customer", "money")):
        found: Estimate | CannotSay = getattr(cell, name)
        if isinstance(found, Estimate):
            low, high = n.amount(found.low, unit), n.amount(found.high, unit)
            told = f"{n.amount(found.value, unit)} ({low} – {high})"
            notes.append(f"{w(f'cohorts.{name}')}: {told}")
        else:
            notes.append(figures.why_not(visit, found))
    notes.append(f"{w('cohorts.net_revenue')}: {n.money(cell.net_revenue)}")
    if cohort.censored:
        notes.append(w("retention.censored"))
    number = CohortCell(cycle=reply.cycle, start=reply.start, cohort=cohort.start, later=cell.later)
    heading = (w("cohorts.title"), badge)
    await explain.people(visit, number, heading, n.count(cell.customers), notes)
