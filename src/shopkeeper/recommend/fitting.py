"""Fits the heads and the weights of their mixture on a shop's own data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from shopkeeper.core import discovery
from shopkeeper.recommend.behaviours import adopted, behaving
from shopkeeper.recommend.cases import Cases, choices_since, last_choices, owned, rebought
from shopkeeper.recommend.heads.base import FittedHead, Goods, Head, Queries
from shopkeeper.recommend.heads.sequence import Sequence
from shopkeeper.recommend.history import DAY_MS, History
from shopkeeper.recommend.mixture import Mask, Mixture
from shopkeeper.recommend.weighing import fit

TRAINED: Final = frozenset({"sequence"})
"""Heads that are trained by gradient descent: minutes to hours, and the extra `train`."""

LEAST: Final = 200
"""Fewer validation choices than this say too little about weights."""

_WINDOWS: Final = (7, 14, 28, 56)
_FIRST = "popular"
_HEADS: Final = "shopkeeper.recommend.heads"

Step = Callable[[str], None]
"""Told which head is fitted next."""


@dataclass(frozen=True)
class Weighing:
    """A mixture fitted on everything, and the choices that its weights were fitted on."""

    mixture: Mixture
    judged: Mixture
    """The same, its heads fitted without the choices of ``cases``."""
    cases: Cases
    window_days: int

    @property
    def validated(self) -> int:
        return len(self.cases.chosen)


def heads(*, sequence: Sequence | None = None) -> dict[str, Head]:
    """The heads by name; the one that covers the whole catalogue comes first.

    Args:
        sequence: with this transformer, which takes minutes.
    """
    names = [n for n in discovery.names(_HEADS) if n not in TRAINED]
    ordered = [_FIRST, *(name for name in names if name != _FIRST)]
    made = {name: discovery.load(_HEADS, name, what="head").HEAD() for name in ordered}
    return made if sequence is None else {**made, "sequence": sequence}


def fit_heads(
    history: History, goods: Goods, tell: Step, recipes: Mapping[str, Head]
) -> dict[str, FittedHead]:
    """Every head of these, fitted on this history."""
    fitted: dict[str, FittedHead] = {}
    for name, head in recipes.items():
        tell(name)
        fitted[name] = head.fit(history, goods)
    return fitted


def mask(history: History, queries: Queries) -> Mask:
    """All items but those each customer has bought; what is bought again and again stays."""
    everything = np.ones(len(history.item_ids), dtype=bool)
    return Mask(everything, owned(queries, rebought(history)))


def validation(history: History, most: int) -> tuple[Cases, int] | None:
    """The choices of the last week, or of as many weeks as make it enough; None: they never do.

    The weeks are taken off the end: as in service, weights are judged on what models could not know.
    """
    for days in _WINDOWS:
        cases = choices_since(history, history.end - days * DAY_MS + 1, most)
        if len(cases.chosen) >= LEAST and len(cases.learned.item):
            return cases, days
    return None


def fit_mixture(
    history: History, goods: Goods, tell: Step, recipes: Mapping[str, Head], most: int = 5000
) -> Weighing | None:
    """Weights on the latest choices, by heads that have not seen them; then heads on everything.

    Returns:
        None: there are too few choices to fit weights on.
    """
    found = validation(history, most)
    if found is None:
        return None
    cases, days = found
    weighed = weigh_on(cases, goods, tell, recipes)
    fitted = adopted(fit_heads(history, goods, tell, recipes), weighed.heads)
    return Weighing(replace(weighed, heads=fitted), weighed, cases, days)


def weigh_on(cases: Cases, goods: Goods, tell: Step, recipes: Mapping[str, Head]) -> Mixture:
    """The mixture that explains these choices best, its heads fitted on what came before them."""
    fitted = fit_heads(cases.learned, goods, tell, recipes)
    tell("weights")
    shown = mask(cases.learned, cases.queries)
    fitted = behaving(fitted, cases.queries, cases.chosen, shown)
    return fit(fitted, cases.queries, cases.chosen, shown)


def last_validation(history: History, most: int) -> Cases:
    """Everybody's last choice of this history: the validation of leave-one-out."""
    return last_choices(history, most, seed=1)
