"""What a customer may ask a shop to do with their data: export, restrict, erase, and the certificates."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any
from urllib.parse import quote

from nicegui import PageArguments, ui

from shopkeeper.console import parts, plans
from shopkeeper.console.guard import EXPORTS
from shopkeeper.console.parts import Column, box, text
from shopkeeper.console.visit import Visit
from shopkeeper.governance.types import (
    Certificate,
    Certificates,
    Erasure,
    Exported,
    Kept,
    Restricted,
    Restrictions,
    Search,
    Swept,
)

Again = Callable[[], Awaitable[None]]


async def page(visit: Visit, args: PageArguments) -> None:
    """The page; ``?id=…`` has a customer filled in already."""
    w = visit.w
    parts.title(w("menu.privacy"), w("privacy.lead"))
    owner = visit.may_write("governance")
    held, done = _restrictions(visit, owner), _certificates(visit)
    if owner:
        with parts.panel(w("privacy.one"), lead=w("privacy.one_lead")):
            _One(visit, args.query_parameters.get("id", ""), held.load)
        _terms(visit)
    else:
        text(w("privacy.owners_only"), "lead")
    for listing in (held, done):
        listing.place()
    await asyncio.gather(held.load(), done.load())


class _Listing:
    """A panel that is loaded again after each change."""

    def __init__(self, visit: Visit, name: str, operation: str, draw: Callable[..., None]) -> None:
        self._visit, self._name, self._operation, self._draw = visit, name, operation, draw

    def place(self) -> None:
        """Put it here on the page."""
        w = self._visit.w
        with parts.panel(w(f"privacy.{self._name}"), lead=w(f"privacy.{self._name}_lead")):
            self._holder = box()

    async def load(self) -> None:
        visit = self._visit
        await visit.fill(
            self._holder,
            lambda: visit.run(self._operation),
            lambda reply: self._draw(visit, reply, self.load),
        )


class _One:
    """One customer's id, and what can be done for them."""

    def __init__(self, visit: Visit, customer: str, again: Again) -> None:
        self._visit, self._again = visit, again
        w = visit.w
        with box("form-row"):
            self._field = ui.input(label=w("customers.find"), value=customer)
            self._field.props("outlined dense clearable").classes("wide-field")
            parts.plain_button(w("privacy.export"), self._export, icon="download")
            parts.plain_button(w("privacy.search"), self._search, icon="search")
            parts.plain_button(w("privacy.restrict"), self._restrict, icon="pause_circle")
            parts.plain_button(w("privacy.anonymise"), self._anonymous, icon="person_off")
            parts.plain_button(w("privacy.erase"), self._plan, icon="delete_forever")
        self._shown = box("stack")

    def _who(self) -> str:
        given = str(self._field.value or "").strip()
        if not given:
            self._visit.tell(self._visit.w("privacy.choose"))
        return given

    async def _ask(self, name: str, draw: Callable[[Any], None], **arguments: Any) -> None:
        await self._visit.fill(self._shown, lambda: self._visit.run(name, **arguments), draw)

    async def _export(self) -> None:
        if who := self._who():
            draw = partial(_exported, self._visit)
            await self._ask("governance.export", draw, customer_id=who)

    async def _search(self) -> None:
        if who := self._who():
            await self._ask("governance.verify_erasure", partial(_found, self._visit), who=[who])

    async def _plan(self) -> None:
        if who := self._who():
            await self._ask("governance.erase", partial(_planned, self._visit, who), who=[who])

    async def _anonymous(self) -> None:
        if who := self._who():
            shown = partial(_planned, self._visit, who, key="privacy.plan_anonymise")
            await self._ask("governance.anonymise", shown, who=[who])

    async def _restrict(self) -> None:
        visit = self._visit
        if not (who := self._who()):
            return
        reason = visit.w("privacy.asked_for")
        work = visit.run("governance.restrict", customer_id=who, reason=reason)
        if await visit.attempt(work) is not None:
            undo = partial(_lift, visit, who, self._again)
            visit.tell(visit.w("privacy.restricted", name=who), undo=undo)
            await self._again()


def _exported(visit: Visit, reply: Exported) -> None:
    w, n = visit.w, visit.n
    name = reply.file.replace("\\", "/").rpartition("/")[2]
    with box("all-well"):
        ui.icon("check_circle").classes("good")
        text(w("privacy.exported", rows=n.count(sum(reply.rows.values()))))
        ui.link(w("privacy.download"), EXPORTS + quote(name)).classes("link").props("download")
    text(w("privacy.exported_lead"), "lead small")


def _found(visit: Visit, reply: Search) -> None:
    w = visit.w
    with box("all-well"):
        ui.icon("check_circle" if reply.clean else "search").classes("good" if reply.clean else "")
        text(w("privacy.nowhere" if reply.clean else "privacy.found"))
    _places(visit, [(f.where, f.places) for f in reply.found], w("privacy.search"))


def _places(visit: Visit, found: list[tuple[str, int]], label: str) -> None:
    if not found:
        return
    columns = [
        Column("where", visit.w("column.where"), wraps=True),
        Column("n", visit.w("column.places"), number=True),
    ]
    rows = [
        {"id": i, "where": _place(visit, where), "n": visit.n.count(count)}
        for i, (where, count) in enumerate(found)
    ]
    parts.table(columns, rows, label=label)


def _planned(visit: Visit, customer_id: str, reply: Erasure, key: str = "privacy.plan") -> None:
    """What erasing or anonymising the customer would do, to be confirmed by writing their id."""
    text(visit.w(key, name=customer_id), tag="h3")
    if reply.plan is not None:
        plans.show(visit, reply.plan, {"who": [customer_id]}, wanted=customer_id)


def _terms(visit: Visit) -> None:
    """What is past its term, and removing it."""
    w = visit.w

    def draw(reply: Swept) -> None:
        if reply.plan is not None:
            plans.show(visit, reply.plan, {}, wanted=w("privacy.sweep_word"))

    async def plan() -> None:
        await visit.fill(shown, lambda: visit.run("governance.sweep"), draw)

    with parts.panel(w("privacy.terms"), lead=w("privacy.terms_lead")):
        parts.plain_button(w("privacy.sweep"), plan, icon="auto_delete")
        shown = box("stack")


def _restrictions(visit: Visit, owner: bool) -> _Listing:
    def draw(visit: Visit, reply: Restrictions, again: Again) -> None:
        if not reply.restrictions:
            text(visit.w("privacy.nobody_restricted"), "lead")
        with box("list", "ul"):
            for one in reply.restrictions:
                _restricted(visit, one, again if owner else None)

    return _Listing(visit, "held", "governance.restrictions", draw)


def _restricted(visit: Visit, one: Restricted, again: Again | None) -> None:
    with box("list-row", "li"):
        text(one.customer_id, "list-name")
        text(visit.w("privacy.since", when=visit.n.time(one.since)), "lead")
        text(one.reason, "lead")
        box("grow")
        if again is not None:
            lift = partial(_lift, visit, one.customer_id, again)
            ui.button(visit.w("privacy.lift"), on_click=lift).props("flat dense no-caps")


async def _lift(visit: Visit, customer_id: str, again: Again) -> None:
    work = visit.run("governance.unrestrict", customer_id=customer_id)
    if await visit.attempt(work) is not None:
        visit.hush()  # the way back from the restriction has been gone
        visit.tell(visit.w("privacy.lifted", name=customer_id))
        await again()


def _certificates(visit: Visit) -> _Listing:
    def draw(visit: Visit, reply: Certificates, _again: Again) -> None:
        w, n = visit.w, visit.n
        if reply.running:
            parts.badge(w("privacy.interrupted", count=reply.running), "warn")
        if not reply.certificates:
            text(w("privacy.none_erased"), "lead")
            return
        columns = [
            Column("finished", w("jobs.finished"), opens=True),
            Column("customers", w("table.customers"), number=True),
            Column("before", w("privacy.places_before"), number=True),
            Column("after", w("privacy.places_after"), number=True),
            Column("clean", w("column.status")),
        ]
        rows = [
            {
                "id": str(place),
                "finished": n.time(c.finished_at),
                "customers": n.count(c.customers),
                "before": n.count(sum(f.places for f in c.before)),
                "after": n.count(sum(f.places for f in c.after)),
                "clean": w("privacy.clean" if c.clean else "privacy.unclean"),
            }
            for place, c in enumerate(reply.certificates)
        ]

        def opened(place: str) -> None:
            with visit.client, ui.dialog() as dialog, ui.card().classes("sheet"):
                dialog.on("hide", dialog.delete)
                certificate(visit, reply.certificates[int(place)])
                with box("ask-row"):
                    parts.plain_button(w("page.close"), dialog.close)
            dialog.open()

        parts.table(columns, rows, label=w("privacy.done"), on_open=opened)

    return _Listing(visit, "done", "governance.certificates", draw)


def certificate(visit: Visit, made: Certificate) -> None:
    """What an erasure removed and kept, and the proof."""
    w, n = visit.w, visit.n
    with box("all-well"):
        ui.icon("check_circle" if made.clean else "error").classes("good" if made.clean else "bad")
        text(w("privacy.proved" if made.clean else "privacy.unproved"), tag="h2")
    with parts.facts():
        parts.fact(w("privacy.certificate"), made.erasure_id)
        parts.fact(w("privacy.kind"), w(f"privacy.kind_{made.kind}"))
        parts.fact(w("jobs.finished"), n.time(made.finished_at))
        parts.fact(w("table.customers"), n.count(made.customers))
        parts.fact(w("privacy.places_before"), n.count(sum(f.places for f in made.before)))
        parts.fact(w("privacy.places_after"), n.count(sum(f.places for f in made.after)))
    for key, found in (("removed", made.removed), ("left", made.after)):
        if found:
            text(w(f"privacy.{key}"), tag="h3")
            _places(visit, [(f.where, f.places) for f in found], w(f"privacy.{key}"))
    if made.kept:
        text(w("privacy.kept"), tag="h3")
        with box("notes", "ul"):
            for kept in made.kept:
                text(_kept(visit, kept), tag="li")
    if made.backups:
        text(w("privacy.backups"), tag="h3")
        with box("notes", "ul"):
            for backup in made.backups:
                until = n.time(backup.until) if backup.until else w("privacy.no_term")
                text(f"{backup.name} · {until}", tag="li")
    with box("notes", "ul"):
        for note in _notes(visit, made):
            text(note, tag="li")


def _kept(visit: Visit, kept: Kept) -> str:
    """What stays, in the reader's words; a certificate of before has English ones alone."""
    w, count = visit.w, visit.n.count(kept.rows)
    if not kept.code:
        return f"{kept.what}: {count} · {kept.why} · {kept.until}"
    term = visit.n.count(kept.days or 0)
    what, why = w(f"privacy.kept_{kept.code}"), w(f"privacy.why_{kept.code}")
    return f"{what}: {count} · {why} · {w(f'privacy.until_{kept.code}', days=term)}"


def _notes(visit: Visit, made: Certificate) -> list[str]:
    """The notes in the reader's words, likewise."""
    if not made.remarks:
        return list(made.notes)
    return [
        visit.w(f"privacy.note_{one.code}", count=visit.n.count(one.count)) for one in made.remarks
    ]


def _place(visit: Visit, where: str) -> str:
    """A place in the reader's words; the name of a file, a table or a column stays."""
    name, _, part = where.partition(": ")
    if name == "store":
        return visit.w("privacy.place_store", column=part)
    key = "privacy.place_" + part.replace(" ", "_")
    return visit.w(key, table=name) if part and visit.w.get(key, "") else where
