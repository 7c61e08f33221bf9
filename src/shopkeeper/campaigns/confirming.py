"""A person confirms exactly what would be sent: to whom, which words, when, for how much."""

from __future__ import annotations

from datetime import datetime

from shopkeeper.campaigns.audience import members
from shopkeeper.campaigns.designing import CONTROL, arms, campaign_of, segment, templates
from shopkeeper.campaigns.reckoning import Reckoning, reckon
from shopkeeper.campaigns.trying import begun
from shopkeeper.campaigns.types import Campaign, Choice, Design
from shopkeeper.core.errors import BadInput, Conflict
from shopkeeper.core.plan import Step
from shopkeeper.shop.shop import Shop
from shopkeeper.store.campaigns import Campaigns, Stored

_DIGITS = 2


def planned(shop: Shop, campaign_id: str) -> list[Step]:
    """What would happen: the segment and its version, the templates and theirs, the rules, the schedule.

    Counts of customers are told to two digits, so that who comes and goes by the minute changes nothing,
    and an audience that is another one does.

    Raises:
        Conflict: it is no draft, or nobody would be reached.
        BadInput: its end has passed.
    """
    stored = Campaigns(shop.database).get(campaign_id)
    if stored.status != "draft":
        by = f" by {stored.confirmed_by}" if stored.confirmed_by else ""
        raise Conflict(
            f"{campaign_id} is {stored.status}: it was confirmed{by}.",
            hint="See: campaigns show.",
            field="campaign_id",
        )
    design = Design.model_validate(stored.design)
    if design.ends_at is not None and design.ends_at <= shop.now():
        raise BadInput(
            f"It ended at {design.ends_at:%Y-%m-%d %H:%M %Z}.",
            hint="Choose a later `ends_at`.",
            field="design.ends_at",
        )
    made = reckon(shop, stored)
    if not made.reached:
        raise Conflict(
            "Nobody would be reached.",
            hint="See why: campaigns dry-run.",
            field="campaign_id",
        )
    return _steps(shop, stored, design, made)


def _steps(shop: Shop, stored: Stored, design: Design, made: Reckoning) -> list[Step]:
    """What varies stands in ``where``, so that ``what`` can be told in the reader's language."""
    chosen, version = segment(shop, design), made.versions[0]
    digests = {one.template_id: one.digest[:12] for one in made.versions}
    where = f"{chosen.id} {chosen.name}, version {chosen.version}"
    steps = [_step(where, f"customers in the segment {_WHEN[design.membership]}", made.audience)]
    for arm in made.arms:
        if arm.template_id is None:
            nothing = "customers who get nothing, to be compared with, about"
            steps.append(_step(f"{arm.share:.0%}", nothing, made.counts[CONTROL]))
            continue
        words = f"{arm.template_id}@{arm.version} {digests[arm.template_id]}"
        where = f"{version.channel}, {version.purpose}, {words}"
        reached = round(made.reached * arm.share / (1 - design.hold_out))
        steps.append(_step(where, "messages, about", reached))
    for name, at in (("start", design.starts_at), ("end", design.ends_at)):
        if at is not None:
            clock = ", by each customer's clock" if design.local_time and name == "start" else ""
            steps.append(_step(at.isoformat(), f"{name} of sending{clock}", 0))
    if design.cost_per_message is not None:
        currency = shop.settings.currency
        each = f"{design.cost_per_message:g} {currency}"
        cost = round(made.reached * design.cost_per_message)
        steps.append(_step(each, "cost of the messages, about", cost))
        if design.budget is not None:
            steps.append(_step(f"{design.budget:g} {currency}", "budget, at most", 0))
    measure = f"{design.primary}, {design.window_days} d"
    steps.append(_step(measure, "measure, and days after each draw", 0))
    rules = f"{made.policy}, {stored.revision}"
    return [*steps, _step(rules, "version of the rules of reaching customers, and of the draft", 0)]


def _step(where: str, what: str, count: int) -> Step:
    return Step(where=where, what=what, count=rounded(count))


_WHEN = {"at_start": "when it starts, about", "at_confirm": "now, about"}


def rounded(count: int) -> int:
    """The count to two digits."""
    return count if count < 10**_DIGITS else int(float(f"{count:.{_DIGITS}g}"))


def confirm(shop: Shop, actor: str, campaign_id: str, plan_hash: str) -> Campaign:
    """Let it be sent; its experiment runs from now on. Of two people one is first, the other is told.

    Raises:
        Conflict: somebody else confirmed or changed it meanwhile.
    """
    store = Campaigns(shop.database)
    known = store.get(campaign_id)
    design = Design.model_validate(known.design)
    versions, now = templates(shop, design), shop.now()
    chosen = tuple(Choice(template_id=one.template_id, version=one.version) for one in versions)
    fixed = design.model_copy(update={"templates": chosen})
    values = {
        "status": "confirmed",
        "design": fixed.model_dump(mode="json"),
        "arms": [one.model_dump() for one in arms(design, versions)],
        "segment_version": segment(shop, design).version,
        "plan_hash": plan_hash,
        "confirmed_by": actor,
        "confirmed_at": now,
    }
    note = (now, actor, "confirmed", _noted(values, now))
    stored = store.change(known, ("draft",), note, values)
    begun(shop, stored, len(members(shop, fixed.segment_id, now)))
    return campaign_of(stored)


def _noted(values: dict[str, object], at: datetime) -> dict[str, object]:
    kept = ("arms", "segment_version", "plan_hash")
    return {**{name: values[name] for name in kept}, "at": at.isoformat()}
