"""What `advice` can do."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from shopkeeper.advice.types import Advice, RowsBehind, Suggestion, Taken
from shopkeeper.core.operation import READ, WRITE, Context, operation
from shopkeeper.core.settings import Language

Which = Literal["open", "taken", "dismissed", "gone", "all"]
Name = Annotated[str, Field(min_length=1, max_length=40)]
Why = Annotated[str, Field(max_length=500)]
Rest = Annotated[int, Field(ge=1, le=366)]
Offset = Annotated[int, Field(ge=0)]
Limit = Annotated[int, Field(ge=1, le=1000)]
Number = Annotated[int, Field(ge=1, le=100, description="1 is the first line")]


@operation(
    effect=WRITE, example={}, job=True, nightly=True,
    reads=("customers", "metrics", "insight", "recommend", "contact", "campaigns"),
)  # fmt: skip
def refresh(ctx: Context, lang: Language = "en") -> Advice:
    """Look at the shop anew: three to ten suggestions, the best first, each with its grounds.

    What was dismissed or taken stays away for as long as was said; what has lost its grounds is gone.
    """
    from shopkeeper.advice.making import refresh as verb
    from shopkeeper.advice.showing import listed

    verb(ctx)
    return listed(ctx.shop, "open", lang)


@operation(effect=READ, example={})
def list_(ctx: Context, state: Which = "open", lang: Language = "en") -> Advice:
    """The suggestions as they were found last, and which rules had nothing to say and why."""
    from shopkeeper.advice.showing import listed

    return listed(ctx.shop, state, lang)


@operation(effect=READ, example={"suggestion_id": "A1"})
def show(ctx: Context, suggestion_id: Name, lang: Language = "en") -> Suggestion:
    """One suggestion with its evidence, and what became of it where it was taken."""
    from shopkeeper.advice.showing import shown

    return shown(ctx.shop, suggestion_id, lang)


@operation(effect=READ, example={"suggestion_id": "A1", "line": 1})
def rows(
    ctx: Context,
    suggestion_id: Name,
    line: Number,
    offset: Offset = 0,
    limit: Limit = 50,
    lang: Language = "en",
) -> RowsBehind:
    """The rows behind one line of a suggestion: customers, events, orders, texts, items or predictions."""
    from shopkeeper.advice.rows import rows as verb

    return verb(ctx, suggestion_id, line, (offset, limit), lang)


@operation(effect=WRITE, example={"suggestion_id": "A1", "reason": "the season is over"})
def dismiss(
    ctx: Context, suggestion_id: Name, reason: Why = "", days: Rest = 30, lang: Language = "en"
) -> Suggestion:
    """Put a suggestion away: it does not come again for so many days."""
    from shopkeeper.advice.deciding import dismiss as verb

    return verb(ctx, suggestion_id, reason, days, lang)


@operation(effect=WRITE, example={"suggestion_id": "A1"})
def restore(ctx: Context, suggestion_id: Name, lang: Language = "en") -> Suggestion:
    """Bring a suggestion back that was dismissed or taken."""
    from shopkeeper.advice.deciding import restore as verb

    return verb(ctx, suggestion_id, lang)


@operation(effect=WRITE, example={"suggestion_id": "A1"}, reads=("content",))
def take(ctx: Context, suggestion_id: Name, lang: Language = "en") -> Taken:
    """Take a suggestion: its customers become a segment, and the reply is a draft for `campaigns draft`.

    Taken again it answers the same. What became of it stands in `advice show` once it is a campaign.
    """
    from shopkeeper.advice.deciding import take as verb

    return verb(ctx, suggestion_id, lang)
