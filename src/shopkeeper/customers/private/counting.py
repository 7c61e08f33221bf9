"""Sizes of segments for a report that leaves the house, with noise and its price in the ledger."""

from __future__ import annotations

import math
from typing import Final

import narwhals as nw

from shopkeeper.core import discovery
from shopkeeper.core.errors import BadInput, NotFound
from shopkeeper.core.operation import Context
from shopkeeper.customers.types import PrivacyBudget, PrivacyReport, PrivateCount, PrivateCounts
from shopkeeper.shop.shop import Shop
from shopkeeper.store.privacy import Privacy
from shopkeeper.store.segments import Segments

LEVEL: Final = 0.95


def private_counts(
    ctx: Context, segments: tuple[str, ...], epsilon: float, purpose: str
) -> PrivateCounts:
    """See the operation ``private_counts``."""
    noise = discovery.load("shopkeeper.customers.private", "noise", what="noise", extra="private")
    known = {one.id: one.name for one in Segments(ctx.shop.database).all()}
    wanted = tuple(dict.fromkeys(segments)) or tuple(sorted(known))
    for one in wanted:
        if one not in known:
            raise NotFound(f"There is no segment {one!r}.", hint="List them.", field="segments")
    if not wanted:
        raise BadInput("There are no segments to count.", hint="Make one.", field="segments")
    # Booked first: a report that fails after it has cost all the same, one that is refused tells nothing.
    Privacy(ctx.shop.database).spend(epsilon, purpose, {"segments": list(wanted)})
    true = _sizes(ctx.shop, wanted)
    told = noise.counts([true[one] for one in wanted], epsilon, len(wanted))
    half = _half(len(wanted) / epsilon)
    rows = tuple(
        PrivateCount(
            segment=one,
            name=known[one],
            count=max(0, count),
            low=max(0, count - half),
            high=count + half,
        )
        for one, count in zip(wanted, told, strict=True)
    )
    return PrivateCounts(
        epsilon=epsilon, purpose=purpose, level=LEVEL, counts=rows, budget=budget(ctx.shop)
    )


def allow(ctx: Context, epsilon: float, why: str) -> PrivacyBudget:
    """Set the budget of a year."""
    Privacy(ctx.shop.database).allow(epsilon, why)
    return budget(ctx.shop)


def budget(shop: Shop) -> PrivacyBudget:
    """What may be spent in a year, what is spent, and on what."""
    found = Privacy(shop.database).budget()
    return PrivacyBudget(
        epsilon=found.epsilon,
        spent=found.spent,
        left=max(0.0, found.epsilon - found.spent),
        reports=tuple(
            PrivacyReport(
                time=one.time,
                purpose=one.purpose,
                epsilon=one.epsilon,
                segments=tuple(one.detail.get("segments", ())),
            )
            for one in found.reports
        ),
    )


def _half(scale: float) -> int:
    """The noise is within this of 0 with the probability ``LEVEL``."""
    ratio = math.exp(-1 / scale)
    # P(|noise| > k) = 2 r^(k+1) / (1 + r)
    return max(0, math.ceil(math.log((1 - LEVEL) * (1 + ratio) / 2) / math.log(ratio)) - 1)


def _sizes(shop: Shop, wanted: tuple[str, ...]) -> dict[str, int]:
    rows = shop.query(
        lambda source: (
            source.memberships()
            .filter(nw.col("valid_to").is_null(), nw.col("segment").is_in(list(wanted)))
            .select("segment", "customer_id")
            .unique()
            .group_by("segment")
            .agg(count=nw.len())
        )
    ).to_pylist()
    found = {row["segment"]: row["count"] for row in rows}
    return {one: found.get(one, 0) for one in wanted}
