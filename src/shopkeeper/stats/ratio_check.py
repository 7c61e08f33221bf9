"""Whether units came to the variants in the planned shares: if not, nothing else can be believed."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Final

from scipy.special import chdtrc, gammaln

ALARM: Final = 0.001
"""Below this the shares are not those planned (Fabijan et al., KDD 2019, use 0.0005 to 0.01)."""

_STRENGTH = 1000.0


def chi_square(counts: Sequence[int], shares: Sequence[float]) -> float:
    """The p-value of Pearson's test that the counts follow the shares, for one look.

    An arm with share 0 is left out with its units and its degree of freedom.
    """
    pairs = [(n, share) for n, share in zip(counts, shares, strict=True) if share > 0]
    total, whole = sum(n for n, _ in pairs), sum(share for _, share in pairs)
    if not total or len(pairs) < 2:
        return 1.0
    expected = [total * share / whole for _, share in pairs]
    statistic = math.fsum((n - e) ** 2 / e for (n, _), e in zip(pairs, expected, strict=True))
    return float(chdtrc(len(pairs) - 1, statistic))


def sequential(days: Iterable[Sequence[int]], shares: Sequence[float]) -> float:
    """A p-value that holds however often it is looked at: ``days`` are counts by arm, as they came.

    The Bayes factor of a Dirichlet prior around the shares against the shares themselves is a martingale
    while these are true; its inverse at its peak is valid at any time.
    Source: Lindon and Malek, *Anytime-valid inference for multinomial count data*, NeurIPS 2022.
    """
    kept = [place for place, share in enumerate(shares) if share > 0]
    whole = sum(shares[place] for place in kept)
    theta = [shares[place] / whole for place in kept]
    prior = [_STRENGTH * share for share in theta]
    counts = [0] * len(kept)
    peak = 0.0
    for day in days:
        counts = [n + day[place] for n, place in zip(counts, kept, strict=True)]
        peak = max(peak, _log_factor(counts, prior, theta))
    return math.exp(-peak)


def _log_factor(counts: Sequence[int], prior: Sequence[float], theta: Sequence[float]) -> float:
    total, strength = sum(counts), math.fsum(prior)
    factor = float(gammaln(strength) - gammaln(strength + total))
    for n, a, share in zip(counts, prior, theta, strict=True):
        factor += float(gammaln(a + n) - gammaln(a)) - n * math.log(share)
    return factor
