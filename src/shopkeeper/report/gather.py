"""Asks every operation that the report needs, once, and tells progress."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final

import narwhals as nw

from shopkeeper.collect import operations as collect
from shopkeeper.collect.types import Receipt
from shopkeeper.core.errors import NotFound
from shopkeeper.core.operation import Context, silent
from shopkeeper.core.period import Days, Period
from shopkeeper.core.settings import Language
from shopkeeper.customers import operations as customers
from shopkeeper.customers.types import Members
from shopkeeper.metrics import listings
from shopkeeper.metrics import operations as metrics
from shopkeeper.metrics.types import Breakdown, Cycle, Definition, Funnel, Retention, Rows
from shopkeeper.recommend import operations as recommend
from shopkeeper.recommend.lists import slates, sold_out, titles
from shopkeeper.recommend.types import Popular, Slate
from shopkeeper.report.advised import advised
from shopkeeper.report.facts import DIMENSIONS, HEADLINE, SHOWN, SPARE, Facts, cycle_of
from shopkeeper.report.said import said
from shopkeeper.report.walked import walked

_TREND: Final = ("net_revenue", "orders", "buyers", "active_customers")
_SPARKS: Final = (*HEADLINE[3:], *SPARE[:2])
_SAMPLES: Final = (
    ("champions", 2), ("cannot_lose", 1), ("at_risk", 1), ("loyal", 1), ("new", 1), ("promising", 1),
)  # fmt: skip
_PEOPLE: Final = 6
_PICKS: Final = 5
_WANTED: Final = 10
_GROUPS: Final = 8
_FEW: Final = 10
_PARTS: Final = 9


@dataclass
class _Teller:
    """Tells how many of the parts are done; a cancelled job stops between two of them."""

    ctx: Context
    done: int = 0

    def __call__(self, message: str) -> None:
        self.ctx.progress(self.done, _PARTS, message)
        self.done += 1

    def still(self, message: str) -> None:
        """The same within the part that is being done."""
        self.ctx.progress(self.done - 1, _PARTS, message)


def gather(ctx: Context, period: Period, lang: Language) -> Facts:
    """All facts of the shop for this period; every reply is empty, not missing, in an empty shop.

    Raises:
        NotAllowed: whoever asks may not read metrics, customers, recommendations or collect.
    """
    tell, quiet = _Teller(ctx), replace(ctx, progress=silent)
    data = ctx.shop.span()
    tell("figures")
    overview = metrics.overview(quiet, since=period)
    definitions = {d.name: d for d in metrics.definitions(quiet).metrics}
    days = Days(overview.period.start, overview.period.end) if overview.period else None
    cycle = cycle_of(days)
    since = _since(days)
    before = _since(Days(overview.before.start, overview.before.end)) if overview.before else None
    tell("trends")
    shown = (*_TREND, *_SPARKS)
    trend = metrics.series(quiet, metrics=shown, since=since, cycle=cycle)
    earlier = metrics.series(quiet, metrics=_TREND, since=before, cycle=cycle) if before else None
    tell("customers")
    retention = metrics.retention(quiet, cycle=_cohort_cycle(data))
    rfm = customers.rfm(quiet, lang=lang)
    members = {
        s.code: customers.members(quiet, segment=s.code, limit=SHOWN, lang=lang)
        for s in rfm.segments
        if s.customers
    }
    tell("funnel")
    funnel = metrics.funnel(quiet, since=since)
    tell("breakdowns")
    breakdowns = _breakdowns(quiet, since)
    tell("recommendations")
    popular = recommend.popular(quiet, k=_WANTED, lang=lang)
    tell("texts")
    heard = said(ctx, since, lang, tell.still)
    tell("rows")
    return Facts(
        days=days,
        data=data,
        cycle=cycle,
        definitions=definitions,
        overview=overview,
        trend=trend,
        trend_before=earlier,
        retention=retention,
        funnel=funnel,
        walked=walked(quiet, days, funnel),
        breakdowns=breakdowns,
        rows=_rows(quiet, since, definitions, breakdowns) if days else {},
        steps=_steps(quiet, days, funnel),
        cohorts=_cohorts(quiet, retention),
        rfm=rfm,
        members=members,
        popular=popular,
        popular_rows=_buyers(quiet, popular),
        slates=_samples(ctx, members, lang),
        sold_out=tuple(sold_out(ctx.shop, SHOWN, lang)),
        health=collect.health(quiet),
        receipts=_receipts(quiet),
        items=titles(ctx.shop),
        said=heard,
        advised=advised(ctx.shop),
    )


def _since(days: Days | None) -> Period:
    return Period(str(days)) if days else Period("all")


def _cohort_cycle(data: Days | None) -> Cycle:
    return "month" if data is None or len(data) > 120 else "week"


def _breakdowns(ctx: Context, since: Period) -> dict[str, Breakdown]:
    """Net revenue by each dimension that has at least two groups in this shop."""
    found = {}
    for by in DIMENSIONS:
        reply = metrics.breakdown(ctx, metric="net_revenue", by=by, since=since, k=_GROUPS)
        if sum(group.group is not None for group in reply.groups) > 1:
            found[by] = reply
    return found


def _rows(
    ctx: Context,
    since: Period,
    definitions: Mapping[str, Definition],
    breakdowns: Mapping[str, Breakdown],
) -> dict[tuple[str, str | None, str | None], Rows]:
    found: dict[tuple[str, str | None, str | None], Rows] = {
        (name, None, None): rows
        for name, rows in listings.of_metrics(ctx, tuple(definitions), since, SHOWN).items()
    }
    for by, reply in breakdowns.items():
        groups = [group.group for group in reply.groups if not group.rest]
        listed = listings.of_groups(ctx, reply.metric, by, groups, since, _FEW)
        found |= {(reply.metric, by, group): rows for group, rows in listed.items()}
    return found


def _steps(ctx: Context, days: Days | None, funnel: Funnel) -> dict[str, list[dict[str, Any]]]:
    """The first events of each step."""
    columns = ("event_id", "time", "customer_id", "item_id", "value")
    if days is None:
        return {}
    return {
        step.name: ctx.shop.query(
            lambda source, name=step.name: (  # type: ignore[misc]  # the loop's own value
                source.events(days)
                .filter(nw.col("name") == name)
                .sort("time", "event_id")
                .select(*columns)
                .head(_FEW)
            )
        ).to_pylist()
        for step in funnel.steps
        if step.events
    }


def _cohorts(ctx: Context, retention: Retention) -> dict[date, Rows]:
    """The first customers of each cohort: those whose first purchase lies in its days."""
    starts = [cohort.start for cohort in retention.cohorts]
    return listings.of_buckets(ctx, "new_buyers", retention.cycle, starts, _FEW)


def _buyers(ctx: Context, popular: Popular) -> dict[str, Rows]:
    """Who bought each popular item in the last thirty days."""
    if popular.basis != "purchase":
        return {}
    items = [slot.item_id for slot in popular.slots]
    listed = listings.of_groups(ctx, "buyers", "item_id", items, Period("30d"), _FEW)
    return {item: rows for item, rows in listed.items() if item is not None}


def _samples(ctx: Context, members: Mapping[str, Members], lang: Language) -> tuple[Slate, ...]:
    """Lists for a few customers of different segments, those worth most in each."""
    chosen = [
        row.customer_id
        for code, few in _SAMPLES
        if code in members
        for row in members[code].rows[:few]
    ]
    others = [row.customer_id for page in members.values() for row in page.rows]
    picked = list(dict.fromkeys([*chosen, *others]))[:_PEOPLE]
    return tuple(slates(ctx.shop, picked, _PICKS, lang))


def _receipts(ctx: Context) -> tuple[Receipt, ...]:
    """The receipts of the last imports that are still kept."""
    return tuple(_known(ctx, (line.import_id for line in collect.receipts(ctx, limit=5).receipts)))


def _known(ctx: Context, ids: Iterable[str]) -> Iterable[Receipt]:
    for import_id in ids:
        try:
            yield collect.receipt(ctx, import_id=import_id)
        except NotFound:
            continue
