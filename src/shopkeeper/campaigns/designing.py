"""Campaigns as drafts: checked against the shop's segments, templates and measures, kept, changed, shown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from shopkeeper.campaigns.types import Arm, Campaign, Design, Reckoned
from shopkeeper.contact.channels.base import plug
from shopkeeper.content.approved import approved
from shopkeeper.content.types import Version
from shopkeeper.core.errors import BadInput, Conflict
from shopkeeper.experiments import catalogue
from shopkeeper.shop.shop import Shop
from shopkeeper.store.campaigns import Campaigns, Stored
from shopkeeper.store.segments import ARCHIVED, Segment

CONTROL = "control"
_LETTERS = "ABCDE"
_LEAST_SHARE: Final = 0.001
_LEAST_COST: Final = 1e-6
_YEARS: Final = range(2000, 2200)
"""Times at the ends of the calendar have no hour in every time zone."""


def draft(shop: Shop, actor: str, design: Design, advice: str) -> Campaign:
    """Keep a draft; nothing is sent before a person confirms it.

    Raises:
        NotFound: there is no such segment or template.
        Conflict: a template has no approved version.
        BadInput: templates are of different channels or purposes.
    """
    values = _values(shop, design) | {"advice": advice}
    return campaign_of(Campaigns(shop.database).add(actor, shop.now(), values))


def edit(
    shop: Shop, actor: str, campaign_id: str, design: Design, revision: int | None
) -> Campaign:
    """Put another design in the place of a draft's.

    Raises:
        Conflict: it is no draft any more, or it is not at that revision.
    """
    store = Campaigns(shop.database)
    known = store.get(campaign_id)
    if revision is not None and revision != known.revision:
        raise Conflict(
            f"{campaign_id} was changed meanwhile: it is at revision {known.revision}.",
            hint="Look at it again.",
            field="revision",
        )
    values = _values(shop, design)
    note = (shop.now(), actor, "edited", {"design": values["design"]})
    return campaign_of(store.change(known, ("draft",), note, values))


def _refuse_slips(design: Design) -> None:
    """What nobody means and arithmetic does not bear. Designs that are kept already are not looked at."""
    said, field = "", ""
    if not design.name.isprintable():
        said, field = "holds a line break or another control character", "name"
    elif 0 < design.hold_out < _LEAST_SHARE:
        said, field = f"is 0 or at least {_LEAST_SHARE}", "hold_out"
    elif design.cost_per_message and design.cost_per_message < _LEAST_COST:
        said, field = f"is 0 or at least {_LEAST_COST:f}", "cost_per_message"
    for name in ("starts_at", "ends_at"):
        at = getattr(design, name)
        if at is not None and at.year not in _YEARS:
            said, field = f"is in the year {at.year}", name
    if said:
        raise BadInput(f"`{field}` {said}.", hint="Correct it.", field=f"design.{field}")


def _values(shop: Shop, design: Design) -> dict[str, Any]:
    _refuse_slips(design)
    segment(shop, design)
    catalogue.metric(design.primary)
    versions = templates(shop, design)
    return {
        "name": design.name,
        "design": design.model_dump(mode="json"),
        "arms": [one.model_dump() for one in arms(design, versions)],
        "channel": versions[0].channel,
        "purpose": versions[0].purpose,
    }


def segment(shop: Shop, design: Design) -> Segment:
    """The segment that is meant.

    Raises:
        NotFound: there is none of that id.
        Conflict: it is archived.
    """
    found = shop.segments.get(design.segment_id)
    if found.status == ARCHIVED:
        raise Conflict(
            f"{found.id} is archived.", hint="Choose another segment.", field="design.segment_id"
        )
    return found


def templates(shop: Shop, design: Design) -> list[Version]:
    """The approved versions that are meant, all of one channel and purpose."""
    found = [approved(shop, one.template_id, one.version) for one in design.templates]
    for what in ("channel", "purpose"):
        if len(kinds := sorted({getattr(one, what) for one in found})) > 1:
            raise BadInput(
                f"The templates have different values of {what}: {', '.join(kinds)}.",
                hint="A campaign has one channel and one purpose.",
                field="design.templates",
            )
    plug(found[0].channel)
    return found


def arms(design: Design, versions: Sequence[Version]) -> tuple[Arm, ...]:
    """Who are held out, where anybody is, then a variant for each template."""
    held = [Arm(variant_id=CONTROL, share=design.hold_out, template_id=None, version=None)]
    share = (1 - design.hold_out) / len(versions)
    made = [
        Arm(
            variant_id=_LETTERS[place],
            share=share,
            template_id=one.template_id,
            version=one.version,
        )
        for place, one in enumerate(versions)
    ]
    return tuple([*held, *made] if design.hold_out else made)


def arms_of(stored: Stored) -> tuple[Arm, ...]:
    """The arms as they are kept."""
    return tuple(Arm.model_validate(one) for one in stored.arms)


def campaign_of(stored: Stored) -> Campaign:
    """The stored campaign as operations tell it."""
    counts = stored.progress.get("counts", {})
    return Campaign(
        campaign_id=stored.id,
        name=stored.name,
        status=stored.status,
        why=stored.why,
        design=Design.model_validate(stored.design),
        revision=stored.revision,
        advice=stored.advice,
        channel=stored.channel,
        purpose=stored.purpose,
        segment_version=stored.segment_version,
        arms=arms_of(stored),
        experiment_id=stored.experiment_id if stored.plan_hash and len(stored.arms) > 1 else None,
        plan_hash=stored.plan_hash,
        created_by=stored.created_by,
        created_at=stored.created_at,
        confirmed_by=stored.confirmed_by,
        confirmed_at=stored.confirmed_at,
        launched_at=stored.launched_at,
        finished_at=stored.finished_at,
        audience=stored.progress.get("audience"),
        handled=sum(counts.values()),
        counts=reckoned(counts),
    )


def reckoned(counts: dict[str, int]) -> tuple[Reckoned, ...]:
    """Counts by reason, the largest first."""
    rows = sorted(counts.items(), key=lambda one: (-one[1], one[0]))
    return tuple(Reckoned(reason=reason, customers=n) for reason, n in rows if n)
