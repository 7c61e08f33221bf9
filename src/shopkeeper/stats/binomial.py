"""Exact bounds of a binomial share, for promises that must also hold with few units."""

from __future__ import annotations

from scipy.special import betaincinv


def upper(hits: int, n: int, delta: float) -> float:
    """The share that is exceeded with probability at most ``delta``, having seen ``hits`` of ``n``.

    Source: Clopper & Pearson, Biometrika 26 (1934), the one-sided upper bound; 1 without units.
    """
    _checked(hits, n, delta)
    return 1.0 if hits == n else float(betaincinv(hits + 1, n - hits, 1 - delta))


def lower(hits: int, n: int, delta: float) -> float:
    """The share that is undercut with probability at most ``delta``, having seen ``hits`` of ``n``."""
    _checked(hits, n, delta)
    return 0.0 if hits == 0 else float(betaincinv(hits, n - hits + 1, delta))


def _checked(hits: int, n: int, delta: float) -> None:
    if not 0 <= hits <= n:
        raise ValueError(f"{hits} of {n} is no share")
    if not 0 < delta < 1:
        raise ValueError(f"delta {delta} is not between 0 and 1")
