"""What a look, a wish, a cart and a purchase weigh in a history: learned by head from held-back choices.

A purchase weighs 1 and a look or a cart what explains the choices best, each tried in turn over a few values
(coordinate ascent); a wish lies between the two, at their geometric mean. The weights that come with
:data:`~shopkeeper.recommend.history.STRENGTH` stay unless others are better by more than one standard
error of the difference, so that chance changes nothing (Breiman et al., 1984, the one-standard-error rule).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final, cast

import numpy as np

from shopkeeper.core.events import ADD_TO_CART, ADD_TO_WISHLIST, PURCHASE, VIEW_ITEM
from shopkeeper.recommend.cases import select
from shopkeeper.recommend.heads.base import ByBehaviour, FittedHead, Queries
from shopkeeper.recommend.history import LEVELS, STRENGTH, Floats, Ints
from shopkeeper.recommend.mixture import Mask
from shopkeeper.recommend.weighing import SHARPNESS, likelihoods, of_chosen, weigh

LOOKS: Final = (0.02, 0.05, 0.2, 0.5, 1.0, 2.0)
CARTS: Final = (0.2, 0.5, 1.0, 2.0, 5.0)
CASES: Final = 1000
"""Choices that suffice: one number is chosen among a few."""

_NAMES: Final = tuple(
    next(name for name in (VIEW_ITEM, ADD_TO_WISHLIST, ADD_TO_CART, PURCHASE) if STRENGTH[name] == level)
    for level in LEVELS
)  # fmt: skip


def told(head: FittedHead) -> dict[str, float]:
    """The head's weights by name of the event; empty where it does not tell behaviours apart."""
    if not isinstance(head, ByBehaviour):
        return {}
    return {name: round(float(w), 4) for name, w in zip(_NAMES, head.behaviours, strict=True)}


def adopted(
    heads: Mapping[str, FittedHead], learned: Mapping[str, FittedHead]
) -> dict[str, FittedHead]:
    """The heads with the weights that others of the same names have learned."""
    weights = {n: one.behaviours for n, one in learned.items() if isinstance(one, ByBehaviour)}
    return {n: _with(one, weights[n]) if n in weights else one for n, one in heads.items()}


def behaving(
    heads: Mapping[str, FittedHead], queries: Queries, chosen: Ints, mask: Mask
) -> dict[str, FittedHead]:
    """The heads with the weights that explain these choices best, each beside the first head.

    Where the histories hold one behaviour alone there is nothing to learn, and nothing is tried.
    """
    if len(np.unique(queries.strength)) < 2:
        return dict(heads)
    rows = np.sort(np.random.default_rng(0).permutation(len(queries))[:CASES])
    excluded = None if mask.excluded is None else mask.excluded[rows]
    some = _Choices(select(queries, rows), chosen[rows], replace(mask, excluded=excluded))
    names = list(heads)
    first = some.given(heads[names[0]], (1.0,))[0]
    return {
        name: _learned(head, first, some) if isinstance(head, ByBehaviour) else head
        for name, head in heads.items()
    }


class _Choices:
    """The choices that candidates are tried on."""

    def __init__(self, queries: Queries, chosen: Ints, mask: Mask) -> None:
        self._of = (queries, chosen, mask)

    def given(self, head: FittedHead, sharpness: tuple[float, ...]) -> list[Floats]:
        """The probability that the head gives to each choice, by sharpness."""
        return [said.given for said in of_chosen(head, *self._of, sharpness)]


def _learned(head: FittedHead, first: Floats, some: _Choices) -> FittedHead:
    tables = [_beside(first, own) for own in some.given(head, SHARPNESS)]
    place = int(np.argmax([float(table.mean()) for table in tables]))
    before = best = tables[place]
    weights = LEVELS.copy()
    for name, candidates in ((VIEW_ITEM, LOOKS), (ADD_TO_CART, CARTS)):
        at = _NAMES.index(name)
        for value in candidates:
            tried = weights.copy()
            tried[at] = value
            tried[_NAMES.index(ADD_TO_WISHLIST)] = np.sqrt(
                tried[_NAMES.index(VIEW_ITEM)] * tried[_NAMES.index(ADD_TO_CART)]
            )
            own = some.given(_with(head, tried), (SHARPNESS[place],))[0]
            now = _beside(first, own)
            if now.mean() > best.mean():
                best, weights = now, tried
    gain = best - before
    error = float(gain.std()) / len(gain) ** 0.5
    return _with(head, weights) if gain.mean() > error else head


def _beside(first: Floats, own: Floats) -> Floats:
    """Log-likelihood of each choice under the head mixed with the first."""
    table = np.stack([first, own], axis=1)
    return likelihoods(table, weigh(table))


def _with(head: FittedHead, weights: Floats) -> FittedHead:
    made: Any = replace(cast("Any", head), behaviours=weights)
    return cast("FittedHead", made)
