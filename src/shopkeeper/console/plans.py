"""What cannot be taken back: its plan step by step, and the hash that a person confirms."""

from __future__ import annotations

import re
from functools import partial
from typing import Any

from nicegui import ui

from shopkeeper.console import parts
from shopkeeper.console.parts import Column, box, text
from shopkeeper.console.visit import Visit
from shopkeeper.core.plan import Plan

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


def show(visit: Visit, plan: Plan, arguments: dict[str, Any], *, wanted: str) -> None:
    """The plan of a call and the button that confirms exactly it, by writing ``wanted``.

    Confirmed, it runs as a job, whose page says how it goes.
    """
    w, n = visit.w, visit.n
    if not plan.steps:
        text(w("plan.nothing"), "lead")
        return
    columns = [
        Column("where", w("column.where"), wraps=True),
        Column("what", w("column.what"), wraps=True),
        Column("count", w("column.count"), number=True),
    ]
    rows = [
        {"id": i, "where": step.where, "what": said(visit, step.what), "count": n.count(step.count)}
        for i, step in enumerate(plan.steps)
    ]
    parts.table(columns, rows, label=w("plan.steps"))
    with box("copy-row"):
        text(w("plan.hash"), "fact-name")
        text(plan.hash, "code", "code")
    act = w.get(f"operation.{plan.operation}", plan.operation)
    go = parts.button(act, partial(_confirm, visit, plan, arguments, wanted), icon="delete_forever")
    go.classes("danger")


async def _confirm(visit: Visit, plan: Plan, arguments: dict[str, Any], wanted: str) -> None:
    w = visit.w
    act = w.get(f"operation.{plan.operation}", plan.operation)
    detail = w("plan.detail", hash=plan.hash)
    if not await parts.typed(w, w("plan.ask", act=act), detail=detail, wanted=wanted, act=act):
        return
    job = await visit.queue(plan.operation, **arguments, confirm=plan.hash)
    if job is not None:
        visit.hush()
        with visit.client:
            ui.navigate.to(f"/jobs/{job.job_id}")


def said(visit: Visit, what: str) -> str:
    """A step in the reader's words; a day in it stays."""
    day = _DATE.search(what)
    key = _DATE.sub("DAY", what)
    return visit.w.get(f"step.{key}", what).replace("DAY", day[0] if day else "DAY")
