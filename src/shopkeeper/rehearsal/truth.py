"""The true effect of a campaign: both futures of everybody who was drawn, kept beside the tables."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import narwhals as nw
import pyarrow as pa
import pyarrow.parquet as pq

from shopkeeper.campaigns.designing import arms_of
from shopkeeper.campaigns.types import Design
from shopkeeper.contact import addresses
from shopkeeper.contact.policy import current
from shopkeeper.contact.quiet import next_allowed, zone_of
from shopkeeper.content.approved import as_sent
from shopkeeper.core.events import EXPERIMENT_VIEWED
from shopkeeper.rehearsal.types import TrueEffect
from shopkeeper.shop.shop import Shop
from shopkeeper.simulate.again import truth_folder
from shopkeeper.simulate.onward import Letter, Onward
from shopkeeper.simulate.outcomes import MEASURES, Outcomes
from shopkeeper.store.campaigns import Stored
from shopkeeper.warehouse.source import Frame, Source

_LIVES: Final = 100_000  # lives that are lived twice, shared among the customers
_LEAST, _MOST = 20, 400  # copies of each


@dataclass(frozen=True)
class Drawn:
    """Who was drawn into a campaign's experiment: since when their outcome counts, and their variant."""

    customer_id: str
    since: datetime
    variant_id: str


def drawn(shop: Shop, experiment_id: str) -> list[Drawn]:
    """Everybody who was exposed, the hold-out too, in order of their ids."""

    def build(source: Source) -> Frame:
        seen = source.events().filter(
            nw.col("name") == EXPERIMENT_VIEWED,
            nw.col("experiment_id") == experiment_id,
            ~nw.col("customer_id").is_null(),
        )
        each = seen.group_by("customer_id").agg(
            nw.col("time").min().alias("since"), nw.col("variant_id").min().alias("variant_id")
        )
        return each.sort("customer_id")

    return [Drawn(**row) for row in shop.query(build, live=True).to_pylist()]


def work_out(shop: Shop, onward: Onward, stored: Stored, units: list[Drawn]) -> None:
    """Keep what each of these buys with each variant's message and without; before the day is played."""
    design = Design.model_validate(stored.design)
    copies = min(max(_LIVES // len(units), _LEAST), _MOST)
    times = _times(shop, units)
    effects: list[TrueEffect] = []
    for arm in arms_of(stored):
        if arm.template_id is None:
            continue
        items = as_sent(shop, arm.template_id, arm.version or 0).item_ids
        letters = [
            Letter(one.customer_id, one.customer_id, at, stored.id, items, since=one.since)
            for one, at in zip(units, times, strict=True)
        ]
        found = onward.outcomes(letters, design.window_days, copies)
        effects += _effects(arm.variant_id, found)
        path = _path(shop, stored.id)
        path.parent.mkdir(exist_ok=True)
        given = pa.array([one.variant_id for one in units], pa.string())
        table = found.table().append_column("variant_id", given)
        pq.write_table(table, path.with_name(f"{stored.id}-{arm.variant_id}.parquet"))
    told: dict[str, Any] = {
        "campaign_id": stored.id,
        "customers": len(units),
        "window_days": design.window_days,
        "copies": copies,
        "effects": [one.model_dump() for one in effects],
    }
    _path(shop, stored.id).write_text(json.dumps(told, indent=2) + "\n", "utf-8")


def _effects(variant_id: str, found: Outcomes) -> list[TrueEffect]:
    return [
        TrueEffect(
            variant_id=variant_id,
            measure=measure,
            without=float(found.without[measure].mean()),
            lift=found.lift(measure),
            error=found.errors[measure],
        )
        for measure in MEASURES
    ]


def true_effects(shop: Shop, campaign_id: str) -> tuple[TrueEffect, ...] | None:
    """What was worked out; None where nothing was, as for a campaign whose shop is not simulated."""
    path = _path(shop, campaign_id)
    if not path.is_file():
        return None
    told = json.loads(path.read_text("utf-8"))
    return tuple(TrueEffect.model_validate(one) for one in told["effects"])


def _path(shop: Shop, campaign_id: str) -> Path:
    return truth_folder(shop) / "campaigns" / f"{campaign_id}.json"


def _times(shop: Shop, units: list[Drawn]) -> list[datetime]:
    """When each customer's message leaves, or would have: once no hour is quiet where they are."""
    _, policy = current(shop.database)
    known = shop.people.some([one.customer_id for one in units])
    found = []
    for one in units:
        traits = known[one.customer_id].traits if one.customer_id in known else {}
        told = {name: value for name, value in traits.items() if value is not None}
        zone = zone_of(addresses.zone(told), shop.settings.time_zone)
        found.append(next_allowed(one.since, zone, policy.quiet))
    return found
