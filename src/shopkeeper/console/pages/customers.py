"""Who the customers are: the RFM segments, what to do for each, and the customers in one."""

from __future__ import annotations

from urllib.parse import quote

from nicegui import PageArguments, ui
from nicegui.element import Element

from shopkeeper.console import parts, segmenting
from shopkeeper.console.parts import Column, box, text
from shopkeeper.console.visit import Visit
from shopkeeper.customers.types import Advice, Members, Rfm, Segment

_SIZE = 25
_ADVICE = ("goal", "channel", "offer", "message", "avoid", "measure")


async def page(visit: Visit, _args: PageArguments) -> None:
    """All segments."""
    parts.title(visit.w("menu.customers"), visit.w("customers.lead"))
    search(visit)
    holder = box("stack")
    await visit.fill(
        holder, lambda: visit.run("customers.rfm", lang=visit.lang), lambda r: _segments(visit, r)
    )


def search(visit: Visit) -> None:
    """A field that opens one customer by id."""

    def go() -> None:
        if wanted := str(field.value or "").strip():
            ui.navigate.to(f"/customer?id={quote(wanted, safe='')}")

    with box("form-row"):
        field = ui.input(label=visit.w("customers.find")).props("outlined dense clearable")
        field.classes("wide-field").on("keydown.enter", go)
        parts.plain_button(visit.w("page.open"), go, icon="search")


def _segments(visit: Visit, rfm: Rfm) -> None:
    w, n = visit.w, visit.n
    if not rfm.customers:
        parts.empty(w("customers.empty"), w("customers.empty_advice"), "group_off")
        return
    text(
        w(
            "customers.count",
            day=n.date(rfm.as_of),
            customers=n.count(rfm.customers),
            once=n.count(rfm.bought_once),
        ),
        "lead",
    )
    most = max(s.share_of_customers for s in rfm.segments) or 1.0
    with box("panel flush", "section"):
        for segment in rfm.segments:
            if segment.customers:
                _segment(visit, segment, most)


def _segment(visit: Visit, segment: Segment, most: float) -> None:
    w, n = visit.w, visit.n
    with ui.expansion().classes("segment").props("dense-toggle") as opened:
        with opened.add_slot("header"), box("segment-head"):
            text(segment.name, "segment-name")
            with box("meter"):
                box("meter-fill").style(f"width:{segment.share_of_customers / most * 100:.1f}%")
            text(n.count(segment.customers), "segment-count")
            text(n.share(segment.share_of_customers), "lead")
            worth = (
                n.share(segment.share_of_revenue) if segment.share_of_revenue is not None else "–"
            )
            text(w("segments.worth", share=worth), "lead segment-worth")
        with box("segment-body"):
            text(segment.rule, "lead")
            with parts.facts():
                if segment.median_recency is not None:
                    parts.fact(
                        w("segments.recency"),
                        w("segments.days", count=n.count(segment.median_recency)),
                    )
                if segment.median_orders is not None:
                    parts.fact(w("segments.orders"), n.count(segment.median_orders))
                if segment.median_monetary is not None:
                    parts.fact(w("segments.monetary"), n.money(segment.median_monetary))
            advice(visit, segment.advice)
            parts.link(
                w("customers.members", count=n.count(segment.customers)),
                f"/customers/{segment.code}",
            )
            parts.link(w("customers.said"), f"/voices?segment={segment.code}")
            segmenting.offer(visit, segment.name, definition=f'rfm_segment = "{segment.code}"')


def advice(visit: Visit, given: Advice) -> None:
    """What to do, in six lines."""
    with box("advice", "dl"):
        for name in _ADVICE:
            with box():
                text(visit.w(f"advice.{name}"), "fact-name", "dt")
                text(getattr(given, name), tag="dd")


async def members(visit: Visit, args: PageArguments) -> None:
    """The customers of one segment."""
    parts.link(visit.w("customers.back"), "/customers", "back")
    await _members(visit, box("stack"), args.path_parameters["segment"], 1)


async def _members(visit: Visit, holder: Element, segment: str, page: int) -> None:
    w, n = visit.w, visit.n

    async def work() -> Members:
        reply: Members = await visit.run(
            "customers.members",
            segment=segment,
            offset=(page - 1) * _SIZE,
            limit=_SIZE,
            lang=visit.lang,
        )
        return reply

    def draw(reply: Members) -> None:
        parts.title(
            reply.name, w("customers.count_of", count=n.count(reply.total), day=n.date(reply.as_of))
        )
        if not reply.rows:
            parts.empty(w("customers.nobody"), "", "group_off")
            return
        columns = [
            Column("customer_id", w("column.customer_id"), opens=True),
            Column("monetary", w("column.monetary"), number=True),
            Column("frequency", w("column.frequency"), number=True),
            Column("recency", w("column.recency"), number=True),
            Column("last_day", w("column.last_day")),
            Column("scores", w("customers.scores")),
        ]
        rows = [
            {
                "id": m.customer_id,
                "customer_id": m.customer_id,
                "monetary": n.money(m.monetary),
                "frequency": n.count(m.frequency),
                "recency": n.count(m.recency),
                "last_day": n.date(m.last_day),
                "scores": f"{m.r} · {m.f} · {m.m if m.m is not None else '–'}",
            }
            for m in reply.rows
        ]
        with box("panel flush", "section"):
            parts.table(
                columns,
                rows,
                label=reply.name,
                on_open=lambda i: ui.navigate.to(f"/customer?id={quote(i, safe='')}"),
            )
            last = -(-reply.total // _SIZE)
            parts.pager(w, page, last, lambda to: _members(visit, holder, segment, to))

    await visit.fill(holder, work, draw)
