"""One page of a campaign's audience: who may be reached and has a letter is drawn, exposed and queued."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from shopkeeper.campaigns.designing import CONTROL, arms_of
from shopkeeper.campaigns.leaving import told
from shopkeeper.campaigns.trying import Chooser, has_trial
from shopkeeper.campaigns.types import Arm, Design
from shopkeeper.contact.eligibility import Why, judge
from shopkeeper.contact.enqueueing import Order, enqueue
from shopkeeper.contact.looking import asked
from shopkeeper.content.approved import approved
from shopkeeper.content.rendering import Rendered, letters
from shopkeeper.content.types import Version
from shopkeeper.decisions.assignment import Drawn, expose
from shopkeeper.shop.shop import Shop
from shopkeeper.store.assignments import Assignments
from shopkeeper.store.campaigns import Stored
from shopkeeper.store.outbox import Outbox
from shopkeeper.store.reach import reading
from shopkeeper.store.suppressions import Suppressions

QUEUED, HELD_OUT, BUDGET, NO_LETTER = "queued", "hold_out", "budget", "no_letter"
_REACHED: Final = (Why.OK, Why.QUIET)
_WORDS: Final = {"held_out": HELD_OUT}

Letters = Mapping[str, Mapping[str, Rendered]]
"""By variant, by customer."""


class Page:
    """Handles pages of one campaign.

    Raises:
        NotFound, Conflict: a template is no longer as it was approved.
    """

    def __init__(self, shop: Shop, stored: Stored) -> None:
        self._shop = shop
        self._stored = stored
        self._design = Design.model_validate(stored.design)
        self._chooser = Chooser(shop, stored)
        self._variants: dict[str, tuple[Arm, Version]] = {
            arm.variant_id: (arm, approved(shop, arm.template_id, arm.version))
            for arm in arms_of(stored)
            if arm.template_id is not None
        }

    def spent(self, counts: Mapping[str, int]) -> bool:
        """Whether the budget reaches for no further message."""
        return self._left(counts) == 0

    def _left(self, counts: Mapping[str, int]) -> int | None:
        """Messages that the budget still reaches for; None: there is no budget."""
        design = self._design
        if design.budget is None or not design.cost_per_message:
            return None
        return max(0, affordable(design.budget, design.cost_per_message) - counts.get(QUEUED, 0))

    def handle(self, ids: Sequence[str], counts: Mapping[str, int]) -> Counter[str]:
        """Have these reached, or held out, or left out; how many by reason. ``counts`` are those so far."""
        known = self._drawn_before(ids)
        found: Counter[str] = Counter()
        fresh = self._reachable([one for one in ids if one not in known], found)
        made = self._letters([*known, *fresh])
        fresh = [one for one in fresh if not self._lacks(made, one, found)]
        left = self._left(counts)
        if left is not None:
            left = max(0, left - len(known))
            found[BUDGET] += max(0, len(fresh) - left)
            fresh = fresh[:left]
        drawn = self._chooser.of([*known, *fresh])
        if has_trial(self._stored):
            expose(self._shop, self._stored.experiment_id, drawn, self._shop.now())
        nothing = (one for one in drawn if one.variant_id in (None, CONTROL))
        found.update(one.variant_id or _WORDS.get(one.why, one.why) for one in nothing)
        for variant_id in self._variants:
            theirs = [one for one in drawn if one.variant_id == variant_id]
            found.update(self._queue(variant_id, theirs, made[variant_id]))
        return +found

    def _drawn_before(self, ids: Sequence[str]) -> Collection[str]:
        """Those whom a process that died had drawn already, or queued a message to, in order."""
        if has_trial(self._stored):
            store = Assignments(self._shop.database)
            known: Collection[str] = store.known(self._stored.experiment_id, set(ids))
        else:
            known = Outbox(self._shop.database).had(self._stored.step, ids)
        return [one for one in ids if one in known]

    def _reachable(self, ids: list[str], found: Counter[str]) -> list[str]:
        """Those who may be reached; the others are counted."""
        _, ask = asked(self._shop, self._stored.channel, self._stored.purpose)
        with reading(self._shop.database) as reach:
            verdicts = judge(reach, Suppressions(self._shop.database), ask, ids)
        found.update(one.why.value for one in verdicts if one.why not in _REACHED)
        return [one.customer_id for one in verdicts if one.why in _REACHED]

    def _letters(self, ids: Sequence[str]) -> Letters:
        """Each customer's letter of every variant: who lacks one of them is in no arm."""
        return {
            variant_id: {one.customer_id: one for one in letters(self._shop, version, ids)}
            for variant_id, (_, version) in self._variants.items()
        }

    def _lacks(self, made: Letters, customer: str, found: Counter[str]) -> bool:
        for by_customer in made.values():
            if problem := problem_of(by_customer.get(customer)):
                found[problem] += 1
                return True
        return False

    def _queue(
        self, variant_id: str, drawn: Sequence[Drawn], made: Mapping[str, Rendered]
    ) -> Counter[str]:
        """Queue the letters of one variant; how many by reason."""
        if not drawn:
            return Counter()
        ids = [one.unit_id for one in drawn]
        had = Outbox(self._shop.database).had(self._stored.step, ids)
        problems = {one: problem_of(made.get(one)) for one in ids if one not in had}
        found = Counter(why for why in problems.values() if why)
        found[QUEUED] += len(had)
        order = self._order(variant_id, drawn[0].propensity)
        going = [(one, made[one].content or {}) for one, why in problems.items() if not why]
        return +(found + enqueue(self._shop, order, going))

    def _order(self, variant_id: str, propensity: float | None) -> Order:
        stored, now = self._stored, self._shop.now()
        _, version = self._variants[variant_id]
        labels: dict[str, Any] = {"content_id": version.content_id, **told(version)}
        if has_trial(stored):
            labels |= {
                "experiment_id": stored.experiment_id,
                "variant_id": variant_id,
                "propensity": propensity,
            }
        ends: datetime | None = self._design.ends_at
        return Order(
            stored.step, stored.channel, stored.purpose, stored.id, labels, now, not_after=ends
        )


def problem_of(one: Rendered | None) -> str:
    """Why a customer has no letter; empty: they have one."""
    if one is None:
        return NO_LETTER
    return one.problem


def affordable(budget: float, cost: float) -> int:
    """Messages that a budget reaches for; a hair's breadth of rounding is not held against it."""
    return int(budget / cost + 1e-9)
