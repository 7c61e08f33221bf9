"""What is known of one customer: stage, segments and why, traits with evidence, opinions, next steps."""

from __future__ import annotations

from itertools import groupby
from urllib.parse import quote

from nicegui.element import Element

from shopkeeper.console import parts
from shopkeeper.console.parts import Column, box, text
from shopkeeper.console.visit import Visit
from shopkeeper.customers.types import InOne, KnownTrait, Profile


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
                    text(action.text, tag="li").tooltip(action.evidence)
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
    w = visit.w
    if not reply.predictions:
        return
    with parts.panel(w("profile.predictions")), parts.facts():
        for one in reply.predictions:
            told = f"{one.value:,.2f}"
            if one.low is not None and one.high is not None:
                told += f" ({one.low:,.2f} – {one.high:,.2f})"
            parts.fact(one.name, told)


def _opinions(visit: Visit, reply: Profile) -> None:
    w, n = visit.w, visit.n
    if not reply.opinions:
        return
    columns = [
        Column("day", w("profile.day")),
        Column("task", w("profile.task")),
        Column("label", w("profile.label")),
        Column("span", w("profile.span"), wraps=True),
    ]
    rows = [
        {
            "id": f"{one.text_id}-{number}",
            "day": n.date(one.day),
            "task": one.task,
            "label": one.label,
            "span": one.span or "–",
        }
        for number, one in enumerate(reply.opinions)
    ]
    with parts.panel(w("profile.opinions")):
        parts.table(columns, rows, label=w("profile.opinions"))


def _family(visit: Visit, traits: list[KnownTrait]) -> None:
    with parts.facts():
        for one in traits:
            parts.fact(one.called, one.shown)
    told = visit.w(
        "profile.rests_on", evidence=traits[0].evidence, day=visit.n.date(traits[0].as_of)
    )
    text(told, "lead")
