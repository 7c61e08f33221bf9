"""What sold, to whom and through what; and the way to a purchase."""

from __future__ import annotations

from shopkeeper.core.types import Estimate
from shopkeeper.metrics.types import Breakdown, Group, Step
from shopkeeper.report import charts
from shopkeeper.report.desk import Desk
from shopkeeper.report.parts import Bar, Cell, Opening, Section, clipped

_STEP_COLUMNS = ("time", "customer_id", "item_id", "value", "event_id")


def breakdowns(desk: Desk) -> Section:
    """Net revenue by what was bought, and by country and channel where these are known."""
    groups = tuple(
        (
            f"by-{by}",
            desk.w(f"by.{by}"),
            tuple(_group(desk, reply, g) for g in reply.groups if _worth(g)),
        )
        for by, reply in desk.facts.breakdowns.items()
    )
    return Section(
        name="goods",
        title=desk.w("goods.title"),
        lead=desk.w("goods.lead") if groups else "",
        groups=groups,
        empty="" if groups else desk.w("goods.empty"),
    )


def _group(desk: Desk, reply: Breakdown, group: Group) -> Bar:
    shown = label(desk, reply.by, group)
    values = [g.figure.value for g in reply.groups if not g.rest]
    largest = max((v.value for v in values if v.kind != "cannot_say"), default=0.0)
    value = group.figure.value
    worth = 0.0 if value.kind == "cannot_say" else value.value
    total = reply.all.value if reply.all else None
    tag = ""
    if total is not None and total.kind != "cannot_say" and total.value:
        tag = desk.n.share(worth / total.value)
    tone = desk.tone(group.figure)
    return Bar(
        label=shown.text,
        full=shown.full,
        bar=charts.bar(
            worth / largest if largest > 0 else 0.0,
            f"{shown.text}: {desk.full(value, 'money')}",
            tone="rest" if group.rest else "main",
        ),
        value=desk.value(value, "money"),
        aside=desk.change(group.figure, "money"),
        opening=_opening(desk, reply, group),
        tone="flat" if group.rest else tone,
        tag=tag,
    )


def _worth(group: Group) -> bool:
    """Whether a group has anything to show: one that sold nothing in either period has not."""
    return any(
        a.kind != "cannot_say" and a.value for a in (group.figure.value, group.figure.before)
    )


def label(desk: Desk, by: str, group: Group) -> Cell:
    """A group's name: known codes in words, the rest as sent, clipped."""
    if group.rest:
        return Cell(desk.w("goods.rest"))
    if group.group is None:
        return Cell(desk.w("goods.unknown"))
    if by == "item_id":
        return desk.item(group.group, 36)
    return clipped(desk.w.get(f"{by}.{group.group}", group.group), 36)


def _opening(desk: Desk, reply: Breakdown, group: Group) -> Opening:
    days = desk.facts.days
    if group.rest:
        known = desk.facts.definitions[reply.metric]
        return Opening(
            meaning=desk.w("goods.rest_meaning"),
            formula=desk.formula(known),
            command=f"shopkeeper metrics breakdown --metric {reply.metric} --by {reply.by} "
            f"--since {days} --k 100",
        )
    rows = desk.facts.rows.get((reply.metric, reply.by, group.group))
    command = desk.rows_command(reply.metric, days, by=reply.by, value=group.group)
    return desk.opened(group.figure, rows, command)


def funnel(desk: Desk) -> Section:
    """The steps to a purchase, each with the share that went on."""
    reply = desk.facts.funnel
    steps = [step for step in reply.steps if step.customers or step.events]
    if len(steps) < 2 or not reply.steps[0].customers:
        lacking = [desk.event(step.name) for step in reply.steps if not step.events]
        text = desk.w("funnel.lacking", steps=desk.w("list.comma").join(lacking))
        return Section(
            "funnel", desk.w("funnel.title"), "",
            empty=text if lacking else desk.w("funnel.empty"),
        )  # fmt: skip
    first = reply.steps[0].customers
    bars = tuple(_step(desk, step, i, first) for i, step in enumerate(reply.steps))
    return Section(
        name="funnel",
        title=desk.w("funnel.title"),
        lead=desk.w("funnel.lead"),
        groups=(("funnel-steps", "", bars),),
    )


def _step(desk: Desk, step: Step, index: int, first: int) -> Bar:
    label = desk.event(step.name)
    rows = desk.facts.steps.get(step.name, [])
    went_on = step.of_previous
    aside = ""
    notes = []
    if index and isinstance(went_on, Estimate):
        aside = desk.w("funnel.went_on", share=desk.n.share(went_on.value))
        notes.append(
            desk.w(
                "figure.estimate",
                level=desk.n.share(went_on.level, 0),
                low=desk.n.share(went_on.low),
                high=desk.n.share(went_on.high),
                n=desk.n.count(went_on.n),
            )
        )
    if step.without_customer:
        count = desk.n.count(step.without_customer)
        notes.append(desk.w("funnel.without_customer", count=count))
    of_first = step.of_first
    return Bar(
        label=label,
        full="",
        bar=charts.bar(
            step.customers / first, f"{label}: {step.customers}", tone="step", centred=True
        ),
        value=desk.n.count(step.customers),
        aside=aside,
        opening=Opening(
            meaning=desk.w("funnel.meaning", step=label),
            formula=desk.w("funnel.formula"),
            count=desk.w(
                "rows.first",
                what=desk.w("behind.events", count=desk.n.count(step.events)),
                shown=desk.n.count(len(rows)),
            ),
            table=desk.rows_of(_STEP_COLUMNS, rows) if rows else None,
            command=f"shopkeeper metrics funnel --since {desk.facts.days}",
            notes=tuple(notes),
        ),
        tag=desk.n.share(of_first.value) if isinstance(of_first, Estimate) else "",
    )
