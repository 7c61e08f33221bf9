"""What people do in the loop, by the verbs that everybody has: segment, template, approval, campaign."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import narwhals as nw

from shopkeeper.advice.operations import refresh
from shopkeeper.campaigns.operations import confirm, draft, dry_run
from shopkeeper.campaigns.types import Design
from shopkeeper.content.operations import approve, propose, submit
from shopkeeper.content.operations import draft as draft_template
from shopkeeper.core.errors import Conflict
from shopkeeper.core.events import PURCHASE
from shopkeeper.core.operation import Actor, Context
from shopkeeper.core.settings import Language
from shopkeeper.core.types import Estimate
from shopkeeper.customers.operations import refresh_segments, save_segment
from shopkeeper.rehearsal.sending import CHANNEL
from shopkeeper.rehearsal.types import Played
from shopkeeper.shop.shop import Shop
from shopkeeper.warehouse.source import Frame, Source

AUTHOR: Final = Actor("person", "rehearsal: author", frozenset({"*:*"}))
APPROVER: Final = Actor("person", "rehearsal: approver", frozenset({"*:*"}))
"""Two people, since nobody approves their own words. They exist in rehearsals of simulated shops alone."""

QUIET: Final = "orders >= 1 and days_since_order >= 30"
_NAMES: Final = {"zh": "一个月没有再买", "en": "Bought before, quiet for a month"}


def advise(shop: Shop, lang: Language) -> Played:
    """What the shop would suggest now, and what it expects of the first, from past campaigns or unknown."""
    found = refresh(Context(shop, AUTHOR), lang=lang).suggestions
    figures: dict[str, int | float | str] = {"suggestions": len(found)}
    if found:
        expected = found[0].expected
        figures["customers"] = found[0].whom.customers
        if isinstance(expected, Estimate):
            told = {name: round(getattr(expected, name), 2) for name in ("value", "low", "high")}
            figures |= {f"expected_{name}": value for name, value in told.items()}
        else:
            figures["expected"] = "unknown"
    return Played(act="advice", what=found[0].title if found else "", figures=figures)


def make_segment(shop: Shop, definition: str, lang: Language) -> tuple[str, Played]:
    """The customers who are meant, kept as a segment, and its members found."""
    ctx = Context(shop, AUTHOR)
    made = save_segment(ctx, name=_NAMES[lang], definition=definition).row
    found = refresh_segments(ctx)
    count = len(_members(shop, made.id))
    figures: dict[str, int | float | str] = {"customers": count, "of": found.population}
    return made.id, Played(act="segment", what=f"{made.id}: {definition}", figures=figures)


def look(shop: Shop, segment_id: str) -> tuple[str, Played]:
    """What these customers bought most, of what is in stock."""
    there = {row["item_id"]: row for row in shop.catalogue.items() if (row["stock"] or 0) > 0}

    def build(source: Source) -> Frame:
        inside = source.memberships().filter(
            nw.col("segment") == segment_id, nw.col("valid_to").is_null()
        )
        bought = source.events().filter(nw.col("name") == PURCHASE, ~nw.col("item_id").is_null())
        mine = bought.join(inside.select("customer_id").unique(), on="customer_id", how="semi")
        each = mine.group_by("item_id").agg(
            nw.col("customer_id").n_unique().alias("buyers"),
            nw.col("value").sum().alias("revenue"),
        )
        return each.sort("buyers", "item_id", descending=[True, False])

    rows = shop.query(build).to_pylist()
    best = next((row for row in rows if row["item_id"] in there), None)
    if best is None:
        raise Conflict("Nobody in the segment bought anything.", hint="Take another segment.")
    item = str(best["item_id"])
    figures: dict[str, int | float | str] = {
        "item": item,
        "buyers": best["buyers"],
        "revenue_of_segment": round(sum(row["revenue"] or 0.0 for row in rows), 2),
    }
    return item, Played(act="insight", what=str(there[item]["title"]), figures=figures)


def make_template(shop: Shop, segment_id: str, item: str) -> tuple[str, Played, Played]:
    """The house's words about the item for these customers, approved by somebody else."""
    author = Context(shop, AUTHOR)
    proposed = propose(
        author,
        item_id=item,
        segment_id=segment_id,
        channel=CHANNEL,
        occasions=("win_back",),
        model="house",
    )
    if not proposed.drafts:
        raise Conflict(
            f"No words about {item} pass the checks: {proposed.dropped[0].why}",
            hint="See: content propose.",
        )
    best = proposed.drafts[0]
    body = best.body
    kept = draft_template(
        author,
        name=best.name,
        parts=body.parts,
        channel=CHANNEL,
        purpose=best.purpose,
        item_ids=body.item_ids,
        evidence=body.evidence,
        written_by=body.written_by,
        occasion=body.occasion,
    )
    told: dict[str, int | float | str] = {
        "item": item,
        "drafts": len(proposed.drafts),
        "checks": len(best.checks),
        "written_by": body.written_by,
    }
    wrote = Played(act="template", what=f"{kept.template_id}: {best.name}", figures=told)
    submit(author, template_id=kept.template_id)
    return kept.template_id, wrote, _approved(shop, kept.template_id, kept.version)


def _approved(shop: Shop, template_id: str, version: int) -> Played:
    approver = Context(shop, APPROVER)
    plan = approve(approver, template_id=template_id, version=version).plan
    if plan is None:
        raise Conflict(f"{template_id} needs no approval.", hint="See: content show.")
    done = approve(approver, template_id=template_id, version=version, confirm=plan.hash).version
    figures: dict[str, int | float | str] = {"author": AUTHOR.name, "approver": APPROVER.name}
    if done is not None:
        figures["facts"] = len(done.facts)
    return Played(act="approval", what=f"{template_id}@{version}", figures=figures)


def make_campaign(shop: Shop, design: Mapping[str, Any]) -> tuple[str, Played]:
    """A draft of the campaign."""
    told = Design.model_validate(dict(design))
    made = draft(Context(shop, AUTHOR), design=told)
    figures: dict[str, int | float | str] = {
        "hold_out": told.hold_out,
        "window_days": told.window_days,
        "primary": told.primary,
    }
    return made.campaign_id, Played(
        act="campaign", what=f"{made.campaign_id}: {told.name}", figures=figures
    )


def try_dry(shop: Shop, campaign_id: str, lang: Language) -> Played:
    """What would happen, by reason."""
    found = dry_run(Context(shop, AUTHOR), campaign_id=campaign_id, lang=lang)
    figures: dict[str, int | float | str] = {"audience": found.audience}
    figures |= {one.reason: one.customers for one in found.counts}
    if found.power.kind == "power":
        figures["least_effect"] = round(found.power.least_effect, 3)
    return Played(act="dry_run", what=campaign_id, figures=figures)


def confirm_it(shop: Shop, campaign_id: str) -> Played:
    """The second person confirms exactly what the plan says."""
    ctx = Context(shop, APPROVER)
    plan = confirm(ctx, campaign_id=campaign_id).plan
    if plan is None:
        raise Conflict(f"{campaign_id} has no plan.", hint="See: campaigns show.")
    confirm(ctx, campaign_id=campaign_id, confirm=plan.hash)
    figures: dict[str, int | float | str] = {"hash": plan.hash, "by": APPROVER.name}
    return Played(act="confirmation", what=campaign_id, figures=figures)


def _members(shop: Shop, segment_id: str) -> set[str]:
    def build(source: Source) -> Frame:
        inside = source.memberships().filter(
            nw.col("segment") == segment_id, nw.col("valid_to").is_null()
        )
        return inside.select("customer_id").unique()

    return set(shop.query(build).column("customer_id").to_pylist())
