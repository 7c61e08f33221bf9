"""Where customers leave the way to a purchase, and what those who left wrote and met."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from itertools import pairwise
from typing import Final
from urllib.parse import quote

from nicegui import ui
from nicegui.element import Element

from shopkeeper.console import explain, figures, parts
from shopkeeper.console.pages.journey import event
from shopkeeper.console.parts import box, text
from shopkeeper.console.visit import Visit
from shopkeeper.core.events import FUNNEL
from shopkeeper.core.period import Period
from shopkeeper.core.types import CannotSay, Estimate
from shopkeeper.metrics.types import AtStep, DropOff, DropReason, Went
from shopkeeper.tasks.house.written import labels

_AFTER: Final = (7, 14, 30, 60)


async def panel(visit: Visit, holder: Element) -> None:
    """The panel with its choices: which step, and how many days after it."""
    w, since = visit.w, visit.since
    step = int(visit.choices.get("left_step", "0"))
    days = int(visit.choices.get("left_days", "14"))

    async def other(name: str, value: object) -> None:
        visit.choices[name] = str(value)
        await panel(visit, holder)

    async def work() -> tuple[DropOff, dict[str, str]]:
        reply: DropOff = await visit.run("metrics.drop_off", step=step, since=since, days=days)
        themes = [one.name for one in reply.reasons if one.kind == "theme"]
        return reply, await _themes(visit, since) if themes else {}

    def draw(given: tuple[DropOff, dict[str, str]]) -> None:
        reply, themes = given
        with box("panel-head row"):
            text(w("leaving.title"), tag="h2")
            steps = {
                n: w("leaving.step", here=event(visit, here), there=event(visit, there))
                for n, (here, there) in enumerate(pairwise(FUNNEL))
            }
            ui.select(steps, value=step, on_change=lambda e: other("left_step", e.value)).props(
                f'borderless dense options-dense aria-label="{w("leaving.which")}"'
            )
            ui.select(
                {n: w("leaving.days", days=n) for n in _AFTER},
                value=days,
                on_change=lambda e: other("left_days", e.value),
            ).props(f'borderless dense options-dense aria-label="{w("leaving.after")}"')
        _drawn(visit, since, reply, themes)

    await visit.fill(holder, work, draw)


async def _themes(visit: Visit, since: str) -> dict[str, str]:
    """The themes' names in the reader's language."""
    reply = await visit.run("insight.themes", since=since, lang=visit.lang, k=100)
    return {one.theme_id: one.name for one in reply.themes}


def _drawn(visit: Visit, since: str, reply: DropOff, themes: Mapping[str, str]) -> None:
    w, n = visit.w, visit.n
    if reply.period is None:
        text(figures.why_not(visit, reply.cannot_say) if reply.cannot_say else "", "lead")
        return
    with parts.facts():
        sides: tuple[tuple[Went, int], ...] = (("left", reply.left), ("on", reply.went_on))
        for went, count in sides:
            with box("fact"):
                text(w(f"leaving.{went}"), "fact-name", "dt")
                link = text(n.count(count), "fact-value link", "button").props("type=button")
                link.on("click", partial(_open, visit, since, reply, went, count))
        parts.fact(w("leaving.wrote"), n.count(reply.left_wrote))
        if reply.unsettled:
            parts.fact(w("leaving.unsettled"), n.count(reply.unsettled))
    if reply.cannot_say is not None:
        text(w("leaving.few", count=n.count(min(reply.left, reply.left_wrote))), "lead")
    if reply.unread:
        text(w("leaving.unread", count=n.count(reply.unread)), "lead small")
    for one in reply.reasons:
        _reason(visit, one, themes)


def _reason(visit: Visit, one: DropReason, themes: Mapping[str, str]) -> None:
    w, n = visit.w, visit.n
    with box("reason"):
        with box("form-row"):
            text(_called(visit, one, themes), "segment-name")
            parts.badge(w(f"leaving.kind_{one.kind}"))
            if one.beyond_chance and isinstance(one.difference, Estimate):
                more = one.difference.low > 0
                parts.badge(
                    w("leaving.more" if more else "leaving.less"), "bad" if more else "flat"
                )
        told = {"left": _share(visit, one.left), "on": _share(visit, one.went_on)}
        key = "leaving.of_wrote" if one.of == "wrote" else "leaving.of_all"
        text(w(key, count=n.count(one.customers), **told), "lead")
        for words in one.quotes:
            with box("quote"):
                target = f"/text?id={quote(words.text_id, safe='')}"
                parts.link(f"“{words.words}”", target)
                text(n.date(words.day), "lead small", "span")


def _called(visit: Visit, one: DropReason, themes: Mapping[str, str]) -> str:
    w = visit.w
    if one.kind == "theme":
        return themes.get(one.name, one.name)
    if one.kind == "aspect":
        aspect = labels("aspects").get(one.name, {}).get(visit.lang, one.name)
        return w("leaving.complaint", aspect=aspect)
    return w.get(f"leaving.{one.kind}_{one.name}", one.name)


def _share(visit: Visit, share: Estimate | CannotSay) -> str:
    if isinstance(share, CannotSay):
        return "–"
    low, high = visit.n.share(share.low), visit.n.share(share.high)
    return f"{visit.n.share(share.value)} ({low} – {high})"


async def _open(visit: Visit, since: str, reply: DropOff, went: Went, count: int) -> None:
    number = AtStep(since=Period(since), steps=reply.steps, step=reply.step, went=went)
    heading = (visit.w(f"leaving.{went}"), event(visit, reply.steps[reply.step]))
    note = visit.w("leaving.opened") if reply.unsettled else ""
    notes = [note] if note else []
    await explain.people(visit, number, heading, visit.n.count(count), notes)
