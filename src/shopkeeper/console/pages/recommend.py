"""What to show customers: what is popular, and where to look for one customer's list."""

from __future__ import annotations

from collections.abc import Sequence

from nicegui import PageArguments

from shopkeeper.console import figures, parts
from shopkeeper.console.pages import customers
from shopkeeper.console.parts import box, text
from shopkeeper.console.visit import Visit
from shopkeeper.core.types import CannotSay
from shopkeeper.recommend.types import DEFAULTS, NextAction, Popular, Shelf, Slate, Slot


async def page(visit: Visit, _args: PageArguments) -> None:
    """The page."""
    w = visit.w
    with box("page-top"):
        parts.title(w("menu.recommend"), w("recommend.lead"))
        with box("links", "nav").props(f'aria-label="{w("menu.recommend")}"'):
            parts.link(w("rules.title"), "/recommend/rules")
            parts.link(w("model.title"), "/recommend/model")
    with parts.panel(w("recommend.for_one"), lead=w("recommend.for_one_lead")):
        customers.search(visit)
    holder = box("stack")

    def draw(reply: Popular) -> None:
        lead = w("recommend.popular_lead", days=visit.n.decimal_or_count(reply.half_life_days))
        with parts.panel(w("recommend.popular"), lead=lead):
            slots(visit, reply.slots, reply.missing)

    rising = box("stack")

    def risen(reply: Shelf) -> None:
        with parts.panel(w("recommend.trending"), lead=w("recommend.trending_lead")):
            slots(visit, reply.slots, reply.missing)

    await visit.fill(holder, lambda: visit.run("recommend.popular", k=12, lang=visit.lang), draw)
    await visit.fill(rising, lambda: visit.run("recommend.trending", k=6, lang=visit.lang), risen)


def listed(visit: Visit, slate: Slate) -> None:
    """One customer's list: by which model and rules it was made, then the items."""
    w, n = visit.w, visit.n
    with parts.panel(w("customer.recommended"), lead=w("recommend.why_lead")):
        with parts.facts():
            personal = "recommend.personal" if slate.personalised else "recommend.impersonal"
            parts.fact(w("recommend.kind"), w(personal))
            model = w("recommend.defaults") if slate.model == DEFAULTS else slate.model
            parts.fact(w("model.model"), model)
            if slate.rules:
                parts.fact(w("rules.title"), w("rules.join").join(slate.rules))
            if slate.price.given_up > 0:
                parts.fact(w("recommend.given_up"), n.share(slate.price.given_up))
        slots(visit, slate.slots, slate.missing)


def action(visit: Visit, reply: NextAction) -> None:
    """What to do for one customer next, and why."""
    w = visit.w
    with parts.panel(w("recommend.next"), lead=w(f"recommend.action_{reply.action}")):
        for slot in reply.slots[:1]:
            text(slot.title or slot.item_id, "slot-title")
        for reason in reply.reasons:
            text(reason.text, "lead")


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
                with box("slot-side"):
                    if slot.price is not None:
                        text(n.money(slot.price), "slot-price")
                    if slot.probability is not None:
                        text(w("recommend.chance", chance=n.share(slot.probability)), "lead small")
    if missing is not None:
        text(figures.why_not(visit, missing), "lead")
