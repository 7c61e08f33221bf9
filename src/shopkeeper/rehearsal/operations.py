"""What `rehearsal` can do, on a simulated shop alone."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from shopkeeper.core.operation import READ, WRITE, Context, operation
from shopkeeper.core.settings import Language
from shopkeeper.rehearsal.types import Loop, Truth

Days = Annotated[int, Field(ge=1, le=60, description="days within which an order counts")]
HoldOut = Annotated[float, Field(ge=0.1, le=0.5, description="share who get nothing")]
Definition = Annotated[str, Field(max_length=2_000)]


@operation(effect=WRITE, example={"days": 7}, job=True)
def loop(
    ctx: Context,
    days: Days = 14,
    hold_out: HoldOut = 0.5,
    segment: Definition = "",
    lang: Language = "en",
) -> Loop:
    """Play the whole loop on the shop's simulated day: segment, words, approval, campaign, reactions, result.

    The simulated customers get the message and react; what it truly does to them is known and stands beside
    the interval. Played again it goes on where it was, or says what is there. Messages are written to a file.

    Args:
        ctx: a shop that `simulate build` has filled, and that no server is serving.
        days: within how many days after the message an order counts.
        hold_out: the share of the customers who get nothing, to be compared with.
        segment: whom, in the language of segments; without, who bought and has been quiet for a month.
        lang: of the names that are given, and of the headline.
    """
    from shopkeeper.rehearsal.loop import loop as verb

    return verb(ctx, days, hold_out, segment, lang)


@operation(effect=READ, example={"campaign_id": "K1"})
def truth(ctx: Context, campaign_id: str) -> Truth:
    """What a campaign truly does on a simulated shop, measure by measure; empty where nobody can know."""
    from shopkeeper.rehearsal.truth import true_effects

    return Truth(campaign_id=campaign_id, effects=true_effects(ctx.shop, campaign_id) or ())
