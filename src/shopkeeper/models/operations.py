"""What `models` can do."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from shopkeeper.core.operation import READ, WRITE, Context, operation
from shopkeeper.models.types import Cost, ModelList, Tried


@operation(effect=READ, example={})
def list_(ctx: Context) -> ModelList:
    """The models there are, what each costs, whether it could be asked, and how often it answered.

    Nothing is loaded and nobody is asked.
    """
    from shopkeeper.models.listing import listed

    return listed(ctx.shop)


@operation(effect=WRITE, example={"text": "Say good morning in Chinese."})
def try_(
    ctx: Context,
    text: Annotated[str, Field(min_length=1, max_length=20_000, description="What to ask.")],
    model: Annotated[str, Field(description="Another than the shop's own.")] = "",
    max_tokens: Annotated[int, Field(ge=1, le=8192, description="How much it may write.")] = 256,
) -> Tried:
    """One answer of a model, asked as every text is: masked, from the cache if it is there, under the budget.

    Personal data in the question are put back in the answer. From elsewhere than this machine only the
    shop's own model and models behind an endpoint can be named.
    """
    from shopkeeper.models.trying import tried

    return tried(ctx, text, model, max_tokens)


@operation(effect=READ, example={"task": "sentiment", "texts": 3000})
def cost(
    ctx: Context,
    texts: Annotated[
        int, Field(ge=0, le=1_000_000_000, description="How many texts to estimate for.")
    ] = 0,
    task: Annotated[
        str, Field(description="What they are read for; what it took before is the estimate.")
    ] = "",
    model: Annotated[str, Field(description="Another than the shop's own.")] = "",
    characters: Annotated[
        int, Field(ge=1, le=20_000, description="Length of a text, where none was read before.")
    ] = 100,
) -> Cost:
    """What models cost this month against the budget, and what reading so many texts would cost."""
    from shopkeeper.models.costing import costed

    return costed(ctx.shop, texts, task, model, characters)
