"""One customer: where they stand and why, what they did, and what to show them."""

from __future__ import annotations

from nicegui import PageArguments

from shopkeeper.console import parts
from shopkeeper.console.pages import customers, recommend
from shopkeeper.console.parts import box, text
from shopkeeper.console.visit import Visit
from shopkeeper.customers.types import Placement
from shopkeeper.recommend.types import Slate


async def page(visit: Visit, args: PageArguments) -> None:
    """The page of ``/customer?id=…``."""
    w = visit.w
    customer_id = args.query_parameters.get("id", "")
    parts.link(w("customers.back"), "/customers", "back")
    if not customer_id:
        parts.title(w("customer.title"))
        customers.search(visit)
        return
    parts.title(customer_id, w("customer.lead"))
    stand, shown = box("stack"), box("stack")
    await visit.fill(
        stand,
        lambda: visit.run("customers.segment", customer_id=customer_id, lang=visit.lang),
        lambda reply: _placement(visit, reply),
    )

    def draw(reply: Slate) -> None:
        with parts.panel(w("customer.recommended"), lead=w("recommend.why_lead")):
            recommend.slots(visit, reply.slots, reply.missing)

    await visit.fill(
        shown, lambda: visit.run("recommend.items", customer_id=customer_id, lang=visit.lang), draw
    )


def _placement(visit: Visit, placed: Placement) -> None:
    w, n = visit.w, visit.n
    with parts.panel(w("customer.where")):
        if placed.member is None:
            text(w("customer.not_bought"), "lead")
        else:
            m = placed.member
            with parts.facts():
                parts.fact(w("customer.segment"), placed.name or "–")
                parts.fact(w("column.monetary"), n.money(m.monetary))
                parts.fact(w("column.frequency"), n.count(m.frequency))
                parts.fact(w("customer.first"), n.date(m.first_day))
                parts.fact(w("column.last_day"), n.date(m.last_day))
        with box("notes", "ul"):
            for reason in placed.reasons:
                text(reason.text, tag="li")
        if placed.advice is not None:
            customers.advice(visit, placed.advice)
