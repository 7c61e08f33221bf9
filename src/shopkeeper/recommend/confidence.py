"""How sure each head is for one customer, and what that makes of everybody's weight.

A head that names two items knows something; one that spreads over half of the catalogue does not. How
concentrated it is says so before anybody has chosen: the sum of its squared probabilities, which is the
chance that two draws from it agree (Simpson, 1949); here it is taken as a multiple of popularity's over the
same items, so that a rule which leaves few of them makes nobody sure. The weight of head h is multiplied by
``exp(sum_k slopes[k, h] z_k)``, where z_k is the logarithm of head k's multiple in standard deviations from
its mean: a gate over experts (Jacobs, Jordan, Nowlan and Hinton, 1991) that is told nothing but how sure
they are. Slopes are fitted by likelihood on the choices that weights are fitted on, and drawn to zero.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.optimize import minimize

from shopkeeper.recommend.history import Floats

_FURTHEST: Final = 3.0
"""Standard deviations: what lies further counts as this."""
_LEAST: Final = 0.1
"""Of a standard deviation: a head that is always as sure says nothing by it."""
_PULL: Final = 10.0
"""Half the precision of the slopes' prior: of 300 choices they then learn half of what can be learned."""
_SMALL: Final = 1e-9


@dataclass(frozen=True)
class Confidence:
    """``slopes`` (heads x heads): what the sureness of the first does to the weight of the second.

    ``mean`` and ``spread`` are those of the logarithm of each head's concentration, less the first head's.
    """

    slopes: Floats
    mean: Floats
    spread: Floats

    def factors(self, concentration: Floats) -> Floats:
        """(queries x heads) what weights are multiplied by; nan is the concentration of a silent head."""
        return np.asarray(np.exp(self._standard(concentration) @ self.slopes))

    def _standard(self, concentration: Floats) -> Floats:
        away = (_sureness(concentration) - self.mean) / self.spread
        return np.clip(np.nan_to_num(away), -_FURTHEST, _FURTHEST)


def confident(table: Floats, concentration: Floats, weights: Floats) -> Confidence:
    """The slopes under which the choices are likeliest.

    Args:
        table: (choices x heads) the probability that each head gave to what was chosen; nan: it was silent.
        concentration: (choices x heads) how concentrated it was, nan likewise.
        weights: of the heads, where all are as sure as usual; they are fitted along.
    """
    heads = table.shape[1]
    mean, spread = np.zeros(heads), np.ones(heads)
    for place, column in enumerate(_sureness(concentration).T):
        known = column[~np.isnan(column)]
        if len(known):
            mean[place], spread[place] = known.mean(), max(float(known.std()), _LEAST)
    flat = Confidence(np.zeros((heads, heads)), mean, spread)
    if not len(table):
        return flat
    inputs = np.column_stack([np.ones(len(table)), flat._standard(concentration)])
    silent = np.where(np.isnan(table), -np.inf, 0.0)
    given = np.nan_to_num(table)
    first = np.log(np.maximum(weights, 1e-4))

    def lost(flattened: Floats) -> tuple[float, Floats]:
        logits = inputs @ flattened.reshape(heads + 1, heads) + silent
        logits -= logits.max(axis=1, keepdims=True)
        share = np.exp(logits)
        share /= share.sum(axis=1, keepdims=True)
        joint = share * given
        chance = np.maximum(joint.sum(axis=1, keepdims=True), 1e-12)
        slope = inputs.T @ (joint / chance - share)
        away = flattened.reshape(heads + 1, heads) - start
        value = float(np.log(chance).sum()) - _PULL * float((away[1:] ** 2).sum())
        slope[1:] -= 2 * _PULL * away[1:]
        return -value / len(table), -slope.ravel() / len(table)

    start = np.vstack([first, np.zeros((heads, heads))])
    found = minimize(lost, start.ravel(), jac=True, method="L-BFGS-B", options={"maxiter": 300})
    return Confidence(found.x.reshape(heads + 1, heads)[1:], mean, spread)


def _sureness(concentration: Floats) -> Floats:
    """The logarithm of each head's concentration as a multiple of the first's, popularity's."""
    logs = np.log(np.maximum(concentration, _SMALL))
    return np.asarray(logs - logs[:, :1])
