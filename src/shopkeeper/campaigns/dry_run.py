"""The dry run as people see it: counts, samples, cost, and what the hold-out will be able to show."""

from __future__ import annotations

from typing import Final

from shopkeeper.campaigns.designing import CONTROL, campaign_of, reckoned
from shopkeeper.campaigns.reckoning import Reckoning, reckon
from shopkeeper.campaigns.types import Design, DryRun, Power
from shopkeeper.campaigns.wording import say
from shopkeeper.core.settings import Language
from shopkeeper.core.types import CannotSay, Estimate
from shopkeeper.experiments import planning
from shopkeeper.shop.shop import Shop
from shopkeeper.store.campaigns import Campaigns

_HOPED: Final = 0.1
_PROBLEMS: Final = 20
_POWER: Final = 0.8


def dry_run(shop: Shop, campaign_id: str, lang: Language) -> DryRun:
    """What would happen if it started now; nothing is sent or kept.

    Raises:
        NotFound: there is no such campaign, segment or template.
        Conflict: a template has no approved version.
    """
    stored = Campaigns(shop.database).get(campaign_id)
    design = Design.model_validate(stored.design)
    made = reckon(shop, stored)
    return DryRun(
        campaign=campaign_of(stored),
        as_of=made.at,
        audience=made.audience,
        reached=made.reached,
        counts=reckoned(made.counts),
        estimated=made.estimated,
        samples=tuple(made.samples),
        problems=tuple(made.problems)[:_PROBLEMS],
        cost=_cost(design, made, lang),
        power=_power(shop, design, made, lang),
        policy=made.policy,
    )


def _cost(design: Design, made: Reckoning, lang: Language) -> Estimate | CannotSay:
    if design.cost_per_message is None:
        return CannotSay(reason=say(lang, "no_cost"), needed=say(lang, "no_cost_needed"))
    cost = made.reached * design.cost_per_message
    return Estimate(value=cost, low=cost, high=cost, n=made.reached, level=1.0)


def _power(shop: Shop, design: Design, made: Reckoning, lang: Language) -> Power | CannotSay:
    """What can be found of the arms as they are shared out, from how customers behaved lately."""
    if made.arms[0].variant_id != CONTROL:
        return CannotSay(reason=say(lang, "no_hold_out"), needed=say(lang, "no_hold_out_needed"))
    if not made.compared:
        return CannotSay(reason=say(lang, "nobody"), needed=say(lang, "nobody_needed"))
    count = len(made.arms)
    found = planning.plan(shop, design.primary, _HOPED, (count, _POWER), True, lang)
    if found.cannot_say is not None:
        return found.cannot_say
    fixed = next(one for one in found.prices if one.rule == "obrien_fleming")
    # Priced for equal arms; the variance of a difference goes with 1/a + 1/b of the arms' shares.
    uneven = 1 / made.arms[0].share + 1 / made.arms[1].share
    needed = fixed.units / count / 2 * uneven
    return Power(
        metric=design.primary,
        power=_POWER,
        compared=made.compared,
        least_effect=_HOPED * (needed / made.compared) ** 0.5,
        wanted_effect=_HOPED,
        needed=round(needed),
        days=design.window_days + 1,
    )
