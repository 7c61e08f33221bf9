"""Lists that customers see: made, written to the log of decisions with the chance of each place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from shopkeeper.core.settings import Language
from shopkeeper.decisions.assignment import expose
from shopkeeper.decisions.log import RECOMMEND, Choice, Decision, record
from shopkeeper.recommend.composing import Asked, Composed
from shopkeeper.recommend.lists import Listing
from shopkeeper.recommend.model import own
from shopkeeper.recommend.types import Slate
from shopkeeper.shop.shop import Shop

_MOST: Final = 20


def show(
    shop: Shop, customer_id: str, asked: Asked, context: Mapping[str, str], lang: Language
) -> Slate:
    """The list for one customer, recorded before it is answered; one without items is not recorded."""
    seen = shop.state.glance()
    rows = own(shop, customer_id, live=asked.live, seen=seen)
    slate, made = Listing(shop, lang, seen=seen).of(customer_id, rows, asked)
    if not slate.slots:
        return slate
    told = {**context, "page": asked.page, "k": str(asked.k)}
    if slate.missing is not None:
        told["missing"] = slate.missing.reason
    if not slate.personalised:
        told["why"] = "personalisation refused"
    if made.explored:
        told["explore"] = str(made.explored)
    if made.variant is not None:
        experiment_id, variant = made.variant
        told |= {"experiment_id": experiment_id, "variant_id": str(variant.variant_id)}
        expose(shop, experiment_id, [variant], shop.now())
    record(
        shop,
        [
            Decision(
                decision_id=made.decision_id,
                time=shop.now(),
                customer_id=customer_id,
                kind=RECOMMEND,
                choices=choices(slate, made),
                policy=f"{slate.model}/rules-{slate.rules_version}",
                rules=made.fired,
                context=told,
                personalised=slate.personalised,
            )
        ],
    )
    return slate.model_copy(update={"decision_id": made.decision_id})


def choices(slate: Slate, made: Composed) -> Sequence[Choice]:
    """Each place with its chance, and the chances of what could have stood there."""
    found = []
    for slot, place in zip(slate.slots, made.arranged.places, strict=True):
        ids = [made.item_ids[item].as_py() for item in place.among[:_MOST].tolist()]
        chances = dict(zip(ids, place.chances.tolist(), strict=True))
        found.append(Choice(slot.item_id, place.propensity, chances))
    return found
