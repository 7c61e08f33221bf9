"""What a campaign did, against those who were held out: intention to treat, by the experiment's own rule."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import narwhals as nw

from shopkeeper.campaigns.designing import CONTROL, arms_of, campaign_of
from shopkeeper.campaigns.looking import deliveries
from shopkeeper.campaigns.trying import MARGIN, REVENUE, ended, has_trial
from shopkeeper.campaigns.types import (
    Arm,
    ArmResult,
    Design,
    Measured,
    Response,
    Results,
    Verdict,
)
from shopkeeper.campaigns.wording import say
from shopkeeper.core.events import PURCHASE
from shopkeeper.core.operation import Context
from shopkeeper.core.period import Days
from shopkeeper.core.settings import Language
from shopkeeper.core.types import CannotSay, Estimate, Reason
from shopkeeper.experiments.result import result as experiment_result
from shopkeeper.experiments.types import Result
from shopkeeper.experiments.types import Verdict as Decided
from shopkeeper.shop.shop import Shop
from shopkeeper.store.campaigns import Campaigns, Stored
from shopkeeper.store.deliveries import Deliveries
from shopkeeper.warehouse.source import Frame, Source

_OPENED, _CLICKED = "opened", "clicked"
_KNOWN: Final = 0.99
"""The share of what was bought whose cost must be known before a margin is told."""
_AFTER: Final = timedelta(days=7)
"""How long after the last window late events still change results."""
_KEPT: Final = (
    "meant", "sent", "counted", "lift", "difference", "revenue", "margin", "cost",
    "revenue_total", "margin_total", "cost_total",
)  # fmt: skip

Said = Estimate | CannotSay


@dataclass(frozen=True)
class _Scene:
    """What the figures of every arm are made of."""

    stored: Stored
    design: Design
    found: Result | None
    """Null where nobody could be compared with anybody."""
    sent: dict[str, int]
    responses: list[tuple[str, str, bool, int]]
    costs: float | None
    """The share of what was bought whose cost is known; null where nothing was bought."""
    lang: Language


def results(shop: Shop, campaign_id: str, lang: Language) -> Results:
    """What is known by now; the newest is kept for others to read.

    Raises:
        NotFound: there is no such campaign.
    """
    store = Campaigns(shop.database)
    stored = store.get(campaign_id)
    made = _results(shop, stored, lang)
    if stored.launched_at is not None:
        store.keep_result(campaign_id, _kept(made))
    return made


def measure(ctx: Context) -> Measured:
    """The results of campaigns whose last window is not long over, worked out and kept.

    Experiments end with their campaigns: when one is stopped, or when the last window is over.
    """
    done: list[str] = []
    _end(ctx.shop)
    campaigns = [one for one in Campaigns(ctx.shop.database).all() if one.launched_at is not None]
    for place, one in enumerate(campaigns):
        ctx.progress(place, len(campaigns), one.id)
        ends = _due(ctx.shop, one)
        if ends is None or ctx.shop.now() < ends + _AFTER or one.result is None:
            results(ctx.shop, one.id, "en")
            done.append(one.id)
    return Measured(campaign_ids=tuple(done))


def _end(shop: Shop) -> None:
    """End the experiments whose campaign is over, those of older versions too."""
    now = shop.now()
    for one in Campaigns(shop.database).all():
        due = _due(shop, one)
        if one.status == "stopped":
            ended(shop, one, "the campaign was stopped")
        elif one.status == "done" and due is not None and due <= now:
            ended(shop, one, "the last customer's window is over")


def _results(shop: Shop, stored: Stored, lang: Language) -> Results:
    scene = _scene(shop, stored, lang)
    arms = arms_of(stored)
    made = tuple(_arm(scene, one) for one in arms if one.template_id is not None)
    method = say(lang, "method") + ("" if arms[0].variant_id == CONTROL else say(lang, "baseline"))
    control = _of_arm(scene, arms[0].variant_id)
    held = arms[0].variant_id == CONTROL
    people: dict[str, list[int]] = {}
    for kind, _, counted, count in scene.responses:
        people.setdefault(kind, [0, 0])[not counted] += count
    return Results(
        campaign=campaign_of(stored),
        as_of=shop.now(),
        held_out=control[0] if held else 0,
        control_counted=control[1] if held else 0,
        due=_due(shop, stored),
        deliveries=deliveries(shop, stored),
        responses=tuple(
            Response(kind=kind, people=n[0], machines=n[1]) for kind, n in sorted(people.items())
        ),
        arms=made,
        verdict=_verdict(shop, scene, made),
        method=method,
    )


def _scene(shop: Shop, stored: Stored, lang: Language) -> _Scene:
    store = Deliveries(shop.database)
    trial = has_trial(stored) and stored.launched_at is not None
    return _Scene(
        stored=stored,
        design=Design.model_validate(stored.design),
        found=experiment_result(shop, stored.experiment_id, lang) if trial else None,
        sent=store.by_variant(stored.step, stored.experiment_id),
        responses=store.responses(stored.step, stored.experiment_id),
        costs=_costs(shop, stored),
        lang=lang,
    )


def _costs(shop: Shop, stored: Stored) -> float | None:
    span = shop.span()
    if stored.launched_at is None or span is None:
        return None
    start = stored.launched_at.astimezone(shop.settings.zone).date()
    if span.end < start:
        return None

    def build(source: Source) -> Frame:
        bought = source.events(Days(start, span.end)).filter(nw.col("name") == PURCHASE)
        known = nw.when(~nw.col("cost").is_null()).then(nw.col("value")).otherwise(0.0)
        return bought.select(known.sum().alias("known"), nw.col("value").sum().alias("whole"))

    [row] = shop.query(build).to_pylist()
    return float(row["known"] or 0.0) / float(row["whole"]) if row["whole"] else None


def _of_arm(scene: _Scene, variant_id: str) -> tuple[int, int]:
    """Customers of the arm: meant, and counted."""
    found = scene.found.arms if scene.found else ()
    return next(((a.assigned, a.counted) for a in found if a.variant_id == variant_id), (0, 0))


def _arm(scene: _Scene, arm: Arm) -> ArmResult:
    meant, counted = _of_arm(scene, arm.variant_id)
    sent = scene.sent.get(arm.variant_id, 0)
    if not has_trial(scene.stored):
        sent = sum(scene.sent.values())
        meant = scene.stored.progress.get("counts", {}).get("queued", 0)
    revenue, margin = _difference(scene, arm, REVENUE), _margin(scene, arm)
    cost = _cost(scene, sent, meant)
    responses = scene.responses
    if not has_trial(scene.stored):
        responses = [(kind, arm.variant_id, ok, n) for kind, _, ok, n in responses]
    people = {
        kind: sum(n for k, v, ok, n in responses if ok and (k, v) == (kind, arm.variant_id))
        for kind in (_OPENED, _CLICKED)
    }
    return ArmResult(
        variant_id=arm.variant_id,
        template_id=arm.template_id,
        version=arm.version,
        meant=meant,
        sent=sent,
        counted=counted,
        lift=_compared(scene, arm, scene.design.primary, relative=True),
        difference=_difference(scene, arm, scene.design.primary),
        revenue=revenue,
        margin=margin,
        cost=cost,
        revenue_total=_times(revenue, meant),
        margin_total=_times(margin, meant),
        cost_total=_times(cost, meant),
        opened=people[_OPENED],
        clicked=people[_CLICKED],
    )


def _difference(scene: _Scene, arm: Arm, metric: str) -> Said:
    return _compared(scene, arm, metric, relative=False)


def _compared(scene: _Scene, arm: Arm, metric: str, *, relative: bool) -> Said:
    lang = scene.lang
    if scene.stored.launched_at is None:
        return CannotSay(reason=say(lang, "not_begun"), needed=say(lang, "not_begun_needed"))
    if scene.found is not None:
        for one in scene.found.comparisons:
            if (one.variant_id, one.metric.name) == (arm.variant_id, metric):
                return one.relative if relative else one.difference
    first = arms_of(scene.stored)[0]
    if first.variant_id != CONTROL and first.variant_id == arm.variant_id:
        return CannotSay(reason=say(lang, "no_hold_out"), needed=say(lang, "no_hold_out_needed"))
    days = scene.design.window_days
    needed = say(lang, "no_window_needed", days=days)
    return CannotSay(reason=say(lang, "no_window"), needed=needed)


def _margin(scene: _Scene, arm: Arm) -> Said:
    found = _difference(scene, arm, MARGIN)
    if scene.costs is None or scene.costs >= _KNOWN:
        return found
    reason = say(scene.lang, "no_margin", share=f"{scene.costs:.0%}")
    return CannotSay(reason=reason, needed=say(scene.lang, "no_margin_needed"))


def _cost(scene: _Scene, sent: int, meant: int) -> Said:
    each = scene.design.cost_per_message
    if each is None:
        return CannotSay(
            reason=say(scene.lang, "no_cost"), needed=say(scene.lang, "no_cost_needed")
        )
    if not meant:
        return CannotSay(
            reason=say(scene.lang, "not_begun"), needed=say(scene.lang, "not_begun_needed")
        )
    value = sent * each / meant
    return Estimate(value=value, low=value, high=value, n=meant, level=1.0)


def _times(one: Said, count: int) -> Said:
    if isinstance(one, CannotSay):
        return one
    told = {name: getattr(one, name) * count for name in ("value", "low", "high")}
    return one.model_copy(update=told)


def _due(shop: Shop, stored: Stored) -> datetime | None:
    """When the windows of all are over and counted: whole days of the shop."""
    if stored.finished_at is None:
        return None
    days = Design.model_validate(stored.design).window_days
    zone = shop.settings.zone
    last = (stored.finished_at.astimezone(zone) + timedelta(days=days + 1)).date()
    return datetime(last.year, last.month, last.day, tzinfo=zone)


def _verdict(shop: Shop, scene: _Scene, arms: Sequence[ArmResult]) -> Verdict | CannotSay:
    found, lang = scene.found, scene.lang
    if found is None:
        key = "not_begun" if scene.stored.launched_at is None else "no_hold_out"
        return CannotSay(reason=say(lang, key), needed=say(lang, f"{key}_needed"))
    if isinstance(found.verdict, Decided):
        return Verdict(
            outcome=found.verdict.outcome,
            headline=found.verdict.headline,
            reasons=(*found.verdict.reasons, *_about(scene, arms)),
        )
    if found.sample_ratio is not None and not found.sample_ratio.ok:
        return found.verdict
    meant = sum(one.assigned for one in found.arms)
    counted = sum(one.counted for one in found.arms)
    over = scene.stored.finished_at is not None and 0 < meant <= counted
    if over and any(isinstance(one.difference, Estimate) for one in arms):
        headline = say(lang, "no_difference", metric=_label(found, lang))
        return Verdict(
            outcome="no_difference", headline=headline, reasons=tuple(_about(scene, arms))
        )
    due = _due(shop, scene.stored)
    if over:
        return found.verdict
    needed = say(lang, "no_window_needed", days=scene.design.window_days)
    return CannotSay(
        reason=say(lang, "few", counted=f"{counted:,}", meant=f"{meant:,}"),
        needed=needed if due is None else say(lang, "few_needed", until=f"{due:%Y-%m-%d}"),
    )


def _label(found: Result, lang: Language) -> str:
    metric = next(one.metric for one in found.comparisons if one.role == "primary")
    return (metric.label_zh if lang == "zh" else metric.label_en) or metric.name


def _about(scene: _Scene, arms: Sequence[ArmResult]) -> list[Reason]:
    """What else is to be known: money in total, how many were really sent to."""
    lang, said = scene.lang, []
    for arm in arms:
        name = f"{arm.variant_id}: " if len(arms) > 1 else ""
        for what, total in (("revenue", arm.revenue_total), ("margin", arm.margin_total)):
            if isinstance(total, Estimate):
                figures = {k: f"{getattr(total, k):,.0f}" for k in ("value", "low", "high")}
                text = name + say(lang, "money", what=say(lang, what), **figures)
                said.append(Reason(code=what, text=text))
        if isinstance(arm.margin_total, Estimate) and isinstance(arm.cost_total, Estimate):
            net = arm.margin_total.value - arm.cost_total.value
            said.append(Reason(code="net", text=name + say(lang, "net", value=f"{net:,.0f}")))
        text = name + say(lang, "sent", sent=f"{arm.sent:,}", meant=f"{arm.meant:,}")
        said.append(Reason(code="sent", text=text))
    return said


def _kept(made: Results) -> dict[str, Any]:
    """What others read of it without this folder's code."""
    arms = {one.variant_id: one.model_dump(mode="json", include=set(_KEPT)) for one in made.arms}
    for one in arms.values():
        one["n"] = one["meant"]
    design = made.campaign.design
    return {
        "at": made.as_of.isoformat(),
        "window_days": design.window_days,
        "primary": design.primary,
        "control": made.held_out,
        "due": made.due.isoformat() if made.due else None,
        "outcome": made.verdict.outcome if isinstance(made.verdict, Verdict) else None,
        "arms": arms,
    }
