"""The dry run of a campaign as it is drawn, and the plan that a person confirms."""

from __future__ import annotations

from shopkeeper.campaigns.types import Confirmed, DryRun, Sample
from shopkeeper.console import charts, figures, parts, plans
from shopkeeper.console.pages.template_letters import page
from shopkeeper.console.parts import Column, box, text
from shopkeeper.console.visit import Again, Visit
from shopkeeper.core.plan import Plan
from shopkeeper.core.types import CannotSay, Estimate


def tried(visit: Visit, reply: DryRun) -> None:
    """Counts by reason, cost, what can be shown, and letters as they would be."""
    w, n = visit.w, visit.n
    with parts.panel(w("campaigns.dry_run"), lead=w("campaigns.dry_run_lead")):
        with parts.facts():
            parts.fact(w("campaigns.audience"), n.count(reply.audience))
            parts.fact(w("campaigns.reached"), n.count(reply.reached))
            cost = n.money(reply.cost.value) if isinstance(reply.cost, Estimate) else "–"
            parts.fact(w("campaigns.cost_total"), cost)
        if not reply.audience:
            text(w("campaigns.nobody_in_it"), "lead")
        if reply.counts:
            names = [visit.w.get(f"reason.{one.reason}", one.reason) for one in reply.counts]
            values = [one.customers for one in reply.counts]
            charts.amounts(visit, names, values, w("campaigns.by_reason"))
            columns = [
                Column("reason", w("campaigns.reason"), wraps=True),
                Column("customers", w("campaigns.customers"), number=True),
            ]
            rows = [
                {"id": one.reason, "reason": name, "customers": n.count(one.customers)}
                for one, name in zip(reply.counts, names, strict=True)
            ]
            parts.table(columns, rows, label=w("campaigns.by_reason"))
        if reply.estimated:
            text(w("campaigns.estimated"), "lead")
        for problem in reply.problems:
            why = w.get(f"reason.{problem.reason}", problem.reason)
            text(f"{problem.content_id}: {why}: {problem.detail}", "failure-head")
    _power(visit, reply)
    if reply.samples:
        with parts.panel(w("campaigns.samples"), lead=w("campaigns.samples_lead")):
            for sample in reply.samples:
                _sample(visit, sample)


def _power(visit: Visit, reply: DryRun) -> None:
    w, n = visit.w, visit.n
    with parts.panel(w("campaigns.power"), lead=w("campaigns.power_lead")):
        if isinstance(reply.power, CannotSay):
            text(figures.why_not(visit, reply.power), "lead")
            return
        one = reply.power
        key = "enough" if one.compared >= one.needed else "too_few"
        text(
            w(
                f"campaigns.power_{key}",
                compared=n.count(one.compared),
                least=n.share(one.least_effect),
                needed=n.count(one.needed),
                wanted=n.share(one.wanted_effect, 0),
                days=n.count(one.days),
            ),
            "said-title",
        )


def _sample(visit: Visit, sample: Sample) -> None:
    w = visit.w
    with box("evidence"):
        head = f"{sample.variant_id} · {sample.language} · {sample.customer_id}"
        text(head, "fact-name")
        content = sample.content
        if content.get("subject"):
            text(str(content["subject"]), "said-title")
        if content.get("text"):
            text(str(content["text"]), "body").style("white-space: pre-line")
        if content.get("html"):
            page(visit, str(content["html"]))
        if content.get("template_id"):
            text(w("campaigns.approved_as", template=content["template_id"]), "lead")
            with parts.facts():
                for name, value in dict(content.get("variables", {})).items():
                    parts.fact(name, str(value))


def confirming(visit: Visit, campaign_id: str, load: Again, *, possible: bool) -> None:
    """The plan, asked for with a button, and the button that confirms exactly it."""
    w = visit.w
    if not (possible and visit.may("campaigns.confirm")):
        return
    with parts.panel(w("campaigns.confirm_step"), lead=w("campaigns.confirm_lead")):
        holder = box("stack")

        async def ask() -> None:
            reply = await visit.attempt(visit.run("campaigns.confirm", campaign_id=campaign_id))
            if reply is not None and reply.plan is not None and not holder.is_deleted:
                holder.clear()
                with holder:
                    _plan(visit, campaign_id, load, reply.plan)

        with holder, box("form-row"):
            parts.button(w("campaigns.ask_plan"), ask, icon="fact_check")


def _plan(visit: Visit, campaign_id: str, load: Again, plan: Plan) -> None:
    w, n = visit.w, visit.n
    columns = [
        Column("what", w("column.what"), wraps=True),
        Column("where", w("column.where"), wraps=True),
        Column("count", w("column.count"), number=True),
    ]
    rows = [
        {
            "id": i,
            "where": step.where,
            "what": plans.said(visit, step.what),
            "count": n.count(step.count) if step.count else "–",
        }
        for i, step in enumerate(plan.steps)
    ]
    parts.table(columns, rows, label=w("plan.steps"))
    with box("copy-row"):
        text(w("plan.hash"), "fact-name")
        text(plan.hash, "code", "code")
    messages = sum(step.count for step in plan.steps if step.what == "messages, about")

    async def go() -> None:
        if not await parts.confirmed(
            w,
            w("campaigns.confirm_ask", count=n.count(messages)),
            detail=w("campaigns.confirm_detail", hash=plan.hash),
            act=w("campaigns.confirm"),
        ):
            return
        done: Confirmed | None = await visit.attempt(
            visit.run("campaigns.confirm", campaign_id=campaign_id, confirm=plan.hash)
        )
        if done is not None:
            visit.tell(w("campaigns.confirmed_now"))
        await load()

    with box("form-row"):
        parts.button(w("campaigns.confirm"), go, icon="send")
