"""Who changed what: the log's entries, and whether it is whole."""

from __future__ import annotations

import re

from nicegui import PageArguments, ui
from nicegui.element import Element

from shopkeeper.console import parts
from shopkeeper.console.parts import Column, box, text
from shopkeeper.console.visit import Visit
from shopkeeper.store.audit.types import AuditEntry, Entries, Verified

_SIZE = 25
_HIDDEN = re.compile(r"\((\d+) characters\)")


async def page(visit: Visit, _args: PageArguments) -> None:
    """The page."""
    w = visit.w
    parts.title(w("menu.audit"), w("audit.lead"))
    with parts.panel(w("audit.verify_title"), lead=w("audit.verify_lead")):
        with box("form-row"):
            anchor = ui.input(label=w("audit.anchor")).props("outlined dense clearable")
            anchor.classes("wide-field")

            async def verify() -> None:
                given = str(anchor.value or "").strip()
                await visit.fill(
                    found,
                    lambda: visit.run("audit.verify", anchor=given),
                    lambda r: _verified(visit, r),
                )

            parts.button(w("audit.verify"), verify, icon="verified_user")
        found = box()
    await _entries(visit, box("panel flush", "section"), [None])


def _verified(visit: Visit, reply: Verified) -> None:
    w = visit.w
    with box("all-well"):
        ui.icon("check_circle" if reply.ok else "error").classes("good" if reply.ok else "bad")
        text(
            w("audit.whole", count=visit.n.count(reply.entries)) if reply.ok else w("audit.broken")
        )
    if reply.problem:
        text(reply.problem, "lead")
    with box("copy-row"):
        text(w("audit.head"), "fact-name")
        text(reply.head, "code", "code")


async def _entries(visit: Visit, holder: Element, befores: list[int | None]) -> None:
    w, n = visit.w, visit.n

    async def work() -> Entries:
        reply: Entries = await visit.run("audit.entries", limit=_SIZE, before=befores[-1])
        return reply

    def draw(reply: Entries) -> None:
        if not reply.entries:
            parts.empty(w("audit.empty"), "", "verified_user")
            return
        columns = [
            Column("seq", w("column.seq"), number=True),
            Column("time", w("column.time")),
            Column("actor", w("column.actor")),
            Column("operation", w("column.operation")),
            Column("outcome", w("column.outcome")),
            Column("details", w("column.details"), wraps=True),
        ]
        rows = [_row(visit, e) for e in reply.entries]
        parts.table(columns, rows, label=w("menu.audit"))
        page, last = len(befores), -(-reply.total // _SIZE)

        async def go(to: int) -> None:
            starts = befores[:to] if to < page else [*befores, reply.entries[-1].seq]
            await _entries(visit, holder, starts)

        parts.pager(w, page, last, go)
        text(w("audit.total", count=n.count(reply.total)), "lead small pad")

    await visit.fill(holder, work, draw)


def _row(visit: Visit, entry: AuditEntry) -> dict[str, str | int]:
    w = visit.w
    outcome = str(entry.details.get("outcome", ""))
    details = {k: v for k, v in entry.details.items() if k != "outcome" and v not in (None, "", [])}
    return {
        "id": entry.seq,
        "seq": visit.n.count(entry.seq),
        "time": visit.n.time(entry.time),
        "actor": entry.actor,
        "operation": w.get(f"operation.{entry.operation}", entry.operation),
        "outcome": w.get(f"outcome.{outcome}", w.get(f"error.{outcome}", outcome)),
        "details": " · ".join(f"{k} {_told(visit, v)}" for k, v in details.items()),
    }


def _told(visit: Visit, value: object) -> str:
    """A detail's value; of a text that is not kept, only its length."""
    if isinstance(value, bool):
        return visit.w("page.yes" if value else "page.no")
    hidden = _HIDDEN.fullmatch(str(value))
    return visit.w("audit.hidden", count=hidden[1]) if hidden else str(value)
