"""The hold-out that would settle whether a suggestion works: how many, how long, what it would find."""

from __future__ import annotations

from typing import Final

from shopkeeper.advice.sizing import WINDOW
from shopkeeper.advice.types import Test
from shopkeeper.core.types import CannotSay, Estimate
from shopkeeper.stats.power import detectable

_SHARES: Final = (0.1, 0.2, 0.3, 0.5)
_ENOUGH: Final = 0.2
"""A hold-out that finds a change of a fifth of the base is large enough."""

_POWER: Final = 0.8
_ALPHA: Final = 0.05
_LEAST: Final = 40


def hold_out_for(customers: int, base: Estimate | CannotSay) -> Test | CannotSay:
    """The smallest usual hold-out that finds a change of a fifth; else half, which finds most.

    ``base`` is the share of such customers who buy by themselves in the window. As ``experiments plan``
    reckons, for one look at the end.
    """
    if isinstance(base, CannotSay):
        return CannotSay(reason="base")
    if customers < _LEAST:
        return CannotSay(reason="few")
    # Of nobody who bought, one more may have: the upper end stands for a share that is not known to be 0.
    share = base.value or base.high / 2
    for hold_out in _SHARES:
        spread = share * (1 - share) * (1 / hold_out + 1 / (1 - hold_out))
        least = detectable("fixed", customers, spread=spread, power=_POWER, alpha=_ALPHA, looks=1)
        if least <= _ENOUGH * share:
            break
    return Test(
        hold_out=hold_out,
        customers=customers,
        held_out=round(hold_out * customers),
        days=WINDOW,
        base=base,
        detectable=least,
        relative=least / base.value if base.value else None,
        power=_POWER,
    )
