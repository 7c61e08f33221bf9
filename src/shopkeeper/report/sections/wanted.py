"""What to recommend: popular items, and lists for a few customers with the reason for each item."""

from __future__ import annotations

import shlex

from shopkeeper.recommend.types import Slate, Slot
from shopkeeper.report import charts
from shopkeeper.report.desk import Desk
from shopkeeper.report.parts import Bar, Opening, Person, Pick, Section, clipped


def wanted(desk: Desk) -> Section:
    """Popular items, and what sample customers would be shown."""
    reply = desk.facts.popular
    most = max((slot.score for slot in reply.slots), default=0.0)
    bars = tuple(_bar(desk, slot, most) for slot in reply.slots)
    people = tuple(_person(desk, slate) for slate in desk.facts.slates if slate.slots)
    groups = (("popular", desk.w("wanted.popular"), bars),) if bars else ()
    return Section(
        name="recommend",
        title=desk.w("wanted.title"),
        lead=desk.w("wanted.lead") if bars else "",
        groups=groups,
        people=people,
        empty="" if bars else desk.w("wanted.empty"),
    )


def _bar(desk: Desk, slot: Slot, most: float) -> Bar:
    shown = desk.item(slot.item_id)
    reason = slot.reasons[0]
    count = desk.n.count(float(reason.evidence["customers"] or 0))
    rows = desk.facts.popular_rows.get(slot.item_id)
    command = shlex.join(["shopkeeper", "recommend", "related", slot.item_id])
    if desk.facts.popular.basis == "purchase":
        command = desk.rows_command("buyers", "30d", by="item_id", value=slot.item_id)
    return Bar(
        label=shown.text,
        full=shown.full,
        bar=charts.bar(slot.score / most if most else 0.0, f"{shown.text}: {count}"),
        value=count,
        aside=desk.n.money(slot.price) if slot.price is not None else "",
        opening=Opening(
            meaning=reason.text,
            formula=desk.w("wanted.formula", days=f"{desk.facts.popular.half_life_days:g}"),
            count=desk.behind(rows) if rows else "",
            table=desk.table(rows) if rows else None,
            command=command,
        ),
    )


def _person(desk: Desk, slate: Slate) -> Person:
    shown = clipped(slate.customer_id, 28)
    code = next(
        (code for code, page in desk.facts.members.items()
         if any(row.customer_id == slate.customer_id for row in page.rows)),
        "",
    )  # fmt: skip
    name = next((s.name for s in desk.facts.rfm.segments if s.code == code), "")
    return Person(
        customer=shown.text,
        full=shown.full,
        segment=name,
        picks=tuple(_pick(desk, slot) for slot in slate.slots),
        command=shlex.join(["shopkeeper", "recommend", "items", slate.customer_id]),
    )


def _pick(desk: Desk, slot: Slot) -> Pick:
    shown = desk.item(slot.item_id, 48)
    return Pick(
        title=shown.text,
        full=shown.full,
        price=desk.n.money(slot.price) if slot.price is not None else "",
        reason=clipped(slot.reasons[0].text, 110).text,
    )
