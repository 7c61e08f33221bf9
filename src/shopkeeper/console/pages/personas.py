"""Groups of customers by what they do and say: their names, what sets them apart, and their words."""

from __future__ import annotations

import math
from typing import Any
from urllib.parse import quote

from nicegui import PageArguments, ui
from nicegui.events import ValueChangeEventArguments

from shopkeeper.console import figures, parts
from shopkeeper.console.pages import said
from shopkeeper.console.parts import Column, box, text
from shopkeeper.console.visit import Visit
from shopkeeper.insight.types import Persona, Personas

_HOUSE = "house"
_WHOLE = "all"
_PERIODS = ("90d", "180d", "1y", _WHOLE)


async def page(visit: Visit, _args: PageArguments) -> None:
    """The page; who may change something can have a model name the personas, where the shop has one."""
    w = visit.w
    with box("page-top"):
        parts.title(w("menu.personas"), w("personas.lead"))
        bar = box("period")
    holder = box("stack")
    since = _WHOLE  # the more days, the clearer who is like whom: not the period of the other pages

    async def load(operation: str = "insight.personas") -> None:
        await visit.fill(
            holder,
            lambda: visit.run(operation, since=since),
            lambda r: _drawn(visit, r, name),
        )

    async def chosen(event: ValueChangeEventArguments[Any]) -> None:
        nonlocal since
        since = str(event.value)
        await load()

    async def name() -> None:
        await load("insight.name_personas")

    with bar:
        periods = {p: w(f"period.{p}") for p in _PERIODS}
        select = ui.select(periods, value=since, on_change=chosen).classes("period-select")
        select.props(f'outlined dense options-dense aria-label="{w("period.label")}"')
    await load()


def _drawn(visit: Visit, reply: Personas, name: Any) -> None:
    w, n = visit.w, visit.n
    if reply.cannot_say is not None:
        parts.empty(w("personas.none"), figures.why_not(visit, reply.cannot_say), "groups_2")
        if reply.separation is not None and reply.by_chance is not None:
            text(_separation(visit, reply), "lead")
        return
    text(w("personas.of", customers=n.count(reply.customers)), "lead")
    with box("panels"):
        for one in reply.personas:
            _persona(visit, one)
    text(_separation(visit, reply), "lead small")
    if visit.settings.model != _HOUSE and visit.may("insight.name_personas"):
        parts.plain_button(w("personas.name"), name, icon="auto_awesome")


def _separation(visit: Visit, reply: Personas) -> str:
    return visit.w(
        "personas.separation",
        now=f"{reply.separation or 0:.2f}",
        chance=f"{reply.by_chance or 0:.2f}",
    )


def _persona(visit: Visit, one: Persona) -> None:
    w, n = visit.w, visit.n
    lead = w("personas.size", customers=n.count(one.customers), share=n.share(one.share))
    with parts.panel(one.names[visit.lang], lead=lead):
        if one.named_by != "traits":
            parts.badge(w("personas.by_model", model=one.named_by))
        columns = [
            Column("feature", w("personas.feature"), wraps=True),
            Column("mean", w("personas.mean"), number=True),
            Column("all", w("personas.of_all"), number=True),
            Column("apart", w("personas.apart"), number=True),
        ]
        rows = [
            {
                "id": trait.feature,
                "feature": trait.names[visit.lang],
                "mean": _value(visit, trait.feature, trait.mean),
                "all": _value(visit, trait.feature, trait.of_all),
                "apart": f"{trait.distance:+.1f}",
            }
            for trait in one.traits
        ]
        parts.table(columns, rows, label=one.names[visit.lang])
        with box("names"):
            text(w("personas.examples"), "lead small")
            for customer in one.examples:
                parts.link(customer, f"/customer?id={quote(customer, safe='')}", "small")
        said.quotes(visit, one.quotes)


def _value(visit: Visit, feature: str, value: float) -> str:
    """Shares as such; the rest as the plain numbers behind their logarithms."""
    if feature == "spend (log)":
        return visit.n.money(round(math.expm1(value), 2))
    if feature.endswith("(log)"):
        return visit.n.decimal_or_count(round(math.expm1(value), 1))
    if feature.startswith(("category ", "speaks of ")):
        return visit.n.share(value)
    return visit.n.decimal_or_count(round(value, 1))
