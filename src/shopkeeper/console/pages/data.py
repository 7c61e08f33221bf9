"""How far the data can be trusted, what came in, and bringing more in."""

from __future__ import annotations

import asyncio
import contextlib
import re

from nicegui import PageArguments, ui

from shopkeeper.collect.types import Finding, Health, Receipts
from shopkeeper.console import parts
from shopkeeper.console.parts import Column, box, text
from shopkeeper.console.pulse import Beat
from shopkeeper.console.visit import Visit
from shopkeeper.console.words import finding_words

_TONES: dict[str, parts.Tone] = {"problem": "bad", "warning": "warn", "note": "flat"}
_REFRESH_SECONDS = 10.0
_UNSAFE = re.compile(r"[^\w.()\u3400-\u9fff -]")


async def page(visit: Visit, _args: PageArguments) -> None:
    """The page."""
    w = visit.w
    parts.title(w("menu.data"), w("data.lead"))
    health = box("stack")
    with parts.panel(w("data.imports"), lead=w("data.imports_lead")):
        receipts = box()
    if visit.may_write("collect"):
        with parts.panel(w("data.bring"), lead=w("data.bring_lead")):
            parts.button(w("bring.title"), lambda: ui.navigate.to("/data/new"), icon="upload")

    async def load(quiet: bool = False) -> None:
        await asyncio.gather(
            visit.fill(
                health,
                lambda: visit.run("collect.health"),
                lambda r: _health(visit, r),
                quiet=quiet,
            ),
            visit.fill(
                receipts,
                lambda: visit.run("collect.receipts"),
                lambda r: _receipts(visit, r),
                quiet=quiet,
            ),
        )

    def changed(_beat: Beat) -> None:
        visit.later(load(quiet=True))

    visit.live(health, changed, every=_REFRESH_SECONDS)
    await load()


def _health(visit: Visit, health: Health) -> None:
    w, n = visit.w, visit.n
    with parts.panel(w("data.health")):
        with parts.facts():
            reach = "–"
            if health.first_day and health.last_day:
                reach = w(
                    "overview.span", start=n.date(health.first_day), end=n.date(health.last_day)
                )
            parts.fact(w("data.reach"), reach)
            for count in health.counts:
                parts.fact(w.get(f"table.{count.table}", count.table), n.count(count.rows))
            parts.fact(w("data.without_customer"), n.share(health.without_customer))
            parts.fact(w("data.refused_waiting"), n.count(health.refused_waiting))
            parts.fact(w("data.in_log"), n.count(health.waiting_in_log))
        if not health.findings:
            with box("all-well"):
                ui.icon("check_circle").classes("good")
                text(w("data.well"))
        with box("findings", "ul"):
            for finding in health.findings:
                _finding(visit, finding, health)


def _finding(visit: Visit, finding: Finding, health: Health) -> None:
    message, to_do = finding.message, finding.to_do
    if visit.lang == "zh":
        known = finding_words("zh")
        values = {
            "rows": visit.n.count(finding.rows),
            "share": visit.n.share(finding.share),
            "days": "、".join(map(visit.n.date, health.days_without_events[:6])),
            "last": visit.n.date(health.last_day),
        }
        with contextlib.suppress(KeyError):  # a finding newer than the words is said in English
            message, to_do = (
                known(f"{finding.code}.text", **values),
                known(f"{finding.code}.to_do", **values),
            )
    with box("finding", "li"):
        parts.badge(visit.w(f"severity.{finding.severity}"), _TONES[finding.severity])
        with box():
            text(message)
            text(to_do, "lead")


def _receipts(visit: Visit, reply: Receipts) -> None:
    w, n = visit.w, visit.n
    if not reply.receipts:
        parts.empty(w("data.no_imports"), w("data.no_imports_advice"), "upload_file")
        return
    columns = [
        Column("file", w("column.file"), opens=True),
        Column("started_at", w("column.started_at")),
        Column("status", w("column.status")),
        Column("new", w("column.new"), number=True),
        Column("duplicate", w("column.duplicate"), number=True),
        Column("refused", w("column.refused"), number=True),
    ]
    rows = [
        {
            "id": r.import_id,
            "file": r.file or r.import_id,
            "started_at": n.time(r.started_at),
            "status": w.get(f"import_status.{r.status}", r.status),
            "new": n.count(r.new),
            "duplicate": n.count(r.duplicate),
            "refused": n.count(r.refused),
        }
        for r in reply.receipts
    ]
    parts.table(
        columns,
        rows,
        label=w("data.imports"),
        on_open=lambda i: ui.navigate.to(f"/data/imports/{i}"),
    )
