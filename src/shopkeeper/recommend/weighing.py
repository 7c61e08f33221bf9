"""Weighs heads by choices that none of them has seen: how sharp each is, and what it counts for whom.

Sharpness is taken from a grid, head by head beside all others; weights by expectation-maximisation (Dempster,
Laird and Rubin, 1977), with a term for heads that are silent and for how sure each is (see :func:`weigh`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from shopkeeper.recommend.confidence import confident
from shopkeeper.recommend.heads.base import FittedHead, Queries
from shopkeeper.recommend.history import Floats, Ints
from shopkeeper.recommend.mixture import (
    BUCKETS,
    CHUNK,
    Mask,
    Mixture,
    concentrated,
    given,
    softmax,
)

SHARPNESS: Final = (0.5, 0.7, 1.0, 1.3, 1.6, 2.0, 2.5, 3.0)

_STEPS: Final = 200
_STEPS_TRIED: Final = 20
_SWEEPS: Final = 4
_LEAST: Final = 1e-12
_PLAIN: Final = SHARPNESS.index(1.0)
_FLOOR: Final = 1e-3
"""The first head's least weight: somebody for whom no other head has anything still gets a list."""
_FLOORS: Final = {"text": 0.01}
"""It alone knows new items, and nearly all choices that weights are fitted on are of items all heads know."""
_UNHEARD: Final = 20.0
"""Choices in which all heads were right alike, added to the real ones: a head that had nothing to say to any
of them (nobody has searched yet) gets a fair share when it speaks."""
_FEW: Final = 200
"""A bucket with fewer validation choices than this leans on everybody's weights."""


@dataclass(frozen=True)
class Said:
    """What a head said of each query: the probability of what was chosen, and how concentrated it was.

    Both are nan where it had nothing to say.
    """

    given: Floats
    concentration: Floats


def fit(heads: Mapping[str, FittedHead], queries: Queries, chosen: Ints, mask: Mask) -> Mixture:
    """The mixture under which these choices, which no head has seen, were likeliest.

    Args:
        heads: in order; the first must give every item that may be shown a probability.
        queries: histories before each choice.
        chosen: the item that was chosen, by query; one that may not be shown is left out.
        mask: what may be shown.
    """
    names = list(heads)
    said = [of_chosen(heads[name], queries, chosen, mask, SHARPNESS) for name in names]
    known = said[0][_PLAIN].given > 0
    places, everybody = _sharpened([[one.given[known] for one in each] for each in said])
    best = [said[h][place] for h, place in enumerate(places)]
    table = np.stack([one.given[known] for one in best], axis=1)
    concentration = np.stack([one.concentration[known] for one in best], axis=1)
    confidence = confident(table, concentration, everybody)
    sure = confidence.factors(concentration)
    even = np.full(len(names), 1 / len(names))
    everybody = weigh(table, even, _UNHEARD, sure=sure)
    bucket = np.searchsorted(np.array(BUCKETS), queries.lengths[known], side="right") - 1
    of_bucket = [bucket == b for b in range(len(BUCKETS))]
    weights = np.stack([weigh(table[b], everybody, _FEW, sure=sure[b]) for b in of_bucket])
    least = [_FLOOR, *(_FLOORS.get(name, 0.0) for name in names[1:])]
    weights = np.maximum(weights, least)
    sharpness = {name: SHARPNESS[place] for name, place in zip(names, places, strict=True)}
    weights /= weights.sum(axis=1, keepdims=True)
    return Mixture(dict(heads), sharpness, weights, confidence=confidence)


def _sharpened(seen: Sequence[Sequence[Floats]]) -> tuple[list[int], Floats]:
    """Each head's place in ``SHARPNESS``, the first's being 1, and everybody's weights.

    First each head beside the first one; then, head by head, beside all others, until none moves.
    """
    first = seen[0][_PLAIN]
    places = [_PLAIN]
    for columns in seen[1:]:
        found = [_likelihood(np.stack([first, p], 1)) for p in columns]
        places.append(_best(found, _PLAIN))
    table = np.stack([seen[h][place] for h, place in enumerate(places)], axis=1)
    even = np.full(len(seen), 1 / len(seen))
    weights = weigh(table, even, _UNHEARD)
    for _ in range(_SWEEPS):
        before = list(places)
        for h in range(1, len(seen)):
            found = []
            for column in seen[h]:
                table[:, h] = column
                found.append(_likelihood(table, weights, _STEPS_TRIED))
            places[h] = _best(found, places[h])
            table[:, h] = seen[h][places[h]]
            weights = weigh(table, even, _UNHEARD)
        if places == before:
            break
    return places, weights


def _best(found: Sequence[float], held: int) -> int:
    """The place of the greatest; the one that is held stays where none is greater."""
    place = int(np.argmax(found))
    return place if found[place] > found[held] + 1e-12 else held


def weigh(
    table: Floats,
    prior: Floats | None = None,
    strength: float = 0.0,
    steps: int = _STEPS,
    sure: Floats | None = None,
) -> Floats:
    """Weights of the columns under which the choices are likeliest.

    A head that has nothing to say leaves its share to the others, so choice n has the probability
    ``sum_h w_h s_nh p_nh / W_n``, where W_n is the sum of ``w_h s_nh`` over those that speak. Each step
    raises the likelihood: it maximises a bound of it, by expectation-maximisation in the first part and by
    the tangent of the logarithm in W_n (Hunter and Lange, 2004).

    Args:
        table: (choices x heads) the probability that each head gave to what was chosen; nan: it was silent.
        prior: weights to start from and to lean on; None: equal ones.
        strength: how many choices, in which all speak, they count as.
        steps: how many.
        sure: (choices x heads) what weights are multiplied by; None: 1.
    """
    heads = table.shape[1]
    weights = np.full(heads, 1 / heads) if prior is None else prior
    if not len(table):
        return weights
    extra = 0.0 if prior is None else prior * strength
    speaks = np.where(np.isnan(table), 0.0, 1.0 if sure is None else sure)
    given = np.nan_to_num(table) * speaks
    for _ in range(steps):
        share = given * weights
        share /= np.maximum(share.sum(axis=1, keepdims=True), 1e-300)
        claimed = np.maximum(speaks @ weights, 1e-12)
        weights = (share.sum(axis=0) + extra) / np.maximum(
            speaks.T @ (1 / claimed) + strength, 1e-12
        )
        weights = weights / max(weights.sum(), 1e-300)
    return np.asarray(weights)


def likelihoods(table: Floats, weights: Floats) -> Floats:
    """The logarithm of each choice's probability under a mixture of the columns, as in :func:`weigh`."""
    claimed = (~np.isnan(table)) @ weights
    mixed = np.nan_to_num(table) @ weights / np.maximum(claimed, 1e-12)
    return np.asarray(np.log(np.maximum(mixed, _LEAST)))


def _likelihood(table: Floats, start: Floats | None = None, steps: int = _STEPS) -> float:
    return float(likelihoods(table, weigh(table, start, 0.0, steps)).mean())


def of_chosen(
    head: FittedHead, queries: Queries, chosen: Ints, mask: Mask, sharpnesses: Sequence[float]
) -> list[Said]:
    """What the head said of each choice, for every sharpness."""
    answer = [Said(np.zeros(len(queries)), np.zeros(len(queries))) for _ in sharpnesses]
    for start in range(0, len(queries), CHUNK):
        stop = min(start + CHUNK, len(queries))
        affinities = head.affinities(queries.part(start, stop))
        allowed = mask.part(start, stop).allowed(stop - start)
        for said, sharpness in zip(answer, sharpnesses, strict=True):
            part = softmax(affinities, sharpness, allowed)
            spread = concentrated(part)
            told = given(part, chosen[start:stop])
            said.given[start:stop] = np.where(np.isnan(spread), np.nan, told)
            said.concentration[start:stop] = spread
    return answer
