"""From counts to findings: what is wrong, how bad it is, and what to do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from shopkeeper.collect.gaps import Gaps
from shopkeeper.collect.types import Finding

_RANK = {"problem": 0, "warning": 1, "note": 2}
_STALE_DAYS = 7
_SLOW_SECONDS = 3600.0


@dataclass(frozen=True)
class Counted:
    """What was counted in the tables and the store."""

    today: date
    currency: str
    tables: dict[str, int]
    gaps: Gaps
    events: int
    without_customer: float | None
    without_item: float | None
    purchases: int
    unvalued: int
    unknown_items: int
    repeated: int
    currencies: dict[str, int]
    refused_waiting: int
    unfinished: int
    waiting_in_log: int
    median_delay_s: float | None


def findings(counted: Counted) -> tuple[Finding, ...]:
    """What is worth knowing, the worst first."""
    if not counted.events:
        nothing = Finding(
            code="no_events",
            severity="problem",
            message="The shop has no events yet.",
            to_do="Import a file (shopkeeper collect import-file) or send events to /v1/track.",
        )
        found = [nothing, *_imports(counted)]
    else:
        found = [*_time(counted), *_links(counted), *_money(counted), *_imports(counted)]
    return tuple(sorted(found, key=lambda finding: _RANK[finding.severity]))


def _time(counted: Counted) -> Iterator[Finding]:
    gaps = counted.gaps
    if gaps.missing:
        shown = ", ".join(str(day) for day in gaps.missing[:5])
        closed = f" ({', '.join(gaps.closed)}, always without, left out)" if gaps.closed else ""
        yield Finding(
            code="days_without_events",
            severity="warning",
            message=f"{len(gaps.missing)} days have no events{closed}: {shown} …",
            to_do="Check whether the shop was closed; otherwise import those days.",
            rows=len(gaps.missing),
        )
    if gaps.jumps:
        shown = ", ".join(f"{j.day} ({j.times:.1f}×)" for j in gaps.jumps[:5])
        yield Finding(
            code="jumps",
            severity="warning",
            message=f"{len(gaps.jumps)} days are far from the four weeks before them: {shown}.",
            to_do="See whether a campaign explains them, or rows are missing or doubled.",
            rows=len(gaps.jumps),
        )
    if gaps.last and (counted.today - gaps.last).days > _STALE_DAYS:
        yield Finding(
            code="stale",
            severity="note",
            message=f"The newest event is of {gaps.last}, {(counted.today - gaps.last).days} days ago.",
            to_do="Figures are as of that day. Import newer data if there are any.",
        )
    if counted.median_delay_s is not None and counted.median_delay_s > _SLOW_SECONDS:
        yield Finding(
            code="late",
            severity="warning",
            message=f"Live events arrive {counted.median_delay_s / 3600:.1f} hours late (median).",
            to_do="Let senders send at once; live answers lack what has not arrived.",
        )


def _links(counted: Counted) -> Iterator[Finding]:
    nobody = counted.without_customer or 0.0
    if nobody > 0:
        yield Finding(
            code="without_customer",
            severity="warning" if nobody > 0.05 else "note",
            message=f"{nobody:.1%} of the events name no customer.",
            to_do="They count in revenue and not in customers. Send userId or anonymousId.",
            share=nobody,
            rows=round(nobody * counted.events),
        )
    nothing = counted.without_item or 0.0
    if nothing > 0:
        yield Finding(
            code="without_item",
            severity="warning" if nothing > 0.05 else "note",
            message=f"{nothing:.1%} of the views, carts, purchases and refunds name no item.",
            to_do="Send product_id: recommendations learn nothing from them.",
            share=nothing,
        )
    if counted.unknown_items:
        yield Finding(
            code="unknown_items",
            severity="warning",
            message=f"{counted.unknown_items} items of the events are not in the catalogue.",
            to_do='Import the catalogue (a mapping with target = "items").',
            rows=counted.unknown_items,
        )


def _money(counted: Counted) -> Iterator[Finding]:
    foreign = {c: n for c, n in counted.currencies.items() if c != counted.currency}
    if foreign:
        yield Finding(
            code="currencies",
            severity="problem",
            message=f"Amounts in {', '.join(foreign)} stand beside the shop's {counted.currency}.",
            to_do="Sums mix them: import those rows again with a rate.",
            rows=sum(foreign.values()),
        )
    if counted.unvalued:
        yield Finding(
            code="unvalued_purchases",
            severity="warning",
            message=f"{counted.unvalued} purchase lines have no value.",
            to_do="Send price and quantity, or revenue: they count as no money.",
            share=counted.unvalued / counted.purchases,
            rows=counted.unvalued,
        )
    if counted.repeated:
        yield Finding(
            code="repeated_lines",
            severity="note",
            message=f"{counted.repeated} purchase lines say the same as another of their order.",
            to_do="They count: a file without line ids cannot tell a repeat from a double.",
            rows=counted.repeated,
        )


def _imports(counted: Counted) -> Iterator[Finding]:
    if counted.refused_waiting:
        yield Finding(
            code="refused_rows",
            severity="warning",
            message=f"{counted.refused_waiting} rows of imports were refused and wait.",
            to_do="See them: shopkeeper collect refused; correct and import: collect retry.",
            rows=counted.refused_waiting,
        )
    if counted.unfinished:
        yield Finding(
            code="unfinished_imports",
            severity="warning",
            message=f"{counted.unfinished} imports failed or did not end.",
            to_do="See shopkeeper collect receipts and import the files again: it is safe.",
            rows=counted.unfinished,
        )
    if counted.waiting_in_log > 10_000:
        yield Finding(
            code="log_waits",
            severity="warning",
            message=f"{counted.waiting_in_log} accepted rows wait to be moved into the tables.",
            to_do="Check that the worker runs: shopkeeper serve.",
            rows=counted.waiting_in_log,
        )
