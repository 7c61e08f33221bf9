"""Counts with noise by OpenDP; needs the extra `private`."""

from __future__ import annotations

from collections.abc import Sequence

import opendp.prelude as dp

dp.enable_features("contrib")


def counts(true: Sequence[int], epsilon: float, changed: int) -> list[int]:
    """The counts with noise of the discrete Laplace distribution: ``epsilon`` in all, nothing beyond.

    One customer more or less changes ``changed`` of the counts by one; OpenDP derives from the measure
    itself that it costs no more than ``epsilon`` (Dwork, McSherry, Nissim & Smith 2006; Ghosh et al. 2009).
    """
    space = dp.vector_domain(dp.atom_domain(T=int)), dp.l1_distance(T=int)
    measure = dp.binary_search_chain(
        lambda scale: dp.m.make_laplace(*space, scale=scale), d_in=changed, d_out=epsilon, T=float
    )
    return [int(one) for one in measure(list(true))]
