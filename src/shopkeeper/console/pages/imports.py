"""One import's receipt: what became of each row, and the refused rows, to look at and to try again."""

from __future__ import annotations

from nicegui import PageArguments, ui
from nicegui.element import Element

from shopkeeper.collect.types import Receipt, RefusedRows
from shopkeeper.console import parts
from shopkeeper.console.imported import said
from shopkeeper.console.parts import Column, box, text
from shopkeeper.console.visit import Visit

_SIZE = 25


async def page(visit: Visit, args: PageArguments) -> None:
    """The page."""
    import_id = args.path_parameters["import_id"]
    parts.link(visit.w("import.back"), "/data", "back")
    holder = box("stack")

    def draw(receipt: Receipt) -> None:
        _receipt(visit, receipt)
        if receipt.refused:
            _refused_panel(visit, receipt)

    await visit.fill(holder, lambda: visit.run("collect.receipt", import_id=import_id), draw)


def _receipt(visit: Visit, receipt: Receipt) -> None:
    w, n = visit.w, visit.n
    parts.title(receipt.file, w("import.lead", when=n.time(receipt.started_at)))
    with parts.panel(w("import.receipt")):
        if receipt.status == "undone":
            with box("all-well"):
                ui.icon("undo").classes("warn")
                text(w("import.undone"))
        summary(visit, receipt)
        for note in receipt.notes:
            text(said(visit.lang, note), "lead small")
        undo_button(visit, receipt)
    if receipt.repairs:
        with parts.panel(w("import.repairs")):
            columns = [
                Column("what", w("column.what")),
                Column("how", w("column.how")),
                Column("rows", w("column.rows"), number=True),
            ]
            rows = [
                {"id": i, "what": r.what, "how": said(visit.lang, r.how), "rows": n.count(r.rows)}
                for i, r in enumerate(receipt.repairs)
            ]
            parts.table(columns, rows, label=w("import.repairs"))
    _money(visit, receipt)


def summary(visit: Visit, receipt: Receipt) -> None:
    """What became of the rows, in numbers."""
    w, n = visit.w, visit.n
    with box("sum"):
        for key, value in (
            ("rows_read", receipt.rows_read),
            ("new", receipt.new),
            ("duplicate", receipt.duplicate),
            ("refused", receipt.refused),
        ):
            with box("sum-part"):
                text(n.count(value), "sum-value")
                text(w(f"column.{key}"), "lead")
    with parts.facts():
        parts.fact(w("column.status"), w.get(f"import_status.{receipt.status}", receipt.status))
        parts.fact(w("data.importer"), receipt.importer)
        parts.fact(w("data.mapping"), receipt.mapping or "–")
        if receipt.first_day and receipt.last_day:
            reach = w(
                "overview.span", start=n.date(receipt.first_day), end=n.date(receipt.last_day)
            )
            parts.fact(w("data.reach"), reach)
        for name, loaded in receipt.loaded.items():
            parts.fact(w.get(f"table.{name}", name), n.count(loaded))
        parts.fact("SHA-256", receipt.sha256[:16] + "…")


def reasons(visit: Visit, receipt: Receipt) -> None:
    """Why rows were refused, each reason with how many and what to do."""
    with box("findings", "ul"):
        for reason in receipt.refusals:
            with box("finding", "li"):
                parts.badge(visit.n.count(reason.rows), "warn")
                with box():
                    why = said(visit.lang, reason.reason)
                    text(f"{reason.field}: {why}" if reason.field else why)
                    text(said(visit.lang, reason.hint), "lead")


def undo_button(visit: Visit, receipt: Receipt) -> None:
    """The way back, where there is one and the person may go it."""
    w = visit.w
    if receipt.status != "done" or not receipt.traceable or not visit.may_write("collect"):
        return

    async def undo() -> None:
        question = w("import.undo_ask", file=receipt.file)
        detail = w("import.undo_detail", rows=visit.n.count(sum(receipt.loaded.values())))
        if await parts.confirmed(w, question, detail=detail, act=w("import.undo")):
            job = await visit.queue("collect.undo", import_id=receipt.import_id)
            if job is not None:
                with visit.client:
                    ui.navigate.to(f"/jobs/{job.job_id}")

    parts.plain_button(w("import.undo"), undo, icon="undo")


def _money(visit: Visit, receipt: Receipt) -> None:
    w, n = visit.w, visit.n
    if not receipt.money:
        return
    with parts.panel(w("import.money"), lead=w("import.money_lead")):
        columns = [
            Column("outcome", w("column.outcome")),
            Column("rows", w("column.rows"), number=True),
            Column("value", w("column.value"), number=True),
            Column("without", w("import.without_customer"), number=True),
        ]
        rows = [
            {
                "id": m.outcome,
                "outcome": w.get(f"event.{m.outcome}", m.outcome),
                "rows": n.count(m.rows),
                "value": n.money(m.value),
                "without": n.count(m.without_customer),
            }
            for m in receipt.money
        ]
        parts.table(columns, rows, label=w("import.money"))


def _refused_panel(visit: Visit, receipt: Receipt) -> None:
    w = visit.w
    with parts.panel(w("import.refused"), lead=w("import.refused_lead")):
        reasons(visit, receipt)
        holder = box()
        visit.later(_refused(visit, holder, receipt.import_id, [0]))
        if visit.may_write("collect"):
            with box("form-row"):
                mapping = ui.input(label=w("import.other_mapping"), value="").props(
                    "outlined dense"
                )

                async def again() -> None:
                    await visit.start(
                        "collect.retry",
                        import_id=receipt.import_id,
                        mapping=str(mapping.value or ""),
                    )

                parts.button(w("import.retry"), again, icon="replay")


async def _refused(visit: Visit, holder: Element, import_id: str, afters: list[int]) -> None:
    """A page of refused rows; ``afters`` are the starts of the pages up to this one."""
    w = visit.w

    async def work() -> RefusedRows:
        reply: RefusedRows = await visit.run(
            "collect.refused", import_id=import_id, limit=_SIZE, after=afters[-1]
        )
        return reply

    def draw(reply: RefusedRows) -> None:
        columns = [
            Column("row", w("column.row"), number=True),
            Column("field", w("column.field")),
            Column("reason", w("column.reason"), wraps=True),
            Column("raw", w("column.raw"), wraps=True),
            Column("again", w("column.again")),
        ]
        rows = [
            {
                "id": r.number,
                "row": visit.n.count(r.row),
                "field": r.field,
                "reason": f"{said(visit.lang, r.reason)} {said(visit.lang, r.hint)}".strip(),
                "raw": r.raw[:400],
                "again": w("import.taken") if r.retried_by else w("import.waiting"),
            }
            for r in reply.rows
        ]
        parts.table(columns, rows, label=w("import.refused"))
        more = reply.next_after is not None
        page = len(afters)

        async def go(to: int) -> None:
            starts = afters[:to] if to < page else [*afters, reply.next_after or 0]
            await _refused(visit, holder, import_id, starts)

        if more or page > 1:
            parts.pager(w, page, page + more, go)

    await visit.fill(holder, work, draw)
