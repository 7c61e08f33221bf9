"""What is true of a world, written beside the tables for those who check what was found."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from shopkeeper.simulate.columns import anonymous_ids, user_ids
from shopkeeper.simulate.days import Simulation
from shopkeeper.simulate.goods import HIDDEN
from shopkeeper.simulate.population import CITY_NAMES, LAND_NAMES, LANGUAGES
from shopkeeper.simulate.products import STYLES
from shopkeeper.simulate.scenario import Happening
from shopkeeper.simulate.setting import Setting
from shopkeeper.simulate.state import NEVER


@dataclass(frozen=True)
class Truth:
    """Tables by name, and what is best read as JSON."""

    customers: pa.Table
    items: pa.Table
    texts: pa.Table
    daily: pa.Table
    bots: pa.Table
    happenings: list[dict[str, Any]]
    metrics: dict[str, Any]
    scenario: dict[str, Any]

    def write(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("customers", "items", "texts", "daily", "bots"):
            pq.write_table(getattr(self, name), folder / f"{name}.parquet")
        for name in ("happenings", "metrics", "scenario"):
            text = json.dumps(getattr(self, name), ensure_ascii=False, indent=2)
            (folder / f"{name}.json").write_text(text + "\n", "utf-8")


def truth_of(past: Simulation, texts: pa.Table) -> Truth:
    """The truth of a simulation that has run to its end."""
    world = past.setting
    bots = np.concatenate([np.zeros(0, np.uint64), *past.bots])
    return Truth(
        customers=_customers(past),
        items=_items(world),
        texts=texts,
        daily=_daily(past),
        bots=pa.table({"anonymous_id": anonymous_ids(bots)}),
        happenings=[_happening(n, h) for n, h in enumerate(world.scenario.happenings, 1)],
        metrics=_metrics(past, texts),
        scenario=_scenario(world),
    )


def _customers(past: Simulation) -> pa.Table:
    people, state, world = past.setting.people, past.state, past.setting
    zone = pa.timestamp("us", tz="UTC")

    def times(values: Any) -> pa.Array:
        return pa.array(values, mask=values == NEVER).view(zone)

    columns: dict[str, Any] = {
        "customer_id": user_ids(np.arange(people.count)),
        "language": pa.array(LANGUAGES).take(pa.array(people.language)),
        "country": pa.array(LAND_NAMES).take(pa.array(people.country)),
        "city": pa.array(CITY_NAMES).take(pa.array(people.city)),
        "arrival_day": people.arrival,
        "signed_up_at": times(state.known_at),
        "dropped_out_at": times(state.left_at),
        "visits_a_day": people.rate * world.visit_rate,
        "drop_out_probability": people.drop,
        "orders": state.orders,
        "price_sensitivity": people.price_sensitivity,
        "quality_sensitivity": people.quality_sensitivity,
        "reviewer": people.reviewer,
    }
    for place, name in enumerate(world.catalogue.categories):
        columns[f"category_{name}"] = people.categories[:, place]
    for place, style in enumerate(STYLES):
        columns[f"style_{style}"] = people.tastes[:, place]
    for place in range(HIDDEN):
        columns[f"hidden_{place + 1}"] = people.tastes[:, len(STYLES) + place]
    return pa.table(columns)


def _items(world: Setting) -> pa.Table:
    goods, listed = world.goods, world.catalogue
    columns: dict[str, Any] = {
        "item_id": listed.ids,
        "category": [p.category for p in listed.products],
        "sub_category": [p.sub for p in listed.products],
        "style": [p.style for p in listed.products],
        "upcoming": goods.upcoming,
        "base_price": goods.price,
        "cost": goods.cost,
        "appeal": goods.appeal,
        "quality": goods.overall,
        "return_probability": goods.returns,
    }
    for place, aspect in enumerate(listed.aspects):
        values = goods.quality[:, place]
        columns[f"quality_{aspect}"] = pa.array(values, mask=np.isnan(values))
    for place in range(HIDDEN):
        columns[f"hidden_{place + 1}"] = goods.features[:, len(STYLES) + place]
    return pa.table(columns)


def _daily(past: Simulation) -> pa.Table:
    clock = past.setting.clock
    days = pa.array([clock.day(n) for n in range(clock.days)], pa.date32())
    return pa.table({"day": days, **past.tallies})


def _happening(number: int, happening: Happening) -> dict[str, Any]:
    rule = happening.rule
    values = {
        "number": number,
        "kind": happening.kind,
        "name": happening.name,
        "start": happening.start.isoformat(),
        "end": happening.end.isoformat(),
        "size": happening.size,
        "size_means": rule.size,
        "expected": rule.metric,
        "what": rule.does,
    }
    targets = {
        key: list(getattr(happening, key))
        for key in (
            "items",
            "categories",
            "countries",
            "languages",
            "devices",
            "channels",
            "events",
        )
        if getattr(happening, key)
    }
    extras = {key: v for key in ("aspect", "discount") if (v := getattr(happening, key))}
    return {**values, **targets, **extras}


def _metrics(past: Simulation, texts: pa.Table) -> dict[str, Any]:
    tallies, clock = past.tallies, past.setting.clock
    names = (
        "visits",
        "visitors",
        "orders",
        "units",
        "revenue",
        "refunds",
        "bot_views",
        "lost_events",
    )
    months: dict[str, dict[str, float]] = {}
    for number in range(clock.days):
        month = months.setdefault(f"{clock.day(number):%Y-%m}", dict.fromkeys(names, 0.0))
        for name in names:
            month[name] += float(tallies[name][number])
    rounded = {month: {k: round(v, 2) for k, v in row.items()} for month, row in months.items()}
    state = past.state
    buyers = state.orders > 0
    return {
        "totals": {name: round(float(tallies[name].sum()), 2) for name in names},
        "months": rounded,
        "customers_signed_up": int((state.known_at != NEVER).sum()),
        "customers_dropped_out": int((state.left_at != NEVER).sum()),
        "buyers": int(buyers.sum()),
        "repeat_buyers": int((state.orders > 1).sum()),
        "texts": texts.num_rows,
    }


def _scenario(world: Setting) -> dict[str, Any]:
    scenario = world.scenario
    values = {
        name: getattr(scenario, name)
        for name in scenario.__dataclass_fields__
        if name != "happenings"
    }
    return {
        "seed": world.seed,
        **{k: v.isoformat() if isinstance(v, date) else v for k, v in values.items()},
        "time_zone": str(world.clock.zone),
        "currency": world.currency,
        "last_day": scenario.last_day.isoformat(),
    }
