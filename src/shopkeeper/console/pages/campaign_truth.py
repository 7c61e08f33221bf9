"""On a simulated shop alone: what a campaign truly does, beside what its results say."""

from __future__ import annotations

from shopkeeper.campaigns.types import ArmResult, Results
from shopkeeper.console import parts
from shopkeeper.console.parts import Column, badge, box
from shopkeeper.console.visit import Visit
from shopkeeper.core.types import CannotSay, Estimate, EstimateOrCannotSay
from shopkeeper.rehearsal.types import Truth


def truth(visit: Visit, results: Results) -> None:
    """A panel with the true effect, where somebody can know it; nothing elsewhere."""
    holder = box("stack")
    given = {"campaign_id": results.campaign.campaign_id}
    visit.later(
        visit.fill(
            holder,
            lambda: visit.run("rehearsal.truth", **given),
            lambda reply: _panel(visit, results, reply),
            quiet=True,
        )
    )


def _panel(visit: Visit, results: Results, reply: Truth) -> None:
    w = visit.w
    if not reply.effects:
        return
    with parts.panel(w("truth.title"), lead=w("truth.lead")):
        columns = [
            Column("measure", w("truth.measure"), wraps=True),
            Column("true", w("truth.true"), number=True),
            Column("reported", w("truth.reported"), number=True),
            Column("range", w("truth.interval"), wraps=True),
            Column("holds", w("truth.holds")),
        ]
        arms = {arm.variant_id: arm for arm in results.arms}
        primary = results.campaign.design.primary
        rows, held = [], list[bool]()
        for one in reply.effects:
            said = _said(arms.get(one.variant_id), one.measure, primary)
            if said is None:
                continue
            inside = isinstance(said, Estimate) and said.low <= one.lift <= said.high
            if isinstance(said, Estimate):
                held.append(inside)
            name = w.get(f"measure.{one.measure}", w.get(f"campaigns.{one.measure}", one.measure))
            several = f"{one.variant_id} · " if len(arms) > 1 else ""
            rows.append(
                {
                    "id": f"{one.variant_id} {one.measure}",
                    "measure": several + name,
                    "true": _written(visit, one.measure, one.lift),
                    "reported": _value(visit, one.measure, said),
                    "range": _range(visit, one.measure, said),
                    "holds": w("truth.yes" if inside else "truth.no")
                    if isinstance(said, Estimate)
                    else "–",
                }
            )
        if held:
            whole = all(held)
            badge(w("truth.inside" if whole else "truth.outside"), "good" if whole else "warn")
        parts.table(columns, rows, label=w("truth.title"))


def _said(arm: ArmResult | None, measure: str, primary: str) -> EstimateOrCannotSay | None:
    """What the results say of a measure; None where they say nothing of it."""
    if arm is None:
        return None
    if measure == primary:
        return arm.difference
    return {"revenue": arm.revenue, "margin": arm.margin}.get(measure)


def _written(visit: Visit, measure: str, value: float) -> str:
    """Points for shares, money for money, else a number with its sign."""
    if measure == "conversion":
        return visit.w("truth.points", value=f"{100 * value:+.2f}")
    if measure in ("revenue", "margin"):
        return visit.n.money(value)
    return f"{value:+.3f}"


def _value(visit: Visit, measure: str, said: EstimateOrCannotSay) -> str:
    return "–" if isinstance(said, CannotSay) else _written(visit, measure, said.value)


def _range(visit: Visit, measure: str, said: EstimateOrCannotSay) -> str:
    if isinstance(said, CannotSay):
        return said.reason
    low, high = (_written(visit, measure, one) for one in (said.low, said.high))
    return f"{low} … {high}"
