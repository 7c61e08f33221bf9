"""Campaigns: all of them, and one with its plan, its sending and what came of it."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import quote

from nicegui import PageArguments, ui
from nicegui.element import Element

from shopkeeper.campaigns.types import (
    ArmResult,
    Campaign,
    Campaigns,
    DryRun,
    Live,
    Results,
    Shown,
)
from shopkeeper.console import charts, figures, parts
from shopkeeper.console.pages import record
from shopkeeper.console.pages.campaign_truth import truth
from shopkeeper.console.pages.campaign_try import confirming, tried
from shopkeeper.console.parts import Column, Tone, badge, box, text
from shopkeeper.console.visit import Again, Visit
from shopkeeper.core.types import CannotSay, Estimate, EstimateOrCannotSay

TONES: Final[dict[str, Tone]] = {
    "draft": "flat", "confirmed": "main", "sending": "main", "paused": "warn", "stopped": "flat",
    "done": "good", "better": "good", "worse": "bad", "harm": "bad", "no_difference": "flat",
}  # fmt: skip
_EVERY: Final = 3.0


async def page(visit: Visit, _args: PageArguments) -> None:
    """All campaigns, the newest first."""
    with box("page-top"):
        parts.title(visit.w("menu.campaigns"), visit.w("campaigns.lead"))
        if visit.may("campaigns.draft"):
            parts.button(
                visit.w("campaigns.new"), lambda: ui.navigate.to("/campaigns/new"), icon="add"
            )
    holder = box("stack")
    await visit.fill(holder, lambda: visit.run("campaigns.list"), lambda r: _list(visit, r))


def _list(visit: Visit, reply: Campaigns) -> None:
    w, n = visit.w, visit.n
    if not reply.campaigns:
        parts.empty(w("campaigns.empty"), w("campaigns.empty_advice"), "campaign")
        return
    columns = [
        Column("name", w("campaigns.name"), opens=True, wraps=True),
        Column("status", w("campaigns.status")),
        Column("segment", w("campaigns.segment")),
        Column("channel", w("campaigns.channel")),
        Column("reached", w("campaigns.messages"), number=True),
        Column("held", w("campaigns.held_out"), number=True),
        Column("changed", w("campaigns.begun")),
    ]
    rows = []
    for one in reply.campaigns:
        counts = {c.reason: c.customers for c in one.counts}
        rows.append(
            {
                "id": one.campaign_id,
                "name": one.name,
                "status": w(f"campaigns.{one.status}"),
                "segment": one.design.segment_id,
                "channel": one.channel,
                "reached": n.count(counts.get("queued", 0)),
                "held": n.count(counts.get("control", 0)),
                "changed": figures.moment(visit, one.launched_at),
            }
        )
    with parts.panel(w("campaigns.all")):
        parts.table(columns, rows, label=w("campaigns.all"), on_open=opened)


def opened(campaign_id: str) -> None:
    """Go to the campaign's page."""
    ui.navigate.to(f"/campaigns/{quote(campaign_id, safe='')}")


async def one(visit: Visit, args: PageArguments) -> None:
    """One campaign: a draft's dry run and plan, or its sending and its results."""
    campaign_id = args.path_parameters["campaign_id"]
    parts.link(visit.w("campaigns.back"), "/campaigns", "back")
    head, holder = box("page-top"), box("stack")
    with head:
        parts.title(campaign_id)
    show = {"campaign_id": campaign_id}

    async def load() -> None:
        await visit.fill(
            holder,
            lambda: visit.run("campaigns.show", **show),
            lambda r: _one(visit, head, load, r),
        )

    await load()


def _one(visit: Visit, head: Element, load: Again, reply: Shown) -> None:
    w, campaign = visit.w, reply.campaign
    head.clear()
    with head:
        parts.title(campaign.name, _summary(visit, campaign))
        with box("period"):
            _acts(visit, load, campaign)
    if campaign.status == "paused" and campaign.why:
        text(w("campaigns.paused_because", why=_why(visit, campaign.why)), "failure-head")
    if campaign.status == "draft":
        _draft(visit, load, campaign)
    else:
        _sending(visit, load, reply)
        _results(visit, campaign)
    _about(visit, reply)


def _why(visit: Visit, why: str) -> str:
    return visit.w.get(f"campaigns.why_{why}", why)


def _summary(visit: Visit, campaign: Campaign) -> str:
    w, n, design = visit.w, visit.n, campaign.design
    return w(
        "campaigns.summary",
        segment=design.segment_id,
        channel=campaign.channel,
        held=n.share(design.hold_out, 0),
        days=n.count(design.window_days),
    )


def _acts(visit: Visit, load: Again, campaign: Campaign) -> None:
    w, given = visit.w, {"campaign_id": campaign.campaign_id}
    badge(w(f"campaigns.{campaign.status}"), TONES[campaign.status]).style("align-self: center")
    if not visit.may("campaigns.pause"):
        return

    async def act(name: str, **more: Any) -> None:
        if await visit.attempt(visit.run(f"campaigns.{name}", **given, **more)) is not None:
            await load()

    async def stop() -> None:
        if await parts.confirmed(
            w, w("campaigns.stop_ask"), detail=w("campaigns.stop_detail"), act=w("campaigns.stop")
        ):
            await act("stop", reason="")

    if campaign.status == "draft":
        parts.plain_button(
            w("campaigns.edit"),
            lambda: ui.navigate.to(f"/campaigns/new?id={quote(campaign.campaign_id)}"),
            icon="edit",
        )
    if campaign.status in ("confirmed", "sending"):
        parts.plain_button(w("campaigns.pause"), lambda: act("pause"), icon="pause")
    if campaign.status == "paused":
        parts.button(w("campaigns.resume"), lambda: act("resume"), icon="play_arrow")
    if campaign.status in ("draft", "confirmed", "sending", "paused"):
        parts.plain_button(w("campaigns.stop"), stop, icon="stop")


def _draft(visit: Visit, load: Again, campaign: Campaign) -> None:
    """The dry run of a draft, and below it the plan that a person confirms."""
    holder = box("stack")
    given = {"campaign_id": campaign.campaign_id, "lang": visit.lang}

    def draw(reply: DryRun) -> None:
        tried(visit, reply)
        confirming(visit, campaign.campaign_id, load, possible=reply.reached > 0)

    visit.later(visit.fill(holder, lambda: visit.run("campaigns.dry_run", **given), draw))


def _sending(visit: Visit, load: Again, reply: Shown) -> None:
    """How sending goes; drawn anew while it does."""
    w = visit.w
    campaign = reply.campaign
    with parts.panel(w("campaigns.live"), lead=w("campaigns.live_lead")):
        holder = box("stack")
        with holder:
            _live(visit, reply)

    async def again() -> None:
        now = await visit.attempt(visit.run("campaigns.show", campaign_id=campaign.campaign_id))
        if now is None or holder.is_deleted:
            return
        if now.campaign.status != campaign.status:
            timer.cancel()
            visit.later(load())  # not awaited: the part that is drawn anew takes its timer with it
            return
        holder.clear()
        with holder:
            _live(visit, now)

    if campaign.status in ("confirmed", "sending"):
        timer = ui.timer(_EVERY, again)


def _live(visit: Visit, reply: Shown) -> None:
    w, n, live, campaign = visit.w, visit.n, reply.live, reply.campaign
    if campaign.status == "confirmed":
        starts = figures.moment(visit, campaign.design.starts_at)
        text(w("campaigns.waits", when=starts), "lead")
        return
    done = min(campaign.handled, campaign.audience or 0)
    share = done / campaign.audience if campaign.audience else 1.0
    label = w("campaigns.handled", done=n.count(done), all=n.count(campaign.audience or 0))
    bar = ui.linear_progress(share, show_value=False).props(f'aria-label="{label}" size=10px')
    bar.props("rounded")
    text(label, "lead")
    with parts.facts():
        parts.fact(w("campaigns.left"), n.count(live.left))
        parts.fact(w("campaigns.waiting"), n.count(live.waiting))
        parts.fact(w("campaigns.per_minute"), n.count(live.per_minute))
        rest = "–" if live.minutes_left is None else n.decimal(live.minutes_left)
        parts.fact(w("campaigns.minutes_left"), rest)
    if live.held_by:
        text(w("campaigns.held_by", what=live.held_by), "failure-head")
    if campaign.counts:
        charts.amounts(
            visit,
            [reason(visit, one.reason) for one in campaign.counts],
            [one.customers for one in campaign.counts],
            w("campaigns.by_reason"),
        )
    if live.deliveries:
        _deliveries(visit, live)


def reason(visit: Visit, code: str) -> str:
    """A reason in the reader's words; a provider's own code stays behind them."""
    for kind in ("refused", "later"):
        if code.startswith(f"{kind}_"):
            return f"{visit.w(f'reason.{kind}')}: {code.removeprefix(f'{kind}_')}"
    return visit.w.get(f"reason.{code}", code)


def _deliveries(visit: Visit, live: Live) -> None:
    w, n = visit.w, visit.n
    columns = [
        Column("state", w("campaigns.state")),
        Column("reason", w("campaigns.reason"), wraps=True),
        Column("messages", w("campaigns.messages"), number=True),
    ]
    rows = [
        {
            "id": f"{one.state}|{one.reason}",
            "state": w.get(f"message.{one.state}", one.state),
            "reason": reason(visit, one.reason) if one.reason else "–",
            "messages": n.count(one.messages),
        }
        for one in live.deliveries
    ]
    parts.table(columns, rows, label=w("campaigns.deliveries"))


def _results(visit: Visit, campaign: Campaign) -> None:
    holder = box("stack")
    given = {"campaign_id": campaign.campaign_id, "lang": visit.lang}
    visit.later(
        visit.fill(
            holder,
            lambda: visit.run("campaigns.results", **given),
            lambda r: _result(visit, r),
        )
    )


def _result(visit: Visit, reply: Results) -> None:
    w, n = visit.w, visit.n
    with parts.panel(w("campaigns.results"), classes="verdict"):
        if isinstance(reply.verdict, CannotSay):
            badge(w("campaigns.cannot"), "warn")
            text(figures.why_not(visit, reply.verdict), "said-title")
        else:
            badge(w(f"campaigns.{reply.verdict.outcome}"), TONES[reply.verdict.outcome])
            text(reply.verdict.headline, "said-title")
            with box("reasons", "ul"):
                for one in reply.verdict.reasons:
                    text(one.text, tag="li")
        text(reply.method, "lead")
        known = [(a, a.lift) for a in reply.arms if isinstance(a.lift, Estimate)]
        if known:
            charts.effects(
                visit,
                [f"{arm.variant_id} {arm.template_id}@{arm.version}" for arm, _ in known],
                [lift for _, lift in known],
                w("campaigns.lift_percent"),
            )
        for arm in reply.arms:
            _arm(visit, arm, several=len(reply.arms) > 1)
        with parts.facts():
            parts.fact(w("campaigns.held_out"), n.count(reply.held_out))
            parts.fact(w("campaigns.due"), figures.moment(visit, reply.due))
            for one_kind in reply.responses:
                if one_kind.kind in ("opened", "clicked", "delivered", "bounced", "complained"):
                    machines = w("campaigns.machines", count=n.count(one_kind.machines))
                    value = n.count(one_kind.people)
                    told = f"{value} {machines}" if one_kind.machines else value
                    parts.fact(w(f"campaigns.{one_kind.kind}"), told)
    truth(visit, reply)


def _arm(visit: Visit, arm: ArmResult, *, several: bool) -> None:
    w, n = visit.w, visit.n
    columns = [
        Column("what", w("campaigns.measure"), wraps=True),
        Column("value", w("campaigns.each"), number=True),
        Column("range", w("campaigns.interval"), wraps=True),
        Column("total", w("campaigns.total"), number=True),
    ]
    rows = [
        {
            "id": "lift",
            "what": w("campaigns.lift"),
            "value": n.relative(arm.lift.value) if isinstance(arm.lift, Estimate) else "–",
            "range": _range(visit, arm.lift, n.relative),
            "total": "",
        }
    ]
    for name in ("revenue", "margin", "cost"):
        each, total = getattr(arm, name), getattr(arm, f"{name}_total")
        rows.append(
            {
                "id": name,
                "what": w(f"campaigns.{name}"),
                "value": figures.full(visit, each, "money"),
                "range": _range(visit, each, n.money),
                "total": figures.full(visit, total, "money"),
            }
        )
    label = w("campaigns.figures", variant=arm.variant_id)
    if several:
        text(f"{arm.variant_id} · {arm.template_id}@{arm.version}", tag="h3")
    parts.table(columns, rows, label=label)
    with parts.facts():
        for name in ("meant", "sent", "counted", "opened", "clicked"):
            parts.fact(w(f"campaigns.arm_{name}"), n.count(getattr(arm, name)))


def _range(visit: Visit, found: EstimateOrCannotSay, write: Any) -> str:
    if isinstance(found, CannotSay):
        return figures.why_not(visit, found)
    return "" if found.low == found.high else f"{write(found.low)} … {write(found.high)}"


def _about(visit: Visit, reply: Shown) -> None:
    w, n, design = visit.w, visit.n, reply.campaign.design
    with parts.panel(w("campaigns.about")):
        with parts.facts():
            parts.fact("ID", reply.campaign.campaign_id)
            told = ", ".join(f"{one.template_id}@{one.version or '…'}" for one in design.templates)
            parts.fact(w("campaigns.templates"), told)
            parts.fact(w("campaigns.measure"), w.get(f"measure.{design.primary}", design.primary))
            parts.fact(w("campaigns.starts"), figures.moment(visit, design.starts_at))
            parts.fact(w("campaigns.ends"), figures.moment(visit, design.ends_at))
            budget = "–" if design.budget is None else n.money(design.budget)
            parts.fact(w("campaigns.budget"), budget)
            parts.fact(w("campaigns.by"), reply.campaign.created_by)
            parts.fact(w("campaigns.confirmed_by"), reply.campaign.confirmed_by or "–")
            if reply.campaign.plan_hash:
                parts.fact(w("plan.hash"), reply.campaign.plan_hash)
        record.link(visit, campaign_id=reply.campaign.campaign_id)
        columns = [
            Column("time", w("campaigns.when")),
            Column("actor", w("campaigns.who")),
            Column("change", w("campaigns.what")),
        ]
        rows = [
            {
                "id": i,
                "time": figures.moment(visit, one.time),
                "actor": one.actor,
                "change": w.get(f"campaigns.did_{one.change}", one.change),
            }
            for i, one in enumerate(reply.changes)
        ]
        parts.table(columns, rows, label=w("campaigns.history"))
