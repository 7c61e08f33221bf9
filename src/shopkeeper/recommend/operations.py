"""What `recommend` can do."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from shopkeeper.core.operation import READ, WRITE, Context, operation
from shopkeeper.core.period import Period
from shopkeeper.core.settings import Language
from shopkeeper.recommend.rules.language import Rules
from shopkeeper.recommend.types import (
    Batch,
    BuyAgain,
    Comparison,
    Evaluation,
    Fit,
    NextAction,
    Phrase,
    Popular,
    Related,
    RuleBooks,
    Shelf,
    ShownValue,
    Slate,
    Versions,
    WhatIf,
)

Length = Annotated[int, Field(ge=1, le=100)]
Weeks = Annotated[int, Field(ge=1, le=12)]
Cases = Annotated[int, Field(ge=50, le=1_000_000)]
Share = Annotated[float, Field(ge=0, le=1)]
Page = Annotated[str, Field(max_length=80)]
Sample = Annotated[int, Field(ge=20, le=5000)]
Cart = Annotated[tuple[str, ...], Field(min_length=1, max_length=100)]
Told = Annotated[dict[str, str], Field(max_length=20)]
Reward = Literal["purchase", "add_to_cart", "select_item", "view_item"]
Window = Annotated[int, Field(ge=1, le=60)]
_MONTH = Period("30d")
Candidates = Annotated[tuple[str, ...], Field(min_length=1, max_length=500)]
Excluded = Annotated[tuple[str, ...], Field(max_length=1000)]


@operation(effect=READ, example={"customer_id": "C1", "k": 5}, page="waits")
def items(
    ctx: Context,
    customer_id: str,
    k: Length = 10,
    live: bool = True,
    exclude: Excluded = (),
    page: Page = "",
    lang: Language = "en",
) -> Slate:
    """What to show one customer now, likeliest first, with reasons; popular items to who refuses that.

    With ``live`` an event counts as soon as it is acknowledged; without, once it is in the tables.
    ``exclude`` names items that must not stand in this list, ``page`` is the placement that rules may
    name. Before `recommend fit` has fitted a mixture, a list is what goes with the customer's history,
    then what is popular. Nothing is recorded or explored: `recommend show` does that.
    """
    from shopkeeper.recommend.composing import Asked
    from shopkeeper.recommend.lists import slate

    return slate(ctx.shop, customer_id, Asked(k, live, frozenset(exclude), page), lang)


@operation(
    effect=READ,
    example={"customer_id": "C1", "page": "home", "k": 5},
    page="shows",
)
def show(
    ctx: Context,
    customer_id: str,
    page: Page = "",
    k: Length = 10,
    exclude: Excluded = (),
    context: Told | None = None,
    lang: Language = "en",
) -> Slate:
    """The list that a customer is about to see: like `recommend items`, live, recorded and explored.

    It is written to the log of decisions, with the chance that each place had, before it is answered.
    That record is all that it writes, so a key that may read may call it, as a shop's page does.
    ``context`` is kept beside it: a device or a test's name, never words of the customer.
    """
    from shopkeeper.recommend.composing import Asked
    from shopkeeper.recommend.showing import show as shown

    asked = Asked(k, exclude=frozenset(exclude), page=page, record=True)
    return shown(ctx.shop, customer_id, asked, context or {}, lang)


@operation(effect=WRITE, job=True, nightly=True)
def fit(ctx: Context, sequence: bool = False, hold: bool = False) -> Fit:
    """Fit all heads and the weights of their mixture; unless it is surely worse, it makes the lists.

    Weights are fitted on the choices of the last week (or of up to eight, until there are 200) by heads
    that have not seen them; then the heads are fitted on everything. On the same choices the version that
    serves is compared; one that is surely worse waits as a candidate.

    Args:
        ctx: the shop and who asks.
        sequence: with the transformer over the latest items: minutes more, and the extra `train`.
        hold: let the version wait as a candidate in any case.
    """
    from shopkeeper.recommend.release import release

    return release(ctx.shop, ctx.progress, sequence=sequence, hold=hold)


@operation(effect=WRITE, job=True)
def batch(ctx: Context, k: Length = 10) -> Batch:
    """Write the lists of all customers to a Parquet file in the shop's folder `lists`."""
    from shopkeeper.recommend.batch import batch as written

    return written(ctx.shop, k, ctx.progress)


@operation(effect=READ, example={})
def versions(ctx: Context) -> Versions:
    """The fitted versions, newest first: which serves, what the gate and the shadow run say of each."""
    from shopkeeper.recommend.releases import shown

    return shown(ctx.shop)


@operation(effect=WRITE, job=True)
def shadow(ctx: Context, customers: Sample = 500) -> Comparison:
    """Let the newest candidate answer beside the version that serves, for customers of late."""
    from shopkeeper.recommend.releases import shadow as compared

    return compared(ctx.shop, customers, ctx.progress)


@operation(effect=WRITE, example={"version": "20260101T020000", "share": 0.05})
def shadow_live(ctx: Context, version: str, share: Share = 0.05) -> Versions:
    """Let a version answer a share of live requests beside what serves, unseen; share 0 ends it.

    `recommend versions` tells how much its lists have in common with those shown, its order, time and
    errors. Whatever it does, the customer's answer was made before.
    """
    from shopkeeper.recommend.releases import shadow_live as shadowed

    return shadowed(ctx.shop, version, share)


@operation(effect=WRITE, example={"version": "20260101T020000", "experiment_id": "model-2"})
def stage(
    ctx: Context,
    version: str,
    experiment_id: str,
    variant_id: str = "treatment",
    force: bool = False,
) -> Versions:
    """Let a version make the lists of those who have a variant of an experiment; others see what serves.

    The experiment says who and how many, and judges it. `recommend roll-back` or the end of the
    experiment takes it back; ``force`` overrules the gate.
    """
    from shopkeeper.recommend.releases import stage as staged

    return staged(ctx.shop, version, experiment_id, variant_id, force=force)


@operation(effect=WRITE, example={"version": "20260101T020000"})
def promote(ctx: Context, version: str, force: bool = False) -> Versions:
    """Let a version make the lists: at once, on a server within a second; ``force`` overrules the gate."""
    from shopkeeper.recommend.releases import promote as promoted

    return promoted(ctx.shop, version, force=force)


@operation(effect=WRITE)
def roll_back(ctx: Context) -> Versions:
    """Take a version out of its experiment; if none is in one, let the version before serve again."""
    from shopkeeper.recommend.releases import roll_back as rolled_back

    return rolled_back(ctx.shop)


@operation(effect=READ, example={"weeks": 1, "most": 200}, job=True)
def evaluate(
    ctx: Context,
    weeks: Weeks = 2,
    most: Cases = 5000,
    sequence: bool = False,
    lang: Language = "en",
) -> Evaluation:
    """How good the lists would have been: each head, the mixture, and what is popular in seven days.

    Two protocols: everybody's last choice left out, and each customer's first choice in each of the
    last ``weeks``; at most ``most`` customers each. The full catalogue is ranked; intervals are by
    bootstrap over customers.
    """
    from shopkeeper.recommend.evaluation_page import write
    from shopkeeper.recommend.release import evaluated

    found = evaluated(ctx.shop, weeks, most, ctx.progress, sequence=sequence)
    return found.model_copy(update={"report": write(ctx.shop, found, lang)})


@operation(effect=READ, example={"k": 5}, page="waits")
def popular(ctx: Context, k: Length = 10, page: Page = "", lang: Language = "en") -> Popular:
    """The items that most customers wanted lately; a customer's weight halves every 14 days."""
    from shopkeeper.recommend.composing import Asked
    from shopkeeper.recommend.lists import popular as listed

    return listed(ctx.shop, Asked(k, page=page), lang)


@operation(effect=READ, example={"item_id": "SKU-1", "k": 5}, page="waits")
def related(
    ctx: Context, item_id: str, k: Length = 10, page: Page = "", lang: Language = "en"
) -> Related:
    """What the same customers chose together with, or after, one item."""
    from shopkeeper.recommend.composing import Asked
    from shopkeeper.recommend.shelves import related as listed

    return listed(ctx.shop, item_id, Asked(k, page=page), lang)


@operation(effect=READ, example={"item_id": "SKU-1", "k": 5}, page="waits")
def similar(
    ctx: Context, item_id: str, k: Length = 10, page: Page = "", lang: Language = "en"
) -> Related:
    """What is like one item by brand and category; among equals, what is near its price."""
    from shopkeeper.recommend.composing import Asked
    from shopkeeper.recommend.shelves import similar as listed

    return listed(ctx.shop, item_id, Asked(k, page=page), lang)


@operation(effect=READ, example={"items": ["SKU-1"], "k": 5}, page="waits")
def complements(
    ctx: Context, items: Cart, k: Length = 10, page: Page = "", lang: Language = "en"
) -> Shelf:
    """What others bought in the same order as the items of a cart."""
    from shopkeeper.recommend.composing import Asked
    from shopkeeper.recommend.shelves import complements as listed

    return listed(ctx.shop, items, Asked(k, page=page), lang)


@operation(effect=READ, example={"k": 5}, page="waits")
def trending(ctx: Context, k: Length = 10, page: Page = "", lang: Language = "en") -> Shelf:
    """What more customers choose than before: the last seven days against the four weeks before."""
    from shopkeeper.recommend.composing import Asked
    from shopkeeper.recommend.shelves import trending as listed

    return listed(ctx.shop, Asked(k, page=page), lang)


@operation(effect=READ, example={"customer_id": "C1"}, page="waits")
def buy_again(ctx: Context, customer_id: str, k: Length = 10, lang: Language = "en") -> BuyAgain:
    """What the customer buys again and again, and when each is due; the soonest first."""
    from shopkeeper.recommend.composing import Asked
    from shopkeeper.recommend.due import buy_again as listed

    return listed(ctx.shop, customer_id, Asked(k), lang)


@operation(effect=READ, example={"customer_id": "C1"}, page="waits")
def next_action(ctx: Context, customer_id: str, k: Length = 3, lang: Language = "en") -> NextAction:
    """What to do for a customer next: remind of the cart, offer what is due, recommend, or nothing."""
    from shopkeeper.recommend.composing import Asked
    from shopkeeper.recommend.due import next_action as chosen

    return chosen(ctx.shop, customer_id, Asked(k), lang)


@operation(effect=READ, example={})
def rules(ctx: Context) -> RuleBooks:
    """The rules that hold for lists, the draft with what is wrong with it, and the versions before."""
    from shopkeeper.recommend.rules.editing import shown

    return shown(ctx.shop)


@operation(
    effect=WRITE,
    example={"rules": [{"kind": "limit", "name": "two a brand", "by": "brand", "most": 2}]},
)
def draft_rules(ctx: Context, rules: Rules, note: str = "") -> RuleBooks:
    """Keep rules as the draft, in the place of an earlier one; names rules that are in conflict.

    Args:
        ctx: the shop and who asks.
        rules: JSON, for example [{"kind": "limit", "name": "two a brand", "by": "brand", "most": 2}].
        note: what the version is for.
    """
    from shopkeeper.recommend.rules.editing import drafted

    return drafted(ctx.shop, rules, note)


@operation(effect=WRITE, example={"version": 1})
def publish_rules(ctx: Context, version: int) -> RuleBooks:
    """Let the draft of this version hold from the next request on."""
    from shopkeeper.recommend.rules.editing import publish

    return publish(ctx.shop, version)


@operation(effect=WRITE)
def undo_rules(ctx: Context) -> RuleBooks:
    """Publish the rules before the published ones again; asked twice, it goes forward again."""
    from shopkeeper.recommend.rules.editing import undo

    return undo(ctx.shop)


@operation(effect=WRITE)
def discard_rules(ctx: Context) -> RuleBooks:
    """Throw the draft of the rules away."""
    from shopkeeper.recommend.rules.editing import discard

    return discard(ctx.shop)


@operation(effect=READ, job=True)
def what_if(ctx: Context, customers: Sample = 200, k: Length = 10, page: Page = "") -> WhatIf:
    """What the draft of the rules would change: the lists of a sample of customers by both."""
    from shopkeeper.recommend.rules.what_if import what_if as compared

    return compared(ctx, customers, k, page)


@operation(effect=READ, example={"since": "30d"})
def value(
    ctx: Context, since: Period = _MONTH, reward: Reward = "purchase", days: Window = 7
) -> ShownValue:
    """What recorded lists earned, and what other ways to choose would have, by off-policy estimators.

    A place earned the reward if the customer's event of that name on its item came within ``days``.
    """
    from shopkeeper.recommend.value import value as estimated

    return estimated(ctx.shop, since, reward, days)


@operation(effect=READ, example={"customer_id": "C1", "item_id": "SKU-1"})
def phrase(
    ctx: Context, customer_id: str, item_id: str, lang: Language = "en", model: str = ""
) -> Phrase:
    """A title and a text for one item, for this customer's interests, that claim nothing without a fact.

    By a grammar from the item's facts; by the shop's language model where it has one (or ``model``), if
    each of its words stands in the facts that it names. Who refuses personalisation gets plain words.
    """
    from shopkeeper.recommend.phrasing.writing import phrase as written

    return written(ctx.shop, customer_id, item_id, lang, model)


@operation(effect=READ, example={"customer_id": "C1", "items": ["SKU-1", "SKU-2"]}, page="waits")
def rank(
    ctx: Context, customer_id: str, items: Candidates, page: Page = "", lang: Language = "en"
) -> Slate:
    """These items in the order in which they suit the customer; what may not be shown is left out."""
    from shopkeeper.recommend.composing import Asked
    from shopkeeper.recommend.lists import slate

    asked = Asked(len(set(items)), page=page, only=frozenset(items))
    return slate(ctx.shop, customer_id, asked, lang)
