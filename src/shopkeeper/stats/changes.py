"""What rises: counts of a window beside those of equal blocks before, with false alarms bounded.

A unit (a person) is counted once a block. If a word's rate has not risen by more than ``rise`` times,
its count in the window, given its count in window and blocks together, is at most binomial with the
share that the window has of all units, weighted by ``rise``: an exact test, whatever the rate was.
Counts that vary more than chance (found from the blocks) are divided by how much more.

Sources: Przyborowski & Wilenski, Biometrika 31 (1940), the conditional test of two Poisson means; Tarone,
Biometrics 46 (1990), counting only the tests that can reach their level; McCullagh & Nelder, "Generalized
Linear Models" (1989), section 4.5, dispersion.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc
from scipy.stats import beta, chi2

from shopkeeper.core.types import CannotSay, Estimate

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Risen:
    """Of each word: its p-value, how many units were expected, and its dispersion.

    ``tested`` is how many words could have raised an alarm at all; ``level`` the bound on a p-value below
    which a word is one; both hold the expected number of false alarms at what was asked for.
    """

    p_values: Floats
    expected: Floats
    dispersion: Floats
    tested: int
    level: float

    @property
    def alarms(self) -> NDArray[np.int64]:
        """The words that rise, strongest first."""
        found = np.flatnonzero(self.p_values <= self.level)
        return np.asarray(found[np.argsort(self.p_values[found], kind="stable")], np.int64)


def risen(counts: NDArray[np.int64], units: NDArray[np.int64], rise: float, budget: float) -> Risen:
    """Test every word of one window.

    Args:
        counts: (words, blocks) units that have the word; the window is block 0, the others lie before it.
        units: (blocks,) all units.
        rise: a rate that has grown no more than this many times is no news.
        budget: how many false alarms this look may cost, on average.
    """
    window, before = counts[:, 0].astype(float), counts[:, 1:].sum(axis=1).astype(float)
    total, all_before = float(units[0]), float(units[1:].sum())
    spread = dispersion(counts[:, 1:], units[1:])
    share = rise * total / (rise * total + all_before) if total else 0.0
    both = (window + before) / spread
    p_values = np.ones(len(counts))
    some = (window > 0) & (both > 0)
    # P(X >= x) of a binomial is a beta probability, which also reads counts that are not whole.
    x = window[some] / spread[some]
    p_values[some] = betainc(x, both[some] - x + 1, share)
    tested, level = attainable(both, share, budget)
    expected = before * (total / all_before) if all_before else np.zeros(len(counts))
    return Risen(p_values, expected, spread, tested, level)


def attainable(both: Floats, share: float, budget: float) -> tuple[int, float]:
    """How many tests can reach their level at all, and that level: ``budget`` over their number.

    The least p-value that a word with ``both`` units can have is share^both: it depends on the sum that
    the test is conditional on, so leaving the hopeless ones out costs no validity.
    """
    if not 0 < share < 1:
        return 0, 0.0
    least = np.sort(share ** np.floor(both))
    for number in range(1, len(least) + 1):
        if number == len(least) or least[number] > budget / (number + 1):
            return number, budget / number
    return 0, 0.0


def dispersion(counts: NDArray[np.int64], units: NDArray[np.int64]) -> Floats:
    """By word, how many times more than by chance its rate varies from block to block; at least 1.

    Pearson's statistic over its degrees of freedom, drawn half-way to 1 + c² × mean count, with c (how much
    a rate wanders, as a share of it) from all words together: a handful of blocks measures one word poorly.
    """
    blocks = len(units)
    totals = counts.sum(axis=1)
    if blocks < 2 or not units.sum():
        return np.ones(len(counts))
    expected = totals[:, None] * (units / units.sum())[None, :]
    squares = np.where(expected > 0, (counts - expected) ** 2 / np.maximum(expected, 1e-9), 0)
    own = squares.sum(axis=1) / (blocks - 1)
    means = totals / blocks
    common = means >= 1
    wander = max(0.0, float((own - 1)[common].sum() / means[common].sum())) if common.any() else 0.0
    return np.asarray(np.maximum(1.0, (own + 1 + wander * means) / 2), float)


def times(
    window: int, before: int, units: tuple[int, int], level: float = 0.95
) -> Estimate | CannotSay:
    """How many times its former rate a word has now, with an exact conditional interval.

    Args:
        window: units with the word now.
        before: units with it in the blocks before.
        units: all units now, and before.
        level: of the interval.
    """
    now, then = units
    if not before or not now:
        return CannotSay(
            reason="Nobody wrote so in the weeks before.",
            needed="at least one before",
            code="nobody_wrote",
        )
    both, tail = window + before, (1 - level) / 2
    low = float(beta.ppf(tail, window, both - window + 1)) if window else 0.0
    high = float(beta.ppf(1 - tail, window + 1, both - window))
    factor = then / now
    value = window / before * factor
    bounds = (share / (1 - share) * factor for share in (low, high))
    return Estimate(value=value, low=next(bounds), high=next(bounds), n=both, level=level)


def rate(count: int, level: float = 0.95) -> Estimate:
    """The expected number behind a count of independent events, with Garwood's exact interval.

    Source: Garwood, Biometrika 28 (1936).
    """
    tail = (1 - level) / 2
    low = float(chi2.ppf(tail, 2 * count) / 2) if count else 0.0
    high = float(chi2.ppf(1 - tail, 2 * count + 2) / 2)
    return Estimate(value=float(count), low=low, high=high, n=count, level=level)
