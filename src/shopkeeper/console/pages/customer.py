"""One customer: where they stand and why, what they did, and what to show them."""

from __future__ import annotations

from nicegui import PageArguments

from shopkeeper.console import parts
from shopkeeper.console.pages import consent, customers, messages, profile, recommend
from shopkeeper.console.parts import box, text
from shopkeeper.console.visit import Visit
from shopkeeper.customers.types import Placement


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
    stand, whole, next_, shown, allows, sent = (box("stack") for _ in range(6))
    await visit.fill(
        stand,
        lambda: visit.run("customers.segment", customer_id=customer_id, lang=visit.lang),
        lambda reply: _placement(visit, reply),
    )

    await profile.panels(visit, whole, customer_id)

    asked = {"customer_id": customer_id, "lang": visit.lang}
    await visit.fill(
        next_,
        lambda: visit.run("recommend.next_action", **asked),
        lambda reply: recommend.action(visit, reply),
    )
    await visit.fill(
        shown,
        lambda: visit.run("recommend.items", **asked),
        lambda reply: recommend.listed(visit, reply),
    )
    await consent.panel(visit, allows, customer_id)
    if visit.may("contact.outbox"):
        await messages.panel(visit, sent, customer_id)


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
