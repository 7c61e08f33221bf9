"""What `campaigns` can do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from shopkeeper.campaigns.record.types import Record
from shopkeeper.campaigns.types import (
    Campaign,
    Campaigns,
    Confirmed,
    Design,
    DryRun,
    Measured,
    Results,
    Shown,
)
from shopkeeper.core.operation import READ, WRITE, Context, Effect, operation
from shopkeeper.core.plan import Step
from shopkeeper.core.settings import Language

Words = Annotated[str, Field(max_length=1000)]
Advice = Annotated[str, Field(max_length=200)]
_EXAMPLE = {"name": "Spring tea", "segment_id": "S1", "templates": [{"template_id": "W1"}]}


@operation(effect=WRITE, example={"design": _EXAMPLE})
def draft(ctx: Context, design: Design, advice: Advice = "") -> Campaign:
    """A draft of a campaign: whom, which templates, when, held against whom. Nothing is sent.

    Args:
        ctx: the shop and who asks.
        design: the campaign; its channel and purpose are those of its templates.
        advice: the suggestion it comes from.
    """
    from shopkeeper.campaigns.designing import draft as verb

    return verb(ctx.shop, ctx.actor.name, design, advice)


@operation(effect=WRITE, example={"campaign_id": "K1", "design": _EXAMPLE})
def edit(ctx: Context, campaign_id: str, design: Design, revision: int | None = None) -> Campaign:
    """Put another design in the place of a draft's; with a revision, only if it is still at that one."""
    from shopkeeper.campaigns.designing import edit as verb

    return verb(ctx.shop, ctx.actor.name, campaign_id, design, revision)


@operation(effect=READ, example={"campaign_id": "K1"})
def dry_run(ctx: Context, campaign_id: str, lang: Language = "en") -> DryRun:
    """What would happen if it started now: customers by reason, letters, cost, and what it can show."""
    from shopkeeper.campaigns.dry_run import dry_run as verb

    return verb(ctx.shop, campaign_id, lang)


def _plan_confirm(ctx: Context, campaign_id: str) -> Sequence[Step]:
    from shopkeeper.campaigns.confirming import planned

    return planned(ctx.shop, campaign_id)


@operation(effect=Effect.CONTACT, example={"campaign_id": "K1"}, plan=_plan_confirm)
def confirm(ctx: Context, campaign_id: str, confirm: str = "") -> Confirmed:
    """Let a campaign be sent: a person confirms its plan, and it starts when its time has come."""
    from shopkeeper.campaigns.confirming import confirm as verb

    return Confirmed(campaign=verb(ctx.shop, ctx.actor.name, campaign_id, confirm))


@operation(effect=WRITE, example={"campaign_id": "K1", "reason": "a wrong price"})
def pause(ctx: Context, campaign_id: str, reason: Words = "") -> Campaign:
    """Hold a campaign up: nobody further gets it, and nothing is lost."""
    from shopkeeper.campaigns.controlling import pause as verb

    return verb(ctx.shop, ctx.actor.name, campaign_id, reason)


@operation(effect=WRITE, example={"campaign_id": "K1"})
def resume(ctx: Context, campaign_id: str) -> Campaign:
    """Let a campaign go on where it was held up."""
    from shopkeeper.campaigns.controlling import resume as verb

    return verb(ctx.shop, ctx.actor.name, campaign_id)


@operation(effect=WRITE, example={"campaign_id": "K1", "reason": "the offer ended"})
def stop(ctx: Context, campaign_id: str, reason: Words = "") -> Campaign:
    """End a campaign for good: what has not left is cancelled; its results stay."""
    from shopkeeper.campaigns.controlling import stop as verb

    return verb(ctx.shop, ctx.actor.name, campaign_id, reason)


@operation(effect=READ, example={})
def list_(ctx: Context) -> Campaigns:
    """All campaigns, the newest first."""
    from shopkeeper.campaigns.looking import listed

    return listed(ctx.shop)


@operation(effect=READ, example={"campaign_id": "K1"})
def show(ctx: Context, campaign_id: str) -> Shown:
    """One campaign with what was done to it, and how sending goes now."""
    from shopkeeper.campaigns.looking import shown

    return shown(ctx.shop, campaign_id)


@operation(effect=READ, example={"campaign_id": "K1"})
def results(ctx: Context, campaign_id: str, lang: Language = "en") -> Results:
    """What a campaign did against its hold-out: lift, revenue, margin, cost; or what is missing to say it."""
    from shopkeeper.campaigns.results import results as verb

    return verb(ctx.shop, campaign_id, lang)


@operation(effect=WRITE, example={}, job=True, nightly=True)
def measure(ctx: Context) -> Measured:
    """Work out the results of campaigns whose last window is not long over, and keep them."""
    from shopkeeper.campaigns.results import measure as verb

    return verb(ctx)


@operation(effect=READ, example={"message_id": "5f2b1a…"}, reads=("contact",))
def record(
    ctx: Context,
    message_id: str = "",
    customer_id: str = "",
    campaign_id: str = "",
    decision_id: str = "",
    lang: Language = "en",
) -> Record:
    """Why somebody got this, or nothing, and what came of it: everything that decided, as of then.

    Args:
        ctx: the shop and who asks; personal parts need the scope ``customers:read``.
        message_id: a message of the outbox; or
        customer_id: a customer, whether they got something or not, together with
        campaign_id: the campaign that is asked about; or
        decision_id: a list of recommendations in the log of decisions.
        lang: of the sentences.
    """
    from shopkeeper.campaigns.record.making import record as verb

    return verb(ctx, message_id, (customer_id, campaign_id), decision_id, lang)
