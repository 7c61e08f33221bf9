"""What `recommend` can do."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from shopkeeper.core.operation import READ, Context, operation
from shopkeeper.core.settings import Language
from shopkeeper.recommend.types import Popular, Related, Slate

Length = Annotated[int, Field(ge=1, le=100)]


@operation(effect=READ, example={"customer_id": "C1", "k": 5})
def items(
    ctx: Context, customer_id: str, k: Length = 10, live: bool = True, lang: Language = "en"
) -> Slate:
    """What to show one customer: items that go with their own history, then popular ones, with reasons.

    With ``live`` an event counts as soon as it is acknowledged; without, once it is in the tables.
    """
    from shopkeeper.recommend.lists import slate

    return slate(ctx.shop, customer_id, k, live, lang)


@operation(effect=READ, example={"k": 5})
def popular(ctx: Context, k: Length = 10, lang: Language = "en") -> Popular:
    """The items that most customers wanted lately; a customer's weight halves every 14 days."""
    from shopkeeper.recommend.lists import popular as listed

    return listed(ctx.shop, k, lang)


@operation(effect=READ, example={"item_id": "SKU-1", "k": 5})
def related(ctx: Context, item_id: str, k: Length = 10, lang: Language = "en") -> Related:
    """What the same customers chose together with, or after, one item."""
    from shopkeeper.recommend.lists import related as listed

    return listed(ctx.shop, item_id, k, lang)
