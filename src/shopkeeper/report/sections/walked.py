"""How often customers come, the ways they take to a purchase, and where and why they leave."""

from __future__ import annotations

import shlex

from shopkeeper.core.types import CannotSay, Estimate
from shopkeeper.metrics.types import DaysActive, DropOff, DropReason, Paths, Stickiness, Way
from shopkeeper.report import charts
from shopkeeper.report.desk import Desk
from shopkeeper.report.parts import Bar, Opening, Section
from shopkeeper.tasks.house.written import labels

_SPECIAL = {"(entry)": "walked.entry", "(exit)": "walked.exit", "(other)": "walked.other"}


def walked(desk: Desk) -> Section:
    """Days active in a week, the commonest ways before a purchase, and reasons of those who left."""
    told, w = desk.facts.walked, desk.w
    groups = []
    if bars := tuple(_days(desk, told.stickiness)):
        groups.append(("days", w("walked.days"), bars))
    if ways := tuple(_way(desk, told.paths, way) for way in told.paths.ways):
        groups.append(("ways", w("walked.ways"), ways))
    lead = _often(desk, told.stickiness)
    if told.left is not None and told.left.period is not None:
        lead = f"{lead} {_left(desk, told.left)}"
        if reasons := tuple(_reason(desk, told.left, one) for one in told.left.reasons):
            groups.append(("left", w("walked.left"), reasons))
    return Section(
        name="walked",
        title=w("walked.title"),
        lead=lead.strip() if groups else "",
        groups=tuple(groups),
        folded=True,
        empty="" if groups else w("walked.empty"),
    )


def _often(desk: Desk, reply: Stickiness) -> str:
    quotient = reply.dau_mau
    return desk.w("walked.often", share=_share(desk, quotient)) if _known(quotient) else ""


def _known(share: Estimate | CannotSay) -> bool:
    return isinstance(share, Estimate)


def _share(desk: Desk, share: Estimate | CannotSay) -> str:
    if isinstance(share, CannotSay):
        return "–"
    low, high = desk.n.share(share.low), desk.n.share(share.high)
    return desk.w("walked.share", share=desk.n.share(share.value), low=low, high=high)


def _days(desk: Desk, reply: Stickiness) -> list[Bar]:
    most = max((one.customers for one in reply.active_days), default=0)
    return [_day(desk, reply, one, most) for one in reply.active_days] if most else []


def _day(desk: Desk, reply: Stickiness, one: DaysActive, most: int) -> Bar:
    label = desk.w("walked.day_count", days=one.days)
    count = desk.n.count(one.customers)
    since = f"{reply.period.start}..{reply.period.end}" if reply.period else "30d"
    number = f'{{"kind": "active_days", "since": "{since}", "days": {one.days}}}'
    return Bar(
        label=label,
        full=label,
        bar=charts.bar(one.customers / most, f"{label}: {count}"),
        value=count,
        aside=_share(desk, one.share),
        opening=Opening(
            meaning=desk.w("walked.day_meaning"),
            command=shlex.join(["shopkeeper", "metrics", "people", number]),
        ),
    )


def _way(desk: Desk, reply: Paths, way: Way) -> Bar:
    label = " → ".join(_step(desk, name) for name in way.steps)
    count = desk.n.count(way.sessions)
    since = f"{reply.period.start}..{reply.period.end}" if reply.period else "30d"
    command = ["shopkeeper", "metrics", "paths", "--around", reply.around, "--since", since]
    return Bar(
        label=label,
        full=label,
        bar=charts.bar(way.sessions / max(1, reply.sessions), f"{label}: {count}"),
        value=count,
        aside=_share(desk, way.share),
        opening=Opening(meaning=desk.w("walked.way_meaning"), command=shlex.join(command)),
    )


def _step(desk: Desk, name: str) -> str:
    return desk.w(_SPECIAL[name]) if name in _SPECIAL else desk.w.get(f"event.{name}", name)


def _left(desk: Desk, reply: DropOff) -> str:
    here, there = (_step(desk, name) for name in reply.steps[reply.step : reply.step + 2])
    counts = {"left": desk.n.count(reply.left), "wrote": desk.n.count(reply.left_wrote)}
    key = "walked.left_few" if reply.cannot_say is not None else "walked.left_lead"
    return desk.w(key, here=here, there=there, days=reply.days, **counts)


def _reason(desk: Desk, reply: DropOff, one: DropReason) -> Bar:
    label = _called(desk, one)
    left = one.left.value if isinstance(one.left, Estimate) else 0.0
    shares = {"left": _share(desk, one.left), "on": _share(desk, one.went_on)}
    more = isinstance(one.difference, Estimate) and one.difference.low > 0
    command = ["shopkeeper", "metrics", "drop-off", "--step", str(reply.step)]
    command += ["--days", str(reply.days)]
    return Bar(
        label=label,
        full=label,
        bar=charts.bar(left, f"{label}: {shares['left']}"),
        value=desk.n.count(one.customers),
        aside=shares["left"],
        opening=Opening(
            meaning=desk.w(f"walked.of_{one.of}", count=desk.n.count(one.customers), **shares),
            command=shlex.join(command),
            notes=tuple(f"“{quote.words}”" for quote in one.quotes),
        ),
        tone="bad" if one.beyond_chance and more else "flat",
    )


def _called(desk: Desk, one: DropReason) -> str:
    if one.kind == "theme":
        names = {theme.theme_id: theme.name for theme in desk.facts.said.themes.themes}
        return names.get(one.name, one.name)
    if one.kind == "aspect":
        aspect = labels("aspects").get(one.name, {}).get(desk.w.lang, one.name)
        return desk.w("walked.complaint", aspect=aspect)
    return desk.w.get(f"walked.{one.kind}_{one.name}", one.name)
