"""What to show customers: what is popular, and where to look for one customer's list."""

from __future__ import annotations

from collections.abc import Sequence

from nicegui import PageArguments

from shopkeeper.console import figures, parts
from shopkeeper.console.pages import customers
from shopkeeper.console.parts import box, text
from shopkeeper.console.visit import Visit
from shopkeeper.core.types import CannotSay
from shopkeeper.recommend.types import Popular, Slot


async def page(visit: Visit, _args: PageArguments) -> None:
    """The page."""
    w = visit.w
    parts.title(w("menu.recommend"), w("recommend.lead"))
    with parts.panel(w("recommend.for_one"), lead=w("recommend.for_one_lead")):
        customers.search(visit)
    holder = box("stack")

    def draw(reply: Popular) -> None:
        lead = w("recommend.popular_lead", days=visit.n.decimal_or_count(reply.half_life_days))
        with parts.panel(w("recommend.popular"), lead=lead):
            slots(visit, reply.slots, reply.missing)

    await visit.fill(holder, lambda: visit.run("recommend.popular", k=12, lang=visit.lang), draw)


def slots(visit: Visit, shown: Sequence[Slot], missing: CannotSay | None) -> None:
    """Items in order, each with its reasons."""
    w, n = visit.w, visit.n
    if not shown:
        parts.empty(
            w("recommend.empty"), figures.why_not(visit, missing) if missing else "", "redeem"
        )
        return
    with box("slots", "ol"):
        for slot in shown:
            with box("slot", "li"):
                text(str(slot.rank), "slot-rank")
                with box("slot-what"):
                    text(slot.title or slot.item_id, "slot-title")
                    for reason in slot.reasons:
                        text(reason.text, "lead")
                if slot.price is not None:
                    text(n.money(slot.price), "slot-price")
    if missing is not None:
        text(figures.why_not(visit, missing), "lead")
