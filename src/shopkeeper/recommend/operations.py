"""What `recommend` can do."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from shopkeeper.core.operation import READ, WRITE, Context, operation
from shopkeeper.core.settings import Language
from shopkeeper.recommend.types import Evaluation, Fit, Popular, Related, Slate

Length = Annotated[int, Field(ge=1, le=100)]
Weeks = Annotated[int, Field(ge=1, le=12)]
Cases = Annotated[int, Field(ge=50, le=1_000_000)]
Excluded = Annotated[tuple[str, ...], Field(max_length=1000)]


@operation(effect=READ, example={"customer_id": "C1", "k": 5})
def items(
    ctx: Context,
    customer_id: str,
    k: Length = 10,
    live: bool = True,
    exclude: Excluded = (),
    lang: Language = "en",
) -> Slate:
    """What to show one customer now, likeliest first, with reasons; popular items to who refuses that.

    With ``live`` an event counts as soon as it is acknowledged; without, once it is in the tables.
    ``exclude`` names items that must not stand in this list. Before `recommend fit` has fitted a
    mixture, a list is what goes with the customer's history, then what is popular.
    """
    from shopkeeper.recommend.lists import Asked, slate

    return slate(ctx.shop, customer_id, Asked(k, live, frozenset(exclude)), lang)


@operation(effect=WRITE, job=True)
def fit(ctx: Context) -> Fit:
    """Fit all light heads and the weights of their mixture; from then on it makes the lists.

    Weights are fitted on the choices of the last week (or of up to eight, until there are 200), by
    heads that have not seen them; then the heads are fitted on everything.
    """
    from shopkeeper.recommend.release import release

    return release(ctx.shop, ctx.progress)


@operation(effect=READ, example={"weeks": 1, "most": 200}, job=True)
def evaluate(ctx: Context, weeks: Weeks = 2, most: Cases = 5000) -> Evaluation:
    """How good the lists would have been: each head, the mixture, and what is popular in seven days.

    Two protocols: everybody's last choice left out, and each customer's first choice in each of the
    last ``weeks``; at most ``most`` customers each. The full catalogue is ranked; intervals are by
    bootstrap over customers.
    """
    from shopkeeper.recommend.release import evaluated

    return evaluated(ctx.shop, weeks, most, ctx.progress)


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
