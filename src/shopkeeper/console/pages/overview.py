"""The morning's page: headline figures, what changed, how they ran, and what they are made of."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from nicegui import PageArguments, ui
from nicegui.element import Element
from nicegui.events import ValueChangeEventArguments

from shopkeeper.console import charts, explain, figures, forecast, parts
from shopkeeper.console.pages import journey
from shopkeeper.console.parts import box, text
from shopkeeper.console.pulse import Beat
from shopkeeper.console.visit import Visit
from shopkeeper.core.errors import BadInput
from shopkeeper.core.period import Period
from shopkeeper.core.types import CannotSay
from shopkeeper.metrics.types import Breakdown, Definition, Figure, Group, Overview, Series
from shopkeeper.report.facts import DIMENSIONS, HEADLINE, SPARE

Ask = Callable[..., Awaitable[Any]]
Change = Callable[[ValueChangeEventArguments[Any]], Awaitable[None]]

_CHOICES: Final = frozenset((*HEADLINE, *SPARE, "revenue", "refunds", "units"))
_REFRESH_SECONDS: Final = 20.0  # events may stream in: figures need not run after each of them
_PERIODS: Final = ("7d", "30d", "90d", "180d", "1y", "all")


async def page(visit: Visit, _args: PageArguments) -> None:
    """The page."""
    w = visit.w
    with box("page-top"):
        parts.title(w("menu.overview"))
        periods = box("period")
    cards, changed = box("cards"), box("changed-holder")
    with box("panels"):
        trend, groups = box("panel", "section"), box("panel", "section")
        cohorts, steps = box("panel", "section"), box("panel", "section")
    holders = _Holders(cards, changed, trend, groups, steps, cohorts)
    for holder in (cards, trend, groups, steps, cohorts):
        with holder:
            parts.waiting(w("page.loading"))

    async def load() -> None:
        await _load(visit, holders)

    with periods:
        picker(visit, load)
    seen = visit.pulse.last.stamp if visit.pulse.last else None

    def moved(beat: Beat) -> None:
        nonlocal seen
        if beat.stamp != (seen or beat.stamp):
            visit.later(_load(visit, holders, quiet=True))
        seen = beat.stamp

    visit.live(cards, moved, every=_REFRESH_SECONDS)
    await load()


@dataclass(frozen=True)
class _Holders:
    """Where the parts of the page go, so that each appears when it is ready."""

    cards: Element
    changed: Element
    trend: Element
    groups: Element
    steps: Element
    cohorts: Element


async def _load(visit: Visit, at: _Holders, *, quiet: bool = False) -> None:
    known = await visit.attempt(visit.definitions())
    if known is None:
        return

    name, arguments = forecast.overview(visit.since)

    def drawn(reply: Overview) -> None:
        _cards(visit, known, reply)
        at.changed.clear()
        with at.changed:
            _changed(visit, known, reply)

    if not quiet:
        at.changed.clear()
    await asyncio.gather(
        visit.fill(
            at.cards,
            lambda: visit.run(name, **arguments),
            drawn,
            quiet=quiet,
            recall=lambda: visit.recall(name, **arguments),
        ),
        _trend(visit, at.trend, known, quiet=quiet),
        _groups(visit, at.groups, known, quiet=quiet),
        journey.funnel(visit, at.steps, quiet=quiet),
        journey.retention(visit, at.cohorts, known, quiet=quiet),
    )


def picker(visit: Visit, load: Callable[[], Awaitable[None]]) -> None:
    """Where the period is chosen."""
    w = visit.w
    options = {p: w(f"period.{p}") for p in _PERIODS}
    if visit.since not in options:
        options[visit.since] = visit.since
    options["other"] = w("period.other")

    async def chosen(event: ValueChangeEventArguments[Any]) -> None:
        if event.value == "other":
            own.set_visibility(True)
            own.run_method("focus")
            return
        own.set_visibility(False)
        visit.since = str(event.value)
        await load()

    async def typed() -> None:
        try:
            visit.since = Period(str(own.value or ""))
        except BadInput:
            own.props(f'error error-message="{w("period.wrong")}"')
            return
        own.props(remove="error error-message")
        await load()

    select = ui.select(options, value=visit.since, on_change=chosen).props(
        "outlined dense options-dense"
    )
    select.props(f'aria-label="{w("period.label")}"').classes("period-select")
    own = ui.input(placeholder="2025-01-01..2025-03-31").on("keydown.enter", typed)
    own.props(f'outlined dense aria-label="{w("period.own")}" hint="{w("period.hint")}"').classes(
        "period-own"
    )
    own.set_visibility(False)


def _cards(visit: Visit, known: Mapping[str, Definition], reply: Overview) -> None:
    if reply.cannot_say is not None:
        parts.empty(visit.w("overview.empty"), visit.w("overview.empty_advice"), "storefront")
        if visit.may_write("collect"):
            parts.link(visit.w("overview.bring"), "/data")
        return
    by_name = {f.metric: f for f in reply.figures}
    told = [n for n in HEADLINE if n in by_name and not isinstance(by_name[n].value, CannotSay)]
    spare = [n for n in SPARE if n in by_name and not isinstance(by_name[n].value, CannotSay)]
    for name in [*told, *spare][: len(HEADLINE)]:
        _card(visit, known[name], by_name[name])


def _card(visit: Visit, known: Definition, figure: Figure) -> None:
    label = figures.label(visit, known)
    with box("card", "button").props("type=button") as card:
        text(label, "card-label", "span")
        text(figures.value(visit, figure.value, known.unit), "card-value", "span")
        with box("card-below", "span"):
            if change := figures.change(visit, figure, known.unit):
                parts.badge(figures.arrow(figure) + change, figures.tone(figure, known))
            if interval := figures.interval(visit, figure.value, known.unit):
                text(interval, "interval", "span")
    card.on("click", lambda: explain.open_(visit, known, figure))


def _changed(visit: Visit, known: Mapping[str, Definition], reply: Overview) -> None:
    w = visit.w
    if reply.cannot_say is not None:
        return
    lead = w(
        "overview.compared",
        now=figures.span(visit, reply.period),
        before=figures.span(visit, reply.before),
    )
    with parts.panel(w("overview.changed"), lead=lead):
        if not reply.moved:
            no_before = all(isinstance(f.before, CannotSay) for f in reply.figures)
            text(w("overview.no_before" if no_before else "overview.steady"), "lead")
        by_name = {f.metric: f for f in reply.figures}
        with box("changes", "ul"):
            for name in reply.moved[:8]:
                _moved(visit, known[name], by_name[name])


def _moved(visit: Visit, known: Definition, figure: Figure) -> None:
    with box(f"change-line {figures.tone(figure, known)}", "li"):
        line = text(figures.label(visit, known), "link", "button").props("type=button")
        line.on("click", lambda: explain.open_(visit, known, figure))
        parts.badge(
            figures.arrow(figure) + figures.change(visit, figure, known.unit),
            figures.tone(figure, known),
        )
        now = figures.value(visit, figure.value, known.unit)
        before = figures.value(visit, figure.before, known.unit)
        text(visit.w("overview.from_to", before=before, now=now), "lead")


async def _trend(
    visit: Visit, holder: Element, known: Mapping[str, Definition], *, quiet: bool = False
) -> None:
    metric = visit.choices.get("trend", "net_revenue")

    since = visit.since

    async def asked(ask: Ask) -> tuple[Series | None, Series | None]:
        now, before = forecast.trend(since, metric, await visit.days())
        series: Series | None = await ask(now[0], **now[1])
        if before is None or series is None:
            return series, None
        return series, await ask(before[0], **before[1])

    async def work() -> tuple[Series, Series | None]:
        series, before = await asked(visit.run)
        assert series is not None  # noqa: S101 - `run` raises rather than give none
        return series, before

    async def recall() -> tuple[Series, Series | None] | None:
        series, before = await asked(visit.recall)
        whole = series is not None and (before is not None or since == "all")
        return (series, before) if whole and series is not None else None

    async def other(event: ValueChangeEventArguments[Any]) -> None:
        visit.choices["trend"] = str(event.value)
        await _trend(visit, holder, known)

    def draw(reply: tuple[Series, Series | None]) -> None:
        series, before = reply
        with box("panel-head row"):
            text(visit.w("overview.trend"), tag="h2")
            _choice(_names(visit, known), metric, visit.w("overview.metric"), other)
        if not charts.ready(series):
            text(visit.w("trend.empty"), "lead")
            return
        label = figures.label(visit, known[metric])
        charts.lines(visit, series, before, known[metric].unit, label)

    await visit.fill(holder, work, draw, quiet=quiet, recall=recall)


async def _groups(
    visit: Visit, holder: Element, known: Mapping[str, Definition], *, quiet: bool = False
) -> None:
    metric = visit.choices.get("groups", "net_revenue")
    by = visit.choices.get("by", DIMENSIONS[0])

    name, arguments = forecast.groups(visit.since, metric, by)

    async def named(reply: Breakdown) -> tuple[Breakdown, dict[str, str]]:
        ids = [g.group for g in reply.groups if g.group] if by == "item_id" else []
        return reply, await visit.titles(ids)

    async def work() -> tuple[Breakdown, dict[str, str]]:
        return await named(await visit.run(name, **arguments))

    async def recall() -> tuple[Breakdown, dict[str, str]] | None:
        reply: Breakdown | None = await visit.recall(name, **arguments)
        return None if reply is None else await named(reply)

    async def other_metric(event: ValueChangeEventArguments[Any]) -> None:
        visit.choices["groups"] = str(event.value)
        await _groups(visit, holder, known)

    async def other_dimension(event: ValueChangeEventArguments[Any]) -> None:
        visit.choices["by"] = str(event.value)
        await _groups(visit, holder, known)

    def draw(given: tuple[Breakdown, dict[str, str]]) -> None:
        reply, titles = given
        by_item = {n: label for n, label in _names(visit, known).items() if known[n].by_item}
        dimensions = {d: visit.w.get(f"dimension.{d}", d) for d in DIMENSIONS}
        with box("panel-head row"):
            text(visit.w("overview.groups"), tag="h2")
            _choice(by_item, metric, visit.w("overview.metric"), other_metric)
            _choice(dimensions, by, visit.w("overview.by"), other_dimension)
        groups = [g for g in reply.groups if not g.rest]
        if reply.cannot_say is not None or not groups:
            text(visit.w("overview.no_groups"), "lead")
            return
        shown = tuple(
            g.model_copy(update={"group": titles.get(g.group or "", g.group)}) for g in reply.groups
        )
        label = f"{figures.label(visit, known[metric])} · {dimensions[by]}"
        unit = known[metric].unit
        chart = charts.bars(visit, reply.model_copy(update={"groups": shown}), unit, label)

        async def opened(group: Group) -> None:
            title = titles.get(group.group or "", "")
            await explain.open_(
                visit, known[metric], group.figure, by=by, group=group.group, title=title
            )

        ordered = groups[::-1]
        chart.on_point_click(lambda event: opened(ordered[event.data_index]))
        with box("names"):
            text(visit.w("overview.click_bar"), "lead small")
            for group in groups:
                label = titles.get(group.group or "", group.group) or visit.w(
                    "overview.unknown_group"
                )
                link = text(label, "link small", "button").props("type=button")
                link.on("click", partial(opened, group))

    await visit.fill(holder, work, draw, quiet=quiet, recall=recall)


def _choice(options: dict[str, str], value: str, label: str, on_change: Change) -> None:
    select = ui.select(options, value=value, on_change=on_change)
    select.props(f'borderless dense options-dense aria-label="{label}"').classes("choice")


def _names(visit: Visit, known: Mapping[str, Definition]) -> dict[str, str]:
    return {name: figures.label(visit, d) for name, d in known.items() if name in _CHOICES}
