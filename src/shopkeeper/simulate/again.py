"""The world of a shop that was simulated, made again from the truth beside its tables."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from shopkeeper.core.errors import Conflict, Corrupt
from shopkeeper.shop.shop import Shop
from shopkeeper.simulate.scenario import Scenario, parse
from shopkeeper.simulate.world import World


def truth_folder(shop: Shop) -> Path:
    """Where the truth of a simulated shop lies."""
    return Path(shop.folder) / "truth"


def again(shop: Shop) -> World:
    """The world that filled this shop, equal in every byte.

    Raises:
        Conflict: the shop was not simulated, so that nobody knows how its customers would react.
        Corrupt: the scenario and what was made of it differ.
    """
    folder = truth_folder(shop)
    made = folder / "scenario.json"
    if not made.is_file():
        raise Conflict(
            "This shop was not simulated: there is no truth beside its tables.",
            hint="Make one: shopkeeper --shop try init, then simulate build.",
        )
    known = json.loads(made.read_text("utf-8"))
    source = (folder / "scenario.toml").read_text("utf-8")
    scenario = parse(source)
    if scenario.events != known["events"]:
        scenario = parse(source, size=known["events"])
    scenario = replace(scenario, time_zone=known["time_zone"], currency=known["currency"])
    _check(scenario, known)
    return World(scenario, int(known["seed"]))


def _check(scenario: Scenario, known: dict[str, object]) -> None:
    told = {
        "first_day": scenario.first_day.isoformat(),
        "days": scenario.days,
        "events": scenario.events,
        "customers": scenario.customers,
    }
    for name, value in told.items():
        if known[name] != value:
            raise Corrupt(
                f"truth/scenario.toml says {name} {value}, the shop was made with {known[name]}."
            )
