"""Group-sequential boundaries against published tables and simulated Brownian motion."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shopkeeper.stats.boundaries import boundaries, crossing, drift_for, spent

FIVE = (0.2, 0.4, 0.6, 0.8, 1.0)
FOURTEEN = tuple((i + 1) / 14 for i in range(14))

# Two-sided alpha .05, five even looks: Lan-DeMets spending, as tabulated by Reboussin, DeMets, Kim and Lan
# (2000) and given by gsDesign (sfLDOF, sfLDPocock).
TABLED = {
    "obrien_fleming": (4.8769, 3.3569, 2.6803, 2.2898, 2.0310),
    "pocock": (2.4380, 2.4268, 2.4101, 2.3966, 2.3859),
}


@pytest.mark.parametrize("spending", ["obrien_fleming", "pocock"])
def test_boundaries_equal_the_published_ones(spending: str) -> None:
    found = boundaries(FIVE, 0.05, spending)  # type: ignore[arg-type]
    assert found == pytest.approx(TABLED[spending], abs=2e-4)


# Jennison and Turnbull (2000), tables 2.1 (Pocock) and 2.3 (O'Brien-Fleming): constants for alpha .05.
@pytest.mark.parametrize(("looks", "constant"), [(2, 2.178), (5, 2.413), (10, 2.555), (20, 2.672)])
def test_pococks_constants_spend_five_percent(looks: int, constant: float) -> None:
    fractions = [(i + 1) / looks for i in range(looks)]
    assert crossing(fractions, [constant] * looks).total == pytest.approx(0.05, abs=1e-4)


@pytest.mark.parametrize(("looks", "constant"), [(2, 1.977), (5, 2.040), (10, 2.087), (20, 2.126)])
def test_obrien_and_flemings_constants_spend_five_percent(looks: int, constant: float) -> None:
    fractions = [(i + 1) / looks for i in range(looks)]
    bounds = [constant / t**0.5 for t in fractions]
    assert crossing(fractions, bounds).total == pytest.approx(0.05, abs=1e-4)


def test_looking_fourteen_times_at_five_percent_errs_in_a_fifth() -> None:
    assert crossing(FOURTEEN, [1.959964] * 14).total == pytest.approx(0.2196, abs=2e-4)


@pytest.mark.parametrize("looks", [1, 14, 60])
@pytest.mark.parametrize("spending", ["obrien_fleming", "pocock"])
def test_all_looks_together_spend_exactly_alpha(looks: int, spending: str) -> None:
    fractions = [(i + 1) / looks for i in range(looks)]
    bounds = boundaries(fractions, 0.05, spending)  # type: ignore[arg-type]
    assert crossing(fractions, bounds).total == pytest.approx(0.05, abs=1e-8)


@given(st.lists(st.floats(0.001, 1.0), min_size=1, max_size=8, unique=True), st.floats(0.001, 0.2))
def test_uneven_looks_never_spend_more_than_allowed_by_then(
    fractions: list[float], alpha: float
) -> None:
    fractions = sorted(fractions)
    if any(b - a < 1e-4 for a, b in pairwise(fractions)):
        return
    bounds = boundaries(fractions, alpha, "obrien_fleming")
    total = crossing(fractions, bounds).total
    assert total <= spent("obrien_fleming", fractions[-1], alpha) + 1e-6


def test_chances_equal_those_of_simulated_brownian_motion() -> None:
    random = np.random.default_rng(5)
    fractions = np.array([0.1, 0.15, 0.5, 0.9, 1.0])
    bounds = np.array(boundaries(tuple(fractions), 0.05, "pocock"))
    drift, runs = 2.5, 200_000
    steps = np.diff(fractions, prepend=0.0)
    moves = random.normal(drift * steps, np.sqrt(steps), (runs, 5))
    z = moves.cumsum(axis=1) / np.sqrt(fractions)
    first = np.argmax(np.abs(z) > bounds, axis=1)
    crossed = (np.abs(z) > bounds).any(axis=1)
    up = crossed & (np.take_along_axis(z, first[:, None], 1)[:, 0] > 0)
    exact = crossing(tuple(fractions), tuple(bounds), drift)
    for look in range(5):
        share = float((up & (first == look)).mean())
        assert share == pytest.approx(exact.above[look], abs=4 * (0.25 / runs) ** 0.5)
    assert exact.mean_of(tuple(fractions)) == pytest.approx(
        float(np.where(crossed, fractions[first], 1.0).mean()), abs=0.005
    )


def test_the_drift_found_has_the_power_asked_for() -> None:
    bounds = boundaries(FOURTEEN, 0.05, "obrien_fleming")
    drift = drift_for(0.9, FOURTEEN, bounds)
    assert crossing(FOURTEEN, bounds, drift).total == pytest.approx(0.9, abs=1e-6)
    assert 3.2415 < drift < 3.40  # more than one look needs, but not by much


@pytest.mark.parametrize("fractions", [(), (0.0, 1.0), (0.5, 0.5), (0.5, 1.1)])
def test_fractions_that_make_no_sense_are_refused(fractions: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="fractions"):
        boundaries(fractions)
