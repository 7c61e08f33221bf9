"""The experiment that a campaign is: its arms, its measures, and who is in it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final

from shopkeeper.campaigns.designing import CONTROL, arms_of
from shopkeeper.campaigns.types import Design
from shopkeeper.core.errors import Conflict, NotFound
from shopkeeper.decisions.assignment import Arm, Draw, Drawn, held_out
from shopkeeper.experiments import running
from shopkeeper.experiments.types import Design as Trial
from shopkeeper.experiments.types import Variant
from shopkeeper.shop.shop import Shop
from shopkeeper.store.assignments import Holdouts
from shopkeeper.store.campaigns import Stored
from shopkeeper.store.experiments import Experiments

REVENUE: Final = "revenue"
MARGIN: Final = "margin"
_LEAST: Final = 20
_ACTOR: Final = "campaigns"


def has_trial(stored: Stored) -> bool:
    """Whether there is anything to compare: a campaign of one template and no hold-out has not."""
    return len(stored.arms) > 1


def begun(shop: Shop, stored: Stored, units: int) -> None:
    """Have the campaign's experiment run; does what a dead process did not, and nothing twice.

    It has a layer of its own: its draw is independent of every other experiment's.
    """
    if not has_trial(stored):
        return
    store = Experiments(shop.database)
    actor = stored.confirmed_by or stored.created_by
    try:
        known = store.get(stored.experiment_id)
    except NotFound:
        running.create(shop, actor, stored.experiment_id, _trial(stored, units))
        known = store.get(stored.experiment_id)
    if known.status == "draft":
        running.start(shop, actor, stored.experiment_id)


def _trial(stored: Stored, units: int) -> Trial:
    design = Design.model_validate(stored.design)
    secondary = tuple(name for name in (REVENUE, MARGIN) if name != design.primary)
    return Trial(
        name=stored.name,
        hypothesis=f"campaign {stored.id}",
        variants=tuple(
            Variant(
                variant_id=one.variant_id,
                share=one.share,
                what=f"{one.template_id}@{one.version}" if one.template_id else CONTROL,
            )
            for one in arms_of(stored)
        ),
        primary=design.primary,
        secondary=secondary,
        days=design.window_days,
        units=max(_LEAST, units),
        layer=stored.experiment_id,
    )


def settled(shop: Shop, stored: Stored, units: int | None = None) -> None:
    """Plan the experiment for so many customers; without a number for those who were drawn.

    How many they are is known before any outcome is, so the error of the rule stays what it was.
    """
    if not has_trial(stored):
        return
    store = Experiments(shop.database)
    known = store.get(stored.experiment_id)
    if units is None:
        units = sum(store.assigned(stored.experiment_id).values())
    units = max(_LEAST, units)
    if known.status == "running" and known.design["units"] != units:
        told: dict[str, Any] = {**known.design, "units": units}
        note = (shop.now(), _ACTOR, "planned for those who are in it")
        store.redesign(stored.experiment_id, note, told)


def ended(shop: Shop, stored: Stored, reason: str) -> None:
    """End the campaign's experiment, if it runs: nobody is drawn any more, and results go on to ripen."""
    if not has_trial(stored):
        return
    try:
        known = Experiments(shop.database).get(stored.experiment_id)
    except NotFound:  # stopped before it was ever confirmed
        return
    if known.status == "running":
        with suppress(Conflict):  # a person was faster
            running.stop(shop, _ACTOR, stored.experiment_id, reason)


class Chooser:
    """Draws customers of one campaign into its arms; the standing hold-out goes before."""

    def __init__(self, shop: Shop, stored: Stored) -> None:
        self._arms = arms_of(stored)
        self._holdout = Holdouts(shop.database).current()
        self._draw: Draw | None = None
        if has_trial(stored):
            known = Experiments(shop.database).get(stored.experiment_id)
            shares = [Arm(one.variant_id, one.share) for one in self._arms]
            self._draw = Draw(shop, known, shares)

    def of(self, customer_ids: Sequence[str]) -> list[Drawn]:
        """What each gets, in order; kept before this returns."""
        if self._draw is not None:
            return self._draw.of(customer_ids)
        only, hold = self._arms[0].variant_id, self._holdout
        return [
            Drawn(one, None, None, "held_out")
            if hold is not None and held_out(hold.salt, hold.share, one)
            else Drawn(one, only, 1.0, "assigned")
            for one in customer_ids
        ]
