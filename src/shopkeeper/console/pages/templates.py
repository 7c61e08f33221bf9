"""Templates of messages: the list with what waits for approval, a new one, and one with its history."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any, Final
from urllib.parse import quote

from nicegui import PageArguments, ui
from nicegui.element import Element

from shopkeeper.console import parts
from shopkeeper.console.pages.template_editor import Editor
from shopkeeper.console.pages.template_proposals import Proposing
from shopkeeper.console.pages.template_review import review
from shopkeeper.console.pages.template_withdrawing import withdrawing
from shopkeeper.console.parts import Column, Tone, badge, box, text
from shopkeeper.console.visit import Visit
from shopkeeper.content.types import Listed, Shown, TemplateRow, VersionRow, Versions

TONES: Final[dict[str, Tone]] = {
    "draft": "flat",
    "submitted": "warn",
    "approved": "good",
    "rejected": "bad",
    "withdrawn": "bad",
}
CHANNELS: Final = ("email", "sms", "wechat", "webhook", "file")


async def page(visit: Visit, _args: PageArguments) -> None:
    """All templates, and before them what waits for approval."""
    with box("page-top"):
        parts.title(visit.w("menu.templates"), visit.w("templates.lead"))
        if visit.may("content.draft"):
            parts.button(
                visit.w("templates.new"), lambda: ui.navigate.to("/templates/new"), icon="add"
            )
    holder = box("stack")
    await visit.fill(holder, lambda: visit.run("content.list"), partial(_list, visit))


def _list(visit: Visit, reply: Listed) -> None:
    w = visit.w
    if not reply.templates:
        parts.empty(w("templates.empty"), w("templates.empty_advice"), "edit_note")
        return
    waiting = [one for one in reply.templates if one.state == "submitted"]
    if waiting:
        with parts.panel(w("templates.waiting"), lead=w("templates.waiting_lead")):
            _rows(visit, waiting, w("templates.waiting"))
    with parts.panel(w("templates.all")):
        _rows(visit, list(reply.templates), w("templates.all"))


def _rows(visit: Visit, templates: list[TemplateRow], label: str) -> None:
    w, n = visit.w, visit.n
    columns = [
        Column("name", w("templates.name"), opens=True, wraps=True),
        Column("state", w("templates.state")),
        Column("sendable", w("templates.sendable"), number=True),
        Column("channel", w("templates.channel")),
        Column("author", w("templates.author")),
        Column("changed", w("templates.changed")),
    ]
    rows = [
        {
            "id": one.template_id,
            "name": one.name,
            "state": w(f"templates.state_{one.state}"),
            "sendable": "–" if one.approved_version is None else n.count(one.approved_version),
            "channel": w.get(f"templates.channel_{one.channel}", one.channel),
            "author": one.author,
            "changed": n.time(one.changed_at),
        }
        for one in templates
    ]
    parts.table(columns, rows, label=label, on_open=_open)


def _open(template_id: str) -> None:
    ui.navigate.to(f"/templates/{quote(template_id, safe='')}")


async def new(visit: Visit, _args: PageArguments) -> None:
    """A new template: proposals of the house to begin with, and the editor."""
    w = visit.w
    parts.link(w("templates.back"), "/templates", "back")
    parts.title(w("templates.new"), w("templates.new_lead"))
    desk = Editor(visit, "email", "marketing")

    async def keep() -> None:
        reply = await visit.attempt(
            visit.run(
                "content.draft",
                name=str(name.value or "").strip(),
                channel=desk.channel,
                purpose=desk.purpose,
                occasion=desk.occasion,
                **desk.body(),
            )
        )
        if reply is not None:
            visit.tell(w("templates.kept"))
            _open(reply.template_id)

    async def take(proposal: Any) -> None:
        item = proposal.name.rpartition(" · ")[0]
        name.value = f"{item} · {w(f'templates.occasion_{proposal.occasion}')}"
        proposing.clear()
        await desk.load(proposal.body)
        visit.tell(w("templates.taken"))

    with parts.panel(w("templates.about"), lead=w("templates.about_lead")):
        with box("form-row"):
            name = ui.input(label=w("templates.name")).props("outlined dense maxlength=120")
            name.classes("wide-field")
            channels = {one: w(f"templates.channel_{one}") for one in CHANNELS}
            channel = ui.select(channels, value="email", label=w("templates.channel"))
            purposes = {one: w(f"templates.purpose_{one}") for one in ("marketing", "service")}
            purpose = ui.select(purposes, value="marketing", label=w("templates.purpose"))
            for field in (channel, purpose):
                field.props("outlined dense options-dense")
        desk.items_field()
        proposing = Proposing(visit, desk, take)
        proposing.draw()

    async def changed() -> None:
        await desk.change(str(channel.value), str(purpose.value))

    channel.on_value_change(changed)
    purpose.on_value_change(changed)
    await desk.draw(box("stack"), keep, w("templates.keep"))


async def one(visit: Visit, args: PageArguments) -> None:
    """One template: its newest version to edit or decide, and every version before."""
    template_id = args.path_parameters["template_id"]
    parts.link(visit.w("templates.back"), "/templates", "back")
    head, holder = box("page-top"), box("stack")
    with head:
        parts.title(template_id)

    drawing = asyncio.Lock()  # who saves and submits at once sees what came last

    async def load() -> None:
        async with drawing:
            shown = await visit.attempt(visit.run("content.show", template_id=template_id))
            if shown is not None:
                await _draw(visit, head, holder, shown, load)
                return
            holder.clear()
            with holder:
                parts.empty(visit.w("templates.none"), template_id, "search_off")

    await load()


async def _draw(visit: Visit, head: Element, holder: Element, shown: Shown, load: Any) -> None:
    w, n = visit.w, visit.n
    head.clear()
    with head:
        parts.title(shown.name, w("templates.version_of", id=shown.template_id, v=shown.version))
        badge(w(f"templates.state_{shown.state}"), TONES[shown.state])
    holder.clear()
    with holder:
        with parts.panel(), parts.facts():
            parts.fact(w("templates.channel"), w(f"templates.channel_{shown.channel}"))
            parts.fact(
                w("templates.purpose"), w.get(f"templates.purpose_{shown.purpose}", shown.purpose)
            )
            parts.fact(w("templates.author"), ", ".join((shown.author, *shown.editors)))
            parts.fact(w("templates.changed"), n.time(shown.changed_at))
            if shown.decided_by:
                by = "approved" if shown.state == "withdrawn" else shown.state
                parts.fact(w(f"templates.by_{by}"), shown.decided_by)
            if shown.reason:
                parts.fact(w("templates.reason"), shown.reason)
        _news(visit, shown)
        if shown.state == "submitted":
            review(visit, shown, load)
        withdrawing(visit, shown, load)
        desk = Editor(visit, shown.channel, shown.purpose)
        await _edited(visit, desk, shown, load)
        history = box("stack")
    await visit.fill(
        history,
        lambda: visit.run("content.versions", template_id=shown.template_id),
        partial(_history, visit),
    )


def _news(visit: Visit, shown: Shown) -> None:
    w = visit.w
    if shown.altered is not None:
        gone = shown.altered
        with box("conflict").props("role=note"):
            text(w("templates.altered"), "conflict-head")
            now = gone.now or w("templates.nothing")
            text(w("templates.altered_how", name=gone.name, was=gone.value, now=now), "lead")
    if shown.withdrawn is not None:
        taken = shown.withdrawn
        with box("conflict").props("role=note"):
            text(
                w("templates.withdrawn_by", by=taken.by, at=visit.n.time(taken.at)), "conflict-head"
            )
            text(taken.reason, "lead")
    if shown.unreadable:
        with box("conflict").props("role=note"):
            text(w("templates.unreadable"), "conflict-head")
            text(shown.unreadable, "lead")


async def _edited(visit: Visit, desk: Editor, shown: Shown, load: Any) -> None:
    w = visit.w
    may = visit.may("content.edit")

    async def kept() -> Shown | None:
        about = {"template_id": shown.template_id, "base": shown.digest}
        reply: Shown | None = await visit.attempt(visit.run("content.edit", **about, **desk.body()))
        return reply

    async def keep() -> None:
        if await kept() is not None:
            visit.tell(w("templates.kept"))
            await load()

    async def submit() -> None:
        if desk.touched and await kept() is None:
            return
        reply = await visit.attempt(visit.run("content.submit", template_id=shown.template_id))
        if reply is not None:
            visit.tell(w("templates.submitted"))
        if reply is not None or desk.touched:
            await load()

    with parts.panel():
        if may and shown.state in ("submitted", "approved", "withdrawn"):
            text(w(f"templates.edit_{shown.state}"), "lead")
        desk.items_field(shown.body.item_ids, may=may)
    await desk.load(shown.body)
    await desk.draw(box("stack"), keep if may else None, w("templates.keep"))
    if may and shown.state == "draft":
        with box("form-row"):
            parts.button(w("templates.submit"), submit, icon="how_to_reg")


def _decided(visit: Visit, one: VersionRow) -> dict[str, str]:
    """What was decided last on a version: its withdrawal, or its approval."""
    by, at, reason = one.decided_by, one.decided_at, one.reason
    if one.withdrawn is not None:
        by, at, reason = one.withdrawn.by, one.withdrawn.at, one.withdrawn.reason
    return {
        "by": by or "–",
        "at": visit.n.time(at) if at else "–",
        "reason": reason or "–",
    }


def _history(visit: Visit, reply: Versions) -> None:
    w, n = visit.w, visit.n
    columns = [
        Column("version", w("templates.version"), number=True),
        Column("state", w("templates.state")),
        Column("author", w("templates.author")),
        Column("by", w("templates.decided_by")),
        Column("at", w("templates.decided_at")),
        Column("reason", w("templates.reason"), wraps=True),
    ]
    rows = [
        {
            "id": str(one.version),
            "version": n.count(one.version),
            "state": w(f"templates.state_{one.state}"),
            "author": ", ".join((one.author, *one.editors)),
            **_decided(visit, one),
        }
        for one in reply.versions
    ]
    with parts.panel(w("templates.history")):
        parts.table(columns, rows, label=w("templates.history"))
