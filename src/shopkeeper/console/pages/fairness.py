"""Whether segments and predictions treat groups alike, and what privacy has been spent on counts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nicegui import PageArguments, ui
from nicegui.element import Element

from shopkeeper.console import figures, parts
from shopkeeper.console.parts import Column, box, text
from shopkeeper.console.visit import Visit
from shopkeeper.core.types import Estimate, EstimateOrCannotSay
from shopkeeper.customers.types import Fairness, PrivacyBudget, PrivateCounts

_HORIZONS = (30, 60, 90)


async def page(visit: Visit, args: PageArguments) -> None:
    """A form, its report, private counts and their ledger; ``?segment=S1`` asks about that one."""
    w = visit.w
    parts.link(w("predictions.back"), "/predictions", "back")
    parts.title(w("fairness.title"), w("fairness.lead"))
    with box("form-row"):
        subjects = {"": w("fairness.segment")} | {
            str(days): w("predictions.within", days=days) for days in _HORIZONS
        }
        named = args.query_parameters.get("segment", "")
        first = "" if named else str(_HORIZONS[1])
        of = ui.select(subjects, value=first, label=w("fairness.of")).props("outlined dense")
        segment = ui.input(label=w("fairness.segment_id"), value=named).props("outlined dense")
        segment.bind_visibility_from(of, "value", value="")
        trait = ui.input(label=w("fairness.trait"), value="orders").props("outlined dense")
        holder: Element

        async def asked() -> None:
            await _report(visit, holder, str(of.value), str(segment.value or ""), str(trait.value))

        trait.on("keydown.enter", asked)
        parts.button(w("fairness.ask"), asked, icon="balance")
    holder = box("stack")
    with holder:
        parts.empty(w("fairness.empty"), w("fairness.empty_advice"), "balance")
    with parts.panel(w("fairness.budget"), lead=w("fairness.budget_lead")):
        if visit.may("customers.private_counts"):
            _counting(visit, lambda: spent)
        spent = box("stack")
    await visit.fill(
        spent, lambda: visit.run("customers.privacy_budget"), lambda r: _budget(visit, r)
    )


def _counting(visit: Visit, spent: Callable[[], Element]) -> None:
    """A form that makes a report of private counts, with the ledger drawn anew beside it."""
    w = visit.w
    with box("form-row"):
        purpose = ui.input(label=w("fairness.purpose")).props("outlined dense maxlength=200")
        epsilon = ui.number(label="ε", value=0.5, min=0.01, max=5, step=0.1)
        epsilon.props("outlined dense")
        parts.plain_button(w("fairness.count"), lambda: counted(), icon="shuffle")
    shown = box("stack")

    async def counted() -> None:
        asked = {"purpose": str(purpose.value or ""), "epsilon": float(epsilon.value or 0)}
        detail = w("fairness.count_detail", epsilon=f"{asked['epsilon']:g}")
        if not await parts.confirmed(
            w, w("fairness.count_ask"), detail=detail, act=w("fairness.count")
        ):
            return
        reply: PrivateCounts | None = await visit.attempt(
            visit.run("customers.private_counts", **asked)
        )
        if reply is None:
            return
        shown.clear()
        with shown:
            _counts(visit, reply)
        holder = spent()
        holder.clear()
        with holder:
            _budget(visit, reply.budget)


def _counts(visit: Visit, reply: PrivateCounts) -> None:
    w, n = visit.w, visit.n
    columns = [
        Column("segment", w("fairness.segment"), wraps=True),
        Column("count", w("fairness.customers"), number=True),
        Column("interval", w("predictions.interval"), number=True),
    ]
    rows = [
        {
            "id": one.segment,
            "segment": f"{one.segment} {one.name}",
            "count": n.count(one.count),
            "interval": f"{n.count(one.low)} – {n.count(one.high)}",
        }
        for one in reply.counts
    ]
    text(w("fairness.counted", epsilon=f"{reply.epsilon:g}"), "lead")
    parts.table(columns, rows, label=w("fairness.count"))


async def _report(visit: Visit, holder: Element, of: str, segment: str, trait: str) -> None:
    asked: dict[str, Any] = {"trait": trait.strip()}
    asked |= {"horizon": int(of)} if of else {"segment": segment.strip()}
    await visit.fill(
        holder, lambda: visit.run("customers.fairness", **asked), lambda r: _drawn(visit, r)
    )


def _drawn(visit: Visit, reply: Fairness) -> None:
    w, n = visit.w, visit.n
    if reply.missing is not None:
        parts.empty(w("fairness.unknown"), figures.why_not(visit, reply.missing), "balance")
        return
    columns = [
        Column("group", reply.trait, wraps=True),
        Column("customers", w("fairness.customers"), number=True),
        Column("rate", w("fairness.rate"), number=True),
        Column("ratio", w("fairness.ratio"), number=True),
        Column("said", w("predictions.said"), number=True),
        Column("came", w("predictions.came"), number=True),
    ]
    rows = [
        {
            "id": one.group,
            "group": one.group or w("fairness.not_known"),
            "customers": n.count(one.customers),
            "rate": _share(visit, one.rate),
            "ratio": _ratio(visit, one.ratio),
            "said": n.share(one.said) if one.said is not None else "–",
            "came": _share(visit, one.came) if one.came else "–",
        }
        for one in reply.groups
    ]
    with box("panel flush", "section"):
        parts.table(columns, rows, label=w("fairness.title"))
    verdict = (
        w("fairness.flagged", groups=", ".join(reply.flagged))
        if reply.flagged
        else w("fairness.fine")
    )
    text(verdict, "lead")
    if reply.left_out:
        text(
            w("fairness.left_out", customers=n.count(reply.left_out), least=n.count(reply.least)),
            "lead small",
        )


def _share(visit: Visit, one: Estimate) -> str:
    return f"{visit.n.share(one.value)} ({visit.n.share(one.low)} – {visit.n.share(one.high)})"


def _ratio(visit: Visit, one: EstimateOrCannotSay) -> str:
    if not isinstance(one, Estimate):
        return figures.why_not(visit, one)
    return f"{one.value:.2f} ({one.low:.2f} – {one.high:.2f})"


def _budget(visit: Visit, reply: PrivacyBudget) -> None:
    w, n = visit.w, visit.n
    with parts.facts():
        parts.fact(w("fairness.allowed"), f"ε {reply.epsilon:g}")
        parts.fact(w("fairness.spent"), f"ε {reply.spent:g}")
        parts.fact(w("fairness.left"), f"ε {reply.left:.3g}")
    if not reply.reports:
        text(w("fairness.no_reports"), "lead")
        return
    columns = [
        Column("time", w("fairness.when")),
        Column("purpose", w("fairness.purpose"), wraps=True),
        Column("epsilon", "ε", number=True),
    ]
    rows = [
        {
            "id": str(number),
            "time": n.date(one.time.date()),
            "purpose": one.purpose,
            "epsilon": f"{one.epsilon:g}",
        }
        for number, one in enumerate(reply.reports)
    ]
    parts.table(columns, rows, label=w("fairness.budget"))
