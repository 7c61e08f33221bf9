"""What a campaign may bring: from the shop's own past campaigns, those that are alike counting most."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from pydantic import TypeAdapter

from shopkeeper.core.types import CannotSay, Estimate, EstimateOrCannotSay
from shopkeeper.shop.shop import Shop
from shopkeeper.stats.pooling import Study, predicted
from shopkeeper.store.campaigns import Campaigns, Stored
from shopkeeper.store.suggestions import GONE, OPEN, TAKEN, Suggestions

_KIND: Final = 0.5
_CHANNEL: Final = 0.2
"""How much of a campaign's own deviation those of one kind, and of one channel, have in common."""

_ADAPTER: TypeAdapter[Estimate | CannotSay] = TypeAdapter(EstimateOrCannotSay)
_ENDED: Final = ("done", "stopped", "sending", "paused")
_Z: Final = 1.959964


@dataclass(frozen=True)
class Past:
    """One arm of a past campaign: what it brought a customer against the hold-out."""

    campaign_id: str
    rule: str
    channel: str
    study: Study


def past(shop: Shop) -> list[Past]:
    """Every arm whose revenue against its hold-out is known, with the rule that suggested it, if one did."""
    rules = {
        one.id: one.rule
        for one in Suggestions(shop.database).all((TAKEN, OPEN, GONE), limit=10_000)
    }
    found = []
    for campaign in Campaigns(shop.database).all():
        for told in arms(campaign).values():
            study = _study(told)
            if study is not None:
                rule = rules.get(campaign.advice, "")
                found.append(Past(campaign.id, rule, campaign.channel, study))
    return found


def arms(campaign: Stored) -> Mapping[str, Mapping[str, Any]]:
    """The arms of a campaign's newest result; none before there is one."""
    told: Mapping[str, Mapping[str, Any]] = (campaign.result or {}).get("arms", {})
    return told


def estimate(told: Mapping[str, Any] | None, missing: str) -> Estimate | CannotSay:
    """An estimate as campaigns keep it."""
    if told is None:
        return CannotSay(reason=missing)
    return _ADAPTER.validate_python(dict(told))


def expected(
    known: Sequence[Past], rule: str, channel: str, customers: int
) -> tuple[Estimate | CannotSay, tuple[str, ...]]:
    """What reaching so many may bring in revenue, and the campaigns that tell; or the code why not."""
    studies = [one.study for one in known]
    each = predicted(studies, _alike(known), _to(known, rule, channel))
    if isinstance(each, CannotSay):
        return CannotSay(reason="campaigns"), ()
    total = Estimate(
        value=each.value * customers,
        low=each.low * customers,
        high=each.high * customers,
        n=each.n,
        level=each.level,
    )
    return total, tuple(dict.fromkeys(one.campaign_id for one in known))


def cost(shop: Shop, channel: str, customers: int) -> Estimate | CannotSay:
    """What so many messages cost, by what the last campaign on that channel was told to cost."""
    for campaign in Campaigns(shop.database).all():
        each = campaign.design.get("cost_per_message")
        if campaign.channel == channel and each is not None:
            total = float(each) * customers
            return Estimate(value=total, low=total, high=total, n=customers, level=1.0)
    return CannotSay(reason="cost")


def _study(told: Mapping[str, Any]) -> Study | None:
    revenue = estimate(told.get("revenue"), "")
    if isinstance(revenue, CannotSay) or revenue.high <= revenue.low:
        return None
    error = (revenue.high - revenue.low) / (2 * _Z)
    return Study(revenue.value, error, revenue.n)


def _alike(known: Sequence[Past]) -> np.ndarray[Any, np.dtype[np.float64]]:
    found = np.eye(len(known))
    for a, one in enumerate(known):
        for b, other in enumerate(known):
            if a != b:
                found[a, b] = _likeness(one, other.rule, other.channel)
    return found


def _to(known: Sequence[Past], rule: str, channel: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    return np.array([_likeness(one, rule, channel) for one in known], dtype=np.float64)


def _likeness(one: Past, rule: str, channel: str) -> float:
    same = bool(rule) and one.rule == rule
    return _KIND * same + _CHANNEL * (one.channel == channel)
