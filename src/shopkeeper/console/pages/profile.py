"""What is known of one customer: stage, segments and why, traits with evidence, opinions, next steps."""

from __future__ import annotations

from itertools import groupby
from urllib.parse import quote

from nicegui import ui
from nicegui.element import Element

from shopkeeper.console import figures, parts
from shopkeeper.console.parts import Column, box, text
from shopkeeper.console.visit import Visit
from shopkeeper.customers.types import InOne, KnownTrait, Opinion, Profile


async def panels(visit: Visit, holder: Element, customer_id: str) -> None:
    """Fill the holder with the customer's profile as of this second."""
    await visit.fill(
        holder,
        lambda: visit.run("customers.profile", customer_id=customer_id, lang=visit.lang),
        lambda reply: _profile(visit, reply),
    )


def _profile(visit: Visit, reply: Profile) -> None:
    w, n = visit.w, visit.n
    with parts.panel(w("profile.now"), lead=reply.stage_words):
        for flag in reply.flags:
            parts.badge(flag.text, "bad")
        with parts.facts():
            parts.fact(w("profile.as_of"), n.date(reply.as_of))
            parts.fact(w("profile.ids"), ", ".join(reply.ids[:3]))
        if reply.next_actions:
            text(w("profile.next"), "fact-name")
            with box("notes", "ul"):
                for action in reply.next_actions:
                    with box(tag="li"):
                        text(action.text)
                        text(w("profile.because", evidence=action.evidence), "lead small")
    with parts.panel(w("profile.segments")):
        if not reply.segments:
            text(w("profile.no_segments"), "lead")
        for one in reply.segments:
            _segment(visit, one)
    _predictions(visit, reply)
    _opinions(visit, reply)
    with parts.panel(w("profile.traits"), lead=w("profile.traits_lead")), box("stack"):
        for _, some in groupby(reply.traits, key=lambda one: one.family):
            with box():
                _family(visit, list(some))


def _segment(visit: Visit, one: InOne) -> None:
    w, n = visit.w, visit.n
    with box("form-row"):
        parts.link(one.name, f"/segments/{quote(one.id, safe='')}")
        if one.since is not None:
            text(w("profile.since", time=n.time(one.since)), "lead")
        if one.changes_on is not None:
            text(w("profile.until", day=n.date(one.changes_on)), "lead")
    with box("notes", "ul"):
        for reason in one.reasons:
            text(reason.text, tag="li")


def _predictions(visit: Visit, reply: Profile) -> None:
    w, n = visit.w, visit.n
    with parts.panel(w("profile.predictions")):
        if reply.no_predictions is not None:
            text(figures.why_not(visit, reply.no_predictions), "lead")
        for one in reply.predictions:
            with parts.facts():
                parts.fact(one.called, one.shown)
            with box("notes", "ul"):
                for reason in one.reasons:
                    text(reason.text, tag="li")
            text(w("profile.predicted", time=n.time(one.since)), "lead small")


def _opinions(visit: Visit, reply: Profile) -> None:
    w, n = visit.w, visit.n
    with parts.panel(w("profile.opinions"), lead=w("profile.opinions_lead")):
        if not reply.opinions:
            text(w("profile.no_opinions"), "lead")
            return
        columns = [
            Column("day", w("profile.day")),
            Column("task", w("profile.task")),
            Column("label", w("profile.label")),
            Column("span", w("profile.span"), opens=True, wraps=True),
        ]
        rows = [
            {
                "id": f"{number} {one.text_id}",
                "day": n.date(one.day),
                "task": w.get(f"texts.task_{one.task}", one.task),
                "label": _judged(visit, one),
                "span": one.span or one.text_id,
            }
            for number, one in enumerate(reply.opinions)
        ]

        def opened(row: str) -> None:
            text_id = row.partition(" ")[2]
            ui.navigate.to(f"/text?id={quote(text_id, safe='')}")

        parts.table(columns, rows, label=w("profile.opinions"), on_open=opened)


def _judged(visit: Visit, one: Opinion) -> str:
    """What was found, with its sign where it judges."""
    if one.task != "aspects" or one.value is None:
        return one.called
    sign = "neutral" if not one.value else "praised" if one.value > 0 else "blamed"
    return f"{one.called} {visit.w(f'texts.{sign}')}"


def _family(visit: Visit, traits: list[KnownTrait]) -> None:
    with parts.facts():
        for one in traits:
            parts.fact(one.called, one.shown)
    told = visit.w(
        "profile.rests_on", evidence=traits[0].evidence, day=visit.n.date(traits[0].as_of)
    )
    text(told, "lead")
