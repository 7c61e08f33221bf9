"""Everything about a world that does not change from day to day, and how its size is met."""

from __future__ import annotations

from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from shopkeeper.simulate.calendar import Clock, festivity, year_curve
from shopkeeper.simulate.effects import Effects
from shopkeeper.simulate.goods import Goods, goods
from shopkeeper.simulate.lands import COUNTRIES, RATES, STANDING
from shopkeeper.simulate.population import Population, population
from shopkeeper.simulate.products import Catalogue, catalogue
from shopkeeper.simulate.queries import Queries
from shopkeeper.simulate.scenario import DEFAULT_CURRENCY, DEFAULT_TIME_ZONE, Scenario


@dataclass
class Setting:
    """The fixed parts of a world. The last four are found by ``calibrate``, without any happening."""

    scenario: Scenario
    seed: int
    catalogue: Catalogue
    goods: Goods
    people: Population
    clock: Clock
    effects: Effects
    queries: Queries
    campaigns: list[str]
    experiments: list[str]
    currency: str
    visit_rate: float = 0.0
    visitors_a_day: float = 0.0
    text_share: float = 1.0
    views_a_day: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))

    def seasons(self, number: int) -> NDArray[np.float64]:
        """Visits on a day as a multiple of the usual, by country."""
        day = self.clock.day(number)
        level = {name: festivity(day, name).visits for name in ("east", "west")}
        return year_curve(day) * np.array([level[one.festivals] for one in COUNTRIES.values()])

    def category_year(self, number: int) -> NDArray[np.float32]:
        """Demand by category in the month of this day."""
        month = self.clock.day(number).month - 1
        about = self.catalogue.about.values()
        return np.array([one["year"][month] for one in about], np.float32)


def setting(scenario: Scenario, seed: int) -> Setting:
    """The parts of a world, not yet calibrated."""
    listed = catalogue()
    currency = scenario.currency or DEFAULT_CURRENCY
    stock = goods(listed, seed, RATES[currency])
    people = population(scenario, seed, len(listed.categories))
    zone = ZoneInfo(scenario.time_zone or DEFAULT_TIME_ZONE)
    clock = Clock(scenario.first_day, scenario.days, zone)
    planned = [h.name for h in scenario.happenings if h.kind == "campaign"]
    return Setting(
        scenario=scenario,
        seed=seed,
        catalogue=listed,
        goods=stock,
        people=people,
        clock=clock,
        effects=Effects(scenario.happenings, clock, listed, stock, people),
        queries=Queries(listed),
        campaigns=list(dict.fromkeys([*STANDING.values(), *planned])),
        experiments=[h.name for h in scenario.happenings if h.kind == "experiment"],
        currency=currency,
        views_a_day=np.zeros(stock.count),
    )
