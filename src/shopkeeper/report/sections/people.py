"""The customers: RFM segments with what to do, and who comes back."""

from __future__ import annotations

import shlex

from shopkeeper.core.types import Estimate, EstimateOrCannotSay
from shopkeeper.customers.types import Advice, Segment
from shopkeeper.metrics.types import Cohort
from shopkeeper.report import charts
from shopkeeper.report.desk import Desk
from shopkeeper.report.parts import Bar, Cell, Chart, Opening, Section, SegmentRow, Step, Table

_MEMBER = ("customer_id", "recency", "frequency", "monetary", "r", "f", "m", "last_day")
_TONES = {
    "champions": "good", "loyal": "good", "potential_loyalists": "good",
    "cannot_lose": "bad", "at_risk": "bad",
}  # fmt: skip
_SHOWN_COHORTS = 13


def segments(desk: Desk) -> Section:
    """RFM segments: size, worth and advice."""
    rfm = desk.facts.rfm
    most = max((s.share_of_customers for s in rfm.segments), default=0.0)
    rows = tuple(_segment(desk, s, most) for s in rfm.segments if s.customers)
    lead = desk.w(
        "segments.lead",
        customers=desk.n.count(rfm.customers),
        day=desk.n.date(rfm.as_of),
        once=desk.n.share(rfm.bought_once / rfm.customers if rfm.customers else None),
    )
    if rfm.customers and rfm.monetary is not None:
        lead += desk.w("segments.no_money")
    return Section(
        name="segments",
        title=desk.w("segments.title"),
        lead=lead if rows else "",
        segments=rows,
        opening=Opening(desk.w("segments.how"), desk.w("segments.definition"),
                        command="shopkeeper customers rfm") if rows else None,
        empty="" if rows else desk.w("segments.empty"),
    )  # fmt: skip


def _segment(desk: Desk, segment: Segment, most: float) -> SegmentRow:
    share = desk.n.share(segment.share_of_customers)
    worth = segment.share_of_revenue
    aside = desk.w("segments.worth", share=desk.n.share(worth)) if worth is not None else ""
    page = desk.facts.members[segment.code]
    table = desk.rows_of(_MEMBER, (row.model_dump() for row in page.rows))
    kind = desk.w("behind.customers", count=desk.n.count(page.total))
    shown = desk.w("rows.first", what=kind, shown=desk.n.count(len(page.rows)))
    bar = Bar(
        label=segment.name,
        full="",
        bar=charts.bar(
            segment.share_of_customers / most if most else 0.0,
            f"{segment.name}: {share}",
            tone=_TONES.get(segment.code, "main"),
        ),
        value=desk.n.count(segment.customers),
        aside=aside,
        opening=Opening(
            meaning=segment.name,
            formula=segment.rule,
            count=shown if page.total > len(page.rows) else desk.w("rows.all", what=kind),
            table=table,
            command=shlex.join(["shopkeeper", "customers", "members", segment.code]),
        ),
        tone=_TONES.get(segment.code, "flat"),
        name=f"segment-{segment.code}",
        tag=share,
    )
    return SegmentRow(bar, _facts(desk, segment), segment.rule, _steps(desk, segment.advice))


def _facts(desk: Desk, segment: Segment) -> tuple[tuple[str, str], ...]:
    found = [
        (
            desk.w("segments.recency"),
            desk.w("segments.days", count=desk.n.count(segment.median_recency)),
        ),
        (desk.w("segments.orders"), desk.n.count(segment.median_orders)),
    ]
    if segment.median_monetary is not None:
        found.append((desk.w("segments.monetary"), desk.n.money(segment.median_monetary)))
    if segment.revenue is not None:
        found.append((desk.w("segments.revenue"), desk.n.money(segment.revenue)))
    return tuple(found)


def _steps(desk: Desk, advice: Advice) -> tuple[Step, ...]:
    return tuple(Step(desk.w(f"advice.{name}"), text) for name, text in advice.model_dump().items())


def retention(desk: Desk) -> Section:
    """Cohorts by first purchase, and how many came back in each later month or week."""
    reply = desk.facts.retention
    cohorts = [c for c in reply.cohorts if c.customers][-_SHOWN_COHORTS:]
    distance = max((sum(isinstance(s, Estimate) for s in c.shares) for c in cohorts), default=0)
    cycle = desk.w(f"cycle.{reply.cycle}")
    if len(cohorts) < 2 or distance < 2:
        return Section("retention", desk.w("retention.title"), "", empty=desk.w("retention.empty"))
    columns = [desk.w("retention.start")] + [
        desk.w(f"retention.{reply.cycle}", count=i) for i in range(1, distance)
    ]
    rows = [(_name(desk, cohort), _cells(desk, cohort, distance)) for cohort in cohorts]
    title = desk.w("retention.chart", cycle=cycle)
    drawing = charts.heat("cohorts", (title, desk.w("retention.description")), columns, rows)
    lead = desk.w("retention.lead", cycle=cycle)
    pooled = reply.pooled[1] if len(reply.pooled) > 1 else None
    if isinstance(pooled, Estimate):
        lead += desk.w(
            "retention.pooled",
            cycle=cycle,
            share=desk.n.share(pooled.value),
            low=desk.n.share(pooled.low),
            high=desk.n.share(pooled.high),
        )
    legend = (("censored", desk.w("retention.censored")),) if cohorts[0].censored else ()
    chart = Chart(title, drawing, drawing, legend, _all(desk, columns, rows))
    bars = tuple(_cohort(desk, cohort) for cohort in cohorts)
    groups = (("cohorts", desk.w("retention.cohorts"), bars),)
    return Section(
        "retention", desk.w("retention.title"), lead, charts=(chart,), groups=groups, folded=True
    )


def _name(desk: Desk, cohort: Cohort) -> str:
    text = desk.n.brief(cohort.start, desk.facts.retention.cycle)
    return text + " *" if cohort.censored else text


def _cells(desk: Desk, cohort: Cohort, distance: int) -> list[charts.Cell]:
    return [_cell(desk, cohort, i, share) for i, share in enumerate(cohort.shares[:distance])]


def _cell(desk: Desk, cohort: Cohort, distance: int, share: EstimateOrCannotSay) -> charts.Cell:
    if not isinstance(share, Estimate):
        return charts.Cell(None, "", "")
    came = desk.n.count(round(share.value * cohort.customers))
    if distance == 0:
        return charts.Cell(1.0, desk.n.count(cohort.customers), f"{_name(desk, cohort)}: {came}")
    tip = desk.w(
        "retention.tip",
        cohort=_name(desk, cohort),
        came=came,
        customers=desk.n.count(cohort.customers),
        share=desk.n.share(share.value),
        low=desk.n.share(share.low),
        high=desk.n.share(share.high),
    )
    return charts.Cell(share.value, desk.n.share(share.value, 0), tip)


def _all(desk: Desk, columns: list[str], rows: list[tuple[str, list[charts.Cell]]]) -> Opening:
    heads = ((desk.w("retention.cohort"), False), *((c, True) for c in columns))
    body = [
        [Cell(label), *(Cell(c.text or "–", c.tip, number=True) for c in cells),
         *(Cell("", number=True) for _ in range(len(columns) - len(cells)))]
        for label, cells in rows
    ]  # fmt: skip
    return Opening(
        meaning=desk.w("retention.title"),
        formula=desk.w("retention.formula"),
        table=Table(tuple(heads), body),
        command=f"shopkeeper metrics retention --cycle {desk.facts.retention.cycle}",
    )


def _cohort(desk: Desk, cohort: Cohort) -> Bar:
    largest = max(c.customers for c in desk.facts.retention.cohorts)
    rows = desk.facts.cohorts.get(cohort.start)
    count = desk.n.count(cohort.customers)
    since = f"{rows.period.start}..{rows.period.end}" if rows and rows.period else "all"
    label = _name(desk, cohort)
    return Bar(
        label=label,
        full="",
        bar=charts.bar(cohort.customers / largest, f"{label}: {count}"),
        value=count,
        aside="",
        opening=Opening(
            meaning=desk.w("retention.cohort_meaning", cohort=label),
            count=desk.behind(rows),
            table=desk.table(rows) if rows else None,
            command=desk.rows_command("new_buyers", since),
        ),
    )
